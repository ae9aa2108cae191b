import { describe, expect, it } from 'vitest'
import { createTokenMask, maskToken } from './mask-token.ts'

const TOKEN = `oa3_${'aB-_9'.repeat(8)}xyz`
const u = (char: string): string => `u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

const FORMS: Record<string, string> = {
  plainly: TOKEN,
  'with its first character escaped': `\\u006f${TOKEN.slice(1)}`,
  'with its last character escaped': `${TOKEN.slice(0, -1)}\\u007A`,
  'with every character escaped': [...TOKEN].map((char) => `\\${u(char)}`).join(''),
  'with every other character escaped': [...TOKEN]
    .map((char, at) => (at % 2 ? char : `\\${u(char)}`))
    .join(''),
  'with escapes of JSON inside JSON': [...TOKEN].map((char) => `\\\\${u(char)}`).join(''),
  'in percent form': [...TOKEN].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(''),
}

describe('a token in a body', () => {
  it.each(Object.entries(FORMS))('is masked when it is written %s', (_name, written) => {
    const text = `{"a":"caf\\u00e9 ${written} \\"oa3_"}`
    const masked = text.replace(written, '*'.repeat(written.length))
    const body = Buffer.from(text)
    maskToken(body, TOKEN)
    expect(body.toString()).toBe(masked)
    for (let cut = 0; cut <= text.length; cut++) {
      const mask = createTokenMask(TOKEN)
      const parts = [text.slice(0, cut), text.slice(cut)].map((part) =>
        Buffer.from(mask.push(Buffer.from(part))),
      )
      expect(Buffer.concat([...parts, mask.end()]).toString()).toBe(masked)
    }
  })

  it('of another agent, or in part, stays', () => {
    const text = `{"a":"\\u006fa3_${'b'.repeat(43)} ${TOKEN.slice(0, -1)}"}`
    const body = Buffer.from(text)
    maskToken(body, TOKEN)
    expect(body.toString()).toBe(text)
  })

  it.each(['%', '%2', '\\u00', '\\u002'])(
    'is looked for among %j alone without a string for each',
    (unit) => {
      /** The best of some: a machine that is busy slows the others. The first one warms up as well. */
      const best = (work: (body: Buffer) => void): number =>
        Math.min(
          ...Array.from({ length: 5 }, () => {
            const body = Buffer.alloc(2_097_152, unit)
            const began = performance.now()
            work(body)
            return performance.now() - began
          }),
        )
      const looking = best((body) => maskToken(body, TOKEN))
      const making = best((body) => {
        for (let at = 0; at < body.length; at += unit.length) body.toString('latin1', at, at + 2)
      })
      expect(looking).toBeLessThan(making)
    },
  )

  it('holds nothing back that cannot begin one', () => {
    expect(createTokenMask(TOKEN).push(Buffer.from('{"a":"b"}'))).toHaveLength(9)
    expect(createTokenMask(TOKEN).push(Buffer.from('text oa3_'))).toHaveLength(5)
  })
})
