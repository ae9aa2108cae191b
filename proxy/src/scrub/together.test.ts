import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SecretValue } from '../kernel/index.ts'
import { createOutputCollector } from './output-collector.ts'
import { createScrubber } from './scrubber.ts'
import { type OutputName, scrubTogether } from './together.ts'

const VALUE = 'demo-value-one-1111'

type Print = readonly [OutputName, string]

async function collect(
  prints: readonly Print[],
  truncated = false,
): Promise<{ stdout: string; stderr: string }> {
  const collector = createOutputCollector(new Map([['KEY', new SecretValue(VALUE)]]))
  for (const [stream, text] of prints) collector.push(stream, Buffer.from(text))
  const { stdout, stderr } = await collector.end({ truncated })
  return { stdout, stderr }
}

describe('both streams of a run', () => {
  it('takes out a secret whose beginning ends one stream and whose rest begins the other', async () => {
    expect(
      await collect([
        ['stdout', 'a demo-val'],
        ['stderr', 'ue-one-1111 b'],
      ]),
    ).toEqual({
      stdout: 'a [secret:KEY]',
      stderr: '[secret:KEY] b',
    })
    expect(
      await collect([
        ['stdout', 'ue-one-1111 b'],
        ['stderr', 'a demo-val'],
      ]),
    ).toEqual({
      stdout: '[secret:KEY] b',
      stderr: 'a [secret:KEY]',
    })
  })

  it('takes out parts printed as lines of their own', async () => {
    expect(
      await collect([
        ['stdout', 'demo-val\n'],
        ['stderr', 'ue-one-1111\n'],
      ]),
    ).toEqual({
      stdout: '[secret:KEY]',
      stderr: '[secret:KEY]\n',
    })
  })

  it('takes out parts in the middle of both streams when they arrived one after the other', async () => {
    expect(
      await collect([
        ['stdout', 'a\ndemo-val'],
        ['stderr', 'b\n'],
        ['stdout', '\nc'],
        ['stderr', 'd'],
      ]),
    ).toEqual({
      stdout: 'a\ndemo-val\nc',
      stderr: 'b\nd',
    })
    expect(
      await collect([
        ['stderr', 'b\n'],
        ['stdout', 'a\ndemo-val'],
        ['stderr', 'ue-one-1111'],
        ['stdout', '\nc'],
        ['stderr', '\nd'],
      ]),
    ).toEqual({ stdout: 'a\n[secret:KEY]\nc', stderr: 'b\n[secret:KEY]\nd' })
  })

  it('takes out a secret printed a character at a time to alternating streams', async () => {
    const prints = [...VALUE].map((char, index): Print => [index % 2 === 0 ? 'stdout' : 'stderr', char])
    expect(await collect(prints)).toEqual({ stdout: '[secret:KEY]', stderr: '[secret:KEY]' })
  })

  it('takes out base64 split over both streams', async () => {
    const encoded = Buffer.from(`user:${VALUE}`).toString('base64')
    const clean = await collect([
      ['stdout', encoded.slice(0, 15)],
      ['stderr', encoded.slice(15)],
    ])
    expect(clean.stdout).toMatch(/^.{7}\[secret:KEY\]$/)
    expect(clean.stderr).toMatch(/^\[secret:KEY\]=*$/)
  })

  it('takes the beginning of a secret out where the output was cut', async () => {
    expect(
      await collect(
        [
          ['stdout', 'x demo-va'],
          ['stderr', 'y demo-value-o'],
        ],
        true,
      ),
    ).toEqual({
      stdout: 'x [secret:KEY]',
      stderr: 'y [secret:KEY]',
    })
    expect((await collect([['stdout', 'x demo-va']], false)).stdout).toBe('x demo-va')
  })

  it('leaves output without a secret exactly as it was, whatever the order says', async () => {
    const scrubber = createScrubber(new Map([['KEY', VALUE]]))
    const piece = fc.record({ stream: fc.constantFrom<OutputName>('stdout', 'stderr'), bytes: fc.nat(50) })
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.uint8Array(), fc.array(piece), async (stdout, stderr, order) => {
        const clean = await scrubTogether(scrubber, { stdout, stderr, order })
        expect(Buffer.from(clean.stdout).equals(stdout)).toBe(true)
        expect(Buffer.from(clean.stderr).equals(stderr)).toBe(true)
      }),
    )
  })

  it('leaves nothing of a secret however it is dealt out to the streams', async () => {
    const dealt = fc.array(
      fc.tuple(fc.constantFrom<OutputName>('stdout', 'stderr'), fc.integer({ min: 1, max: 9 })),
      {
        minLength: 20,
        maxLength: 30,
      },
    )
    await fc.assert(
      fc.asyncProperty(dealt, async (deal) => {
        const prints: Print[] = []
        let at = 0
        for (const [stream, length] of deal) {
          prints.push([stream, VALUE.slice(at, at + length)])
          at += length
        }
        const clean = await collect(prints)
        expect(clean.stdout + clean.stderr).toMatch(/^(\[secret:KEY\]){1,2}$/)
      }),
    )
  })

  it('copies what it is given and reports where secrets were taken out', async () => {
    const collector = createOutputCollector(
      new Map([
        ['KEY', new SecretValue(VALUE)],
        ['PIN', new SecretValue('12')],
      ]),
    )
    const chunk = Buffer.from(VALUE)
    collector.push('stdout', chunk)
    chunk.fill('!')
    expect(await collector.end({ truncated: false })).toEqual({
      stdout: '[secret:KEY]',
      stderr: '',
      hits: new Map([['KEY', 1]]),
    })
    expect(collector.prepare().tooShort).toEqual(['PIN'])
  })
})
