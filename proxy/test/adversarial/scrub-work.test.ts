/** Family 27: a program prints its secret as densely as it can, to hold up the process that takes it out. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { onBehalfOf, SecretValue } from '../../src/kernel/index.ts'
import { createOutputCollector } from '../../src/scrub/index.ts'
import { createScrubber } from '../../src/scrub/scrubber.ts'

const OUTPUT_BYTES = 256 * 1024
const WITHHELD = '[output withheld: too many secrets in it]'

function filled(unit: string, bytes = OUTPUT_BYTES): Buffer {
  return Buffer.from(unit.repeat(Math.ceil(bytes / unit.length)).slice(0, bytes))
}

function scrubbed(secret: string, output: Buffer): { text: string; steps: number; work: number } {
  const scrubber = createScrubber(new Map([['KEY', secret]]))
  const stream = scrubber.stream()
  const text = Buffer.concat([stream.push(output), stream.end()]).toString()
  return { text, steps: stream.steps, work: scrubber.automaton.work() }
}

function demoKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

describe('output full of one secret', () => {
  it.each([
    ['16 zeros', '0'.repeat(16), '0'],
    ['64 zeros', '0'.repeat(64), '0'],
    ['a period of two', 'ab'.repeat(128), 'ab'],
    ['a period of five', 'demo-'.repeat(40), 'demo-'],
    ['zeros in percent form', '0'.repeat(64), '%30'],
    ['zeros in mixed forms', '0'.repeat(64), '0%300\\u0030'],
  ])('is read in steps proportional to its length: %s', (_name, secret, unit) => {
    const whole = scrubbed(secret, filled(unit))
    expect(whole.text).toMatch(/^\[secret:KEY\].{0,256}$/)
    expect(whole.steps / OUTPUT_BYTES).toBeLessThan(16)
    const larger = scrubbed(secret, filled(unit, 4 * OUTPUT_BYTES))
    expect(larger.steps / whole.steps).toBeLessThan(4.2)
  })

  it('is read in proportional steps when it is the base64 of a long key file, over and over', () => {
    const pem = demoKey()
    for (const unit of [Buffer.from(pem).toString('base64'), pem]) {
      const { text, steps, work } = scrubbed(pem, filled(unit))
      expect(text).toMatch(/^\[secret:KEY\]/)
      expect(text).not.toContain(WITHHELD)
      expect((steps + work) / OUTPUT_BYTES).toBeLessThan(48)
    }
  })

  it('is withheld from where reading it would cost too much, and nothing of it comes later', () => {
    const secret = 'ab'.repeat(2048)
    const stream = createScrubber(new Map([['KEY', secret]])).stream()
    const parts = ['plain text\n', ...Array.from({ length: 64 }, () => 'ab'.repeat(2048)), 'plain again']
    const out = parts.map((part) => Buffer.from(stream.push(Buffer.from(part))))
    const clean = Buffer.concat([...out, stream.end({ truncated: true })]).toString()
    expect(clean).toBe(`plain text\n${WITHHELD}`)
  })

  it('is withheld as long as it was where lengths are kept, with what was found before it and may still have grown', () => {
    const secrets = new Map([
      ['ZEROS', '0'.repeat(64)],
      // Under way from the last zeros on, when what follows becomes too much work.
      ['BOTH', `${'0'.repeat(10)}${'ab'.repeat(2048)}`],
      ['KEY', 'ab'.repeat(2048)],
    ])
    const input = Buffer.from(`${'0'.repeat(1_000)}${'ab'.repeat(64 * 2048)}plain again`)
    for (const piece of [1_000, 4_096, input.length]) {
      const stream = createScrubber(secrets).stream({ keepLength: true })
      const out: Buffer[] = []
      for (let at = 0; at < input.length; at += piece) {
        out.push(Buffer.from(stream.push(Buffer.from(input.subarray(at, at + piece)))))
      }
      const clean = Buffer.concat([...out, stream.end({ truncated: true })])
      expect([piece, clean.length]).toEqual([piece, input.length])
      expect(clean.toString()).toMatch(/^(?:\[secret:[A-Z]+\]|\*)+(?:plain again)?$/)
    }
  })

  it('is withheld on both streams of a run', async () => {
    const secret = 'ab'.repeat(2048)
    const collector = createOutputCollector(new Map([['KEY', new SecretValue(secret)]]))
    // Withheld from the same place on, however much comes; of more the allowance is larger before it is used up.
    collector.push('stdout', filled('ab', 65_536))
    collector.push('stderr', Buffer.from(secret.slice(0, 3000)))
    const { stdout, stderr } = await collector.end({ truncated: true })
    expect([stdout, stderr]).toEqual([WITHHELD, WITHHELD])
  })
})

/** How often the event loop turned while something was done. */
async function turnsDuring<T>(work: () => Promise<T> | T): Promise<{ turns: number; result: T }> {
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  const result = await work()
  isOver = true
  return { turns, result }
}

