import { describe, expect, it } from 'vitest'
import { scanBody } from './body-scan.ts'
import { deepScan } from './deep-scan.ts'
import { readBody } from './read-body.ts'
import { spendingFacts } from './spending-facts.ts'
import { usageWish } from './stream-options.ts'

const token = `oa3_${'t'.repeat(43)}`
const all = { token, withSpending: true, withDeep: true, withQuotes: true }

describe('one walk through a body for all that is read of it', () => {
  it.each([
    { model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: 9 },
    {
      ...{ model: 'm', stream: true, stream_options: { a: [{ include_usage: true }] }, n: 2 },
      messages: [{ content: [{ type: 'image_url', image_url: { url: 'https://x/y.png' } }] }],
      tools: [{ type: 'function', function: { name: 'f', parameters: { model: 'no', id: { type: 'x' } } } }],
      fallbacks: ['dear', { deployment: 'dearer' }],
    },
    { contents: [], generationConfig: { maxOutputTokens: 7, responseModalities: ['AUDIO'], x: {} } },
    { input: [{ type: 'item_reference', id: 'x' }, [[{ file_id: 'f' }]]], service_tier: 'priority' },
    {
      options: { num_predict: 5 },
      prompt: ['a', 'b', [1, 2]],
      documents: [{ url: 'x' }],
      models: ['a', 'b'],
    },
  ])('tells each the same as a walk of its own: %#', async (value) => {
    const body = Buffer.from(JSON.stringify(value))
    const scan = scanBody(body)
    expect(await readBody(Buffer.from(body), all)).toEqual({
      ...{ scan, usageWish: usageWish(scan) },
      ...{ spending: spendingFacts(body), deep: deepScan(body), quotesFile: false },
    })
  })

  it('makes nothing of what it read before the body was found to be no JSON', async () => {
    for (const text of [
      '{"model":"a","tools":[{"type":"web_search"}]',
      '{"model":"a","model":"b"}',
      '{"n":"1"}',
    ]) {
      expect(await readBody(Buffer.from(text), all)).toMatchObject({
        ...{ scan: { problem: expect.any(String) }, usageWish: null, spending: null, deep: null },
      })
    }
  })

  it('tells of options and wrappers with more members than are read that they are no JSON that can be read', () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => `"a${at}":1`).join(',')
    for (const name of ['stream_options', 'generationConfig', 'options']) {
      expect(scanBody(Buffer.from(`{"${name}":{${many(1_024)}}}`))).not.toHaveProperty('problem')
      expect(scanBody(Buffer.from(`{"${name}":{${many(1_025)}}}`))).toEqual({ problem: 'not_json' })
    }
  })

  it('tells what is refused rather than what is no JSON, where a body has both', () => {
    expect(scanBody(Buffer.from('{"options":{"\\x":1},"n":1,"N":2}'))).toMatchObject({
      problem: 'doubled_key',
    })
  })
})
