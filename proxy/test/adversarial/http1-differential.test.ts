/** What our reader of HTTP/1.1 takes, llhttp and nginx take and read as the same; `npm run fuzz -- --messages n` looks for longer. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasNginx } from '../../bench/nginx.ts'
import { compareReaders } from '../fuzz/http1/differential.ts'
import type { Input, Role } from '../fuzz/http1/inputs.ts'
import { type NginxReader, startNginxReader } from '../fuzz/http1/nginx.ts'
import { disagreement, readByLlhttp, readByUs } from '../fuzz/http1/readings.ts'
import { REQUEST_SEEDS, RESPONSE_SEEDS } from '../fuzz/http1/seeds.ts'

const SEED = 1
const whole = (role: Role, text: string): Input => ({ role, text, cuts: [], isBodyless: false })
const post = (lines: string, body: string): Input =>
  whole('request', `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`)

async function withNginx(work: (nginx: NginxReader) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-fuzz-'))
  const nginx = await startNginxReader(folder, 4)
  try {
    await work(nginx)
  } finally {
    await nginx.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('what our reader takes', () => {
  it('llhttp takes as the same, whole and cut', async () => {
    const report = await compareReaders({ inputs: 40_000, seed: SEED })
    expect(report.disagreements).toEqual([])
    // Enough is taken, and enough is refused that a laxer reader takes, for this to say something.
    expect(report.taken).toBeGreaterThan(10_000)
    expect(report.refusedByUsAlone).toBeGreaterThan(2_000)
  })

  it.runIf(hasNginx())('nginx takes as the same', async () => {
    await withNginx(async (nginx) => {
      const report = await compareReaders({ inputs: 4_000, seed: SEED, nginx })
      expect(report.disagreements).toEqual([])
      expect(report.byNginx).toBeGreaterThan(1_000)
    })
  })

  it.each([
    ...REQUEST_SEEDS.map((text) => ['request', text] as const),
    ...RESPONSE_SEEDS.map((text) => ['response', text] as const),
  ])('llhttp takes as the same, of the families of smuggling: %s %j', (role, text) => {
    for (const input of [whole(role, text), whole(role, text + text)])
      expect(disagreement(readByUs(input, []), readByLlhttp(input))).toBeUndefined()
  })
})

describe('the comparison', () => {
  const CHUNKED = 'Transfer-Encoding: chunked\r\n'

  it('sees each thing that two readers can take differently', () => {
    const both = readByLlhttp(
      whole('request', 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n'),
    )
    const [one, two] = both.messages
    if (one === undefined || two === undefined) throw new Error('llhttp reads two messages')
    expect(disagreement(both, both)).toBeUndefined()
    for (const messages of [
      [one],
      [one, { ...two, start: 'GET /3' }],
      [one, { ...two, headers: ['host', 'a'] }],
      [one, { ...two, headers: [] }],
      [one, { ...two, body: 'x' }],
      [one, { ...two, isComplete: false }],
      [one, { ...two, keepAlive: false }],
      [one, two, two],
    ])
      expect(disagreement(both, { ...both, messages })).toBeDefined()
    expect(disagreement(both, { ...both, isWhole: false })).toBeDefined()
  })

  it.runIf(hasNginx())('sees where llhttp and nginx differ themselves', async () => {
    await withNginx(async (nginx) => {
      for (const input of [
        post('X: y\tz\t\r\n', ''),
        post(`${CHUNKED}`, '3 \r\nabc\r\n0\r\nConnection: close\r\n\r\n'),
        whole('request', 'GET /a/../../b HTTP/1.1\r\nHost: a\r\n\r\n'),
      ]) {
        const llhttps = readByLlhttp(input)
        const nginxs = await nginx.read(input)
        const [first, second] = [llhttps, nginxs].map(({ messages }) =>
          messages
            .filter(({ isComplete }) => isComplete)
            .map(({ start, body, headers }) => [start, body, headers]),
        )
        expect(first).not.toEqual(second)
      }
    })
  })
})
