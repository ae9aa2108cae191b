/**
 * Answers as the vendors' API references show them, recounted by a reader that shares nothing with the product's: one formula a
 * vendor, written down from its reference and its price page, over the answer as it stands.
 */
import { describe, expect, it } from 'vitest'
import { RECORDED_OPENAI } from '../../../test/support/recorded-openai.ts'
import { RECORDED_VENDORS } from '../../../test/support/recorded-vendors.ts'
import { createPriceBook, priced } from './prices.ts'
import { createUsageReader } from './reader.ts'

const RECORDED = [...RECORDED_OPENAI, ...RECORDED_VENDORS]

describe('an answer is booked as a reader of its own counts it', () => {
  const book = createPriceBook([])

  it.each(RECORDED.map((one) => [one.provider, one.name, one] as const))('%s: %s', (_, _name, one) => {
    const [input, output, usd] = one.recount(one.answer)
    const { type, bytes } = one.as ?? {
      type: 'application/json',
      bytes: Buffer.from(JSON.stringify(one.answer)),
    }
    for (const cut of [bytes.length, 100, 7]) {
      const reader = createUsageReader({ contentType: type, dropUsageChunk: false })
      for (let at = 0; at < bytes.length; at += cut) reader?.push(bytes.subarray(at, at + cut))
      reader?.end()
      const usage = reader?.usage() ?? null
      expect(usage).toMatchObject({ input, output })
      if (usage === null) continue
      const cost = priced(usage, book.find(one.provider, one.model), one.provider, one.model)
      expect([cost.isWhole, cost.isWhole ? cost.microUsd : null]).toEqual([
        usd !== null,
        usd === null ? null : Math.ceil(Number((usd * 1_000_000).toFixed(6))),
      ])
    }
  })
})