describe('output that is dear to read', () => {
  it('is read in many turns of the event loop, so that others are served meanwhile', async () => {
    const collector = createOutputCollector(new Map([['KEY', new SecretValue('0'.repeat(64))]]))
    collector.push('stdout', filled('0%300\\u0030', 131_072))
    collector.push('stderr', Buffer.from('plain'))
    const { turns, result } = await turnsDuring(() => collector.end({ truncated: false }))
    expect(result.stdout).toMatch(/^\[secret:KEY\].{0,8}$/)
    expect(result.stderr).toBe('plain')
    expect(turns).toBeGreaterThan(5)
  })

  it('waits for nobody else: agents take turns, however many texts one of them has', async () => {
    const ended: string[] = []
    const reading = (owner: string, bytes: number): Promise<void> =>
      onBehalfOf(owner, async () => {
        const collector = createOutputCollector(new Map([['KEY', new SecretValue('0'.repeat(64))]]))
        collector.push('stdout', filled('0%300\\u0030', bytes))
        await collector.end({ truncated: false })
        ended.push(owner)
      })
    const hostile = Array.from({ length: 4 }, () => reading('hostile', 65_536))
    await Promise.all([...hostile, reading('other', 16_384)])
    expect(ended[0]).toBe('other')
  })
})

describe('a long value', () => {
  it('is prepared for in many turns of the event loop, and found in all its parts', async () => {
    const lines = Array.from({ length: 200 }, (_, index) =>
      createHash('sha512').update(`demo line ${index}`).digest('base64'),
    )
    const value = new SecretValue(lines.join('\n'))
    const collector = createOutputCollector(new Map([['KEY', value]]))
    const { turns } = await turnsDuring(() => collector.preparedFirst())
    expect(turns).toBeGreaterThan(3)
    collector.push(
      'stdout',
      Buffer.from(`a ${lines[7]} b ${Buffer.from(lines[199] ?? '').toString('hex')} c`),
    )
    const { stdout } = await collector.end({ truncated: false })
    expect(stdout).toBe('a [secret:KEY] b [secret:KEY] c')
  })
})

describe('overlapping matches', () => {
  it('take out exactly the bytes that some match covers, however dense and however split', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 6, maxLength: 14 })
    const unit = fc.oneof(word, fc.constantFrom('a', 'ab', 'aab', 'x'))
    const piece = fc.tuple(unit, fc.integer({ min: 1, max: 120 }))
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 3 }),
        fc.array(piece, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 900 }),
        (values, pieces, chunkBytes) => {
          const text = pieces.map(([part, times]) => part.repeat(times)).join('')
          const covered = new Uint8Array(text.length)
          for (const value of values) {
            for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1)) {
              covered.fill(1, at, at + value.length)
            }
          }
          const kept = [...text].filter((_char, index) => covered[index] === 0).join('')
          const stream = createScrubber(new Map(values.map((value, index) => [`S${index}`, value]))).stream()
          const out: Buffer[] = []
          for (let at = 0; at < text.length; at += chunkBytes) {
            out.push(Buffer.from(stream.push(Buffer.from(text.slice(at, at + chunkBytes)))))
          }
          const clean = Buffer.concat([...out, stream.end()]).toString()
          expect(clean.replaceAll(/\[secret:S\d\]/g, '')).toBe(kept)
        },
      ),
      { numRuns: 400 },
    )
  })
})
