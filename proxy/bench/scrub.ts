/**
 * How fast output passes the scrubber with 20 secrets, beside a copy of the same bytes and beside one search
 * for a word that is not there. All three in the same run, so the ratios mean something on any machine.
 */
import { randomBytes } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { createScrubber, type Scrubber } from '../src/domain/scrub/index.ts'

const INPUT_BYTES = 32 * 1024 * 1024
const CHUNK_BYTES = 64 * 1024
const ROUNDS = 5
const SECRETS = 20

export interface ScrubRow {
  readonly input: string
  readonly scrubMBps: number
  readonly copyMBps: number
  readonly searchMBps: number
  readonly ofCopy: number
  readonly ofSearch: number
}

export async function benchScrub(): Promise<{ name: string; rows: ScrubRow[] }> {
  const secrets = new Map<string, string>()
  for (let index = 0; index < SECRETS; index++) {
    secrets.set(`SECRET_${index}`, `demo-${index}-${randomBytes(24).toString('base64url')}`)
  }
  const scrubber = createScrubber(secrets)
  const first = [...secrets.values()][0] ?? ''
  const inputs: [string, Buffer][] = [
    ['text without a secret', repeated(lineOfText)],
    ['JSON without a secret', repeated(lineOfJson)],
    ['random base64, no line breaks', Buffer.from(randomBytes((INPUT_BYTES / 4) * 3).toString('base64'))],
    ['near misses: a secret less its last character', repeated(() => first.slice(0, -1))],
    ['near misses: growing beginnings of all secrets', repeated((n) => beginning([...secrets.values()], n))],
    ['a secret in every 4 KiB', repeated((n) => (n % 40 === 0 ? first : lineOfText(n)))],
    ['nothing but secrets', repeated(() => first)],
  ]
  const rows: ScrubRow[] = []
  for (const [input, bytes] of inputs) {
    const scrubMBps = fastest(bytes, () => scrubAll(scrubber, bytes))
    const copyMBps = fastest(bytes, () => copyAll(bytes))
    const searchMBps = fastest(bytes, () => bytes.indexOf('a word that is not there'))
    rows.push({
      input,
      scrubMBps: Math.round(scrubMBps),
      copyMBps: Math.round(copyMBps),
      searchMBps: Math.round(searchMBps),
      ofCopy: round(scrubMBps / copyMBps),
      ofSearch: round(scrubMBps / searchMBps),
    })
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { name: `scrub, ${SECRETS} secrets, one core`, rows }
}

function scrubAll(scrubber: Scrubber, bytes: Buffer): number {
  const stream = scrubber.stream()
  let total = 0
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    total += stream.push(bytes.subarray(at, at + CHUNK_BYTES)).length
  }
  return total + stream.end().length
}

function copyAll(bytes: Buffer): number {
  const target = Buffer.allocUnsafe(CHUNK_BYTES)
  let total = 0
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) total += bytes.copy(target, 0, at, at + CHUNK_BYTES)
  return total
}

/** Megabytes per second of processor time, in the best of some rounds: other work on the machine counts little. */
function fastest(bytes: Buffer, pass: () => unknown): number {
  let bestMs = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    pass()
    const { user, system } = process.cpuUsage(before)
    bestMs = Math.min(bestMs, Math.max(1, user + system) / 1e3)
  }
  return bytes.length / 1e6 / (bestMs / 1e3)
}

function repeated(line: (index: number) => string): Buffer {
  const bytes = Buffer.allocUnsafe(INPUT_BYTES)
  let at = 0
  for (let index = 0; at < INPUT_BYTES; index++) at += bytes.write(line(index), at, 'latin1') || INPUT_BYTES
  return bytes
}

const WORDS =
  'the run answered with status and wrote nineteen rows to a table near demo value of its own'.split(' ')

function lineOfText(index: number): string {
  const words = Array.from({ length: 16 }, (_, at) => WORDS[(index * 7 + at * at) % WORDS.length])
  return `${words.join(' ')} ${index}.\n`
}

function lineOfJson(index: number): string {
  return `${JSON.stringify({ id: index, name: lineOfText(index), url: `https://api.example.com/v1/items/${index}?a=b%20c`, ok: true })}\n`
}

function beginning(values: readonly string[], index: number): string {
  return (values[index % values.length] ?? '').slice(0, 1 + (index % 30))
}

function round(ratio: number): number {
  return Number(ratio.toPrecision(2))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { name, rows } = await benchScrub()
  process.stdout.write(`${name}\n`)
  for (const row of rows) {
    process.stdout.write(
      `${row.input.padEnd(48)} ${String(row.scrubMBps).padStart(6)} MB/s   copy × ${row.ofCopy}   search × ${row.ofSearch}\n`,
    )
  }
}
