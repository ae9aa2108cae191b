import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonSkim } from './json-skim.ts'
import { readModel, readUsage } from './read-usage.ts'

function skimmed(text: string, cut = text.length): unknown[] {
  const values: unknown[] = []
  const skim = new JsonSkim((value) => values.push(value))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += cut) skim.push(bytes.subarray(at, at + cut))
  skim.end()
  return values
}
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }

describe('an answer that is read as it passes', () => {
  it.each([1, 2, 3, 7, 64, 1_000_000])('tells the same in pieces of %i bytes', (cut) => {
    const answer = {
      id: 'x"y\\',
      note: '\\\\\\"usage\\":{"prompt_tokens":999}',
      choices: [
        {
          index: 0,
          message: { content: `"usage":{"prompt_tokens":7}${'\\'.repeat(5)}` },
          finish_reason: 'stop',
        },
      ],
      data: [{ b64_json: 'A'.repeat(5_000) }, { vector: [1, 2, [3]] }],
      model: 'gpt-démo',
      usage: { ...USAGE, prompt_tokens_details: { cached_tokens: 4 } },
      after: { usage: { prompt_tokens: 1_000 } },
    }
    for (const text of [JSON.stringify(answer), JSON.stringify(answer, null, 2)]) {
      const [value] = skimmed(text, cut)
      expect(readUsage(value)).toEqual(readUsage(answer))
      expect(readModel(value)).toBe('gpt-démo')
    }
  })

  it('keeps nothing of ten million characters', () => {
    const [value] = skimmed(
      JSON.stringify({
        candidates: [{ content: { parts: [{ inlineData: { data: 'A'.repeat(10_000_000) } }] } }],
        usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4 },
      }),
      65_536,
    )
    expect(JSON.stringify(value).length).toBeLessThan(200)
    expect(readUsage(value)).toMatchObject({ input: 3, output: 4 })
  })

  it('tells the elements of a list one by one', () => {
    expect(skimmed(JSON.stringify([{ model: 'a' }, { model: 'b' }]))).toEqual([
      { model: 'a' },
      { model: 'b' },
    ])
  })

  it('is not led astray by names that every object has, by depth or by what is no JSON', () => {
    expect(skimmed('{"__proto__":{"usage":1},"usage":{"__proto__":{"prompt_tokens":1}}}')[0]).toEqual(
      JSON.parse('{"usage":{"__proto__":{"prompt_tokens":1}}}'),
    )
    for (const text of [
      '}}}]',
      '"',
      '{"usage":',
      `${'['.repeat(100_000)}`,
      `{"usage":${'{"a":'.repeat(100_000)}`,
      '{"usage":nonsense}',
    ])
      expect(() => skimmed(text)).not.toThrow()
  })

  it('tells the usage of any object as reading it whole does, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.record({ before: fc.json(), text: fc.string({ unit: 'grapheme' }), after: fc.json() }),
        fc.integer({ min: 1, max: 40 }),
        ({ before, text, after }, cut) => {
          const whole = `{"x":${before},"content":${JSON.stringify(text)},"usage":${JSON.stringify(USAGE)},"y":${after}}`
          expect(readUsage(skimmed(whole, cut)[0])).toEqual(readUsage(JSON.parse(whole)))
        },
      ),
      { numRuns: 300 },
    )
  })
})
