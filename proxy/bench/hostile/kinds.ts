import { randomBytes } from 'node:crypto'
import type { BenchDaemon } from '../support.ts'

/** One hostile agent: what its owner has granted it once, and what it does without end. */
export interface HostileKind {
  readonly name: string
  /** As its owner; the agent exists already. */
  setUp?(daemon: BenchDaemon, agent: { readonly name: string; readonly token: string }): Promise<void>
  /** What is done at once, again and again, so many times side by side. */
  readonly sideBySide: number
  readonly once: (at: { readonly url: string; readonly token: string }) => Promise<unknown>
}

const MIB = 1_048_576
const LONG = 31 * MIB
/** Within the usual limit of 120 a minute. */
const PER_CALL_MS = 500

const post = async (
  at: { readonly url: string; readonly token: string },
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  more: Record<string, string> = {},
): Promise<Response> => {
  const response = await fetch(at.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${at.token}`, 'content-type': 'application/json', ...more },
    body,
    signal: AbortSignal.timeout(60_000),
  })
  await response.arrayBuffer()
  return response
}

const slowly = async (work: Promise<unknown>): Promise<void> => {
  await Promise.allSettled([work, new Promise((resolve) => setTimeout(resolve, PER_CALL_MS))])
}

const CHAT = '/llm/bench/v1/chat/completions'
/** Filled up to its length before the last two bytes; made once. */
const long = (text: string, unit: string): Uint8Array<ArrayBuffer> => {
  const filler = Buffer.alloc(LONG - text.length - 8, unit)
  const whole = filler.subarray(0, filler.length - (filler.length % unit.length))
  return Buffer.concat([Buffer.from(`${text.slice(0, -2)}`), whole, Buffer.from(text.slice(-2))])
}

const LONG_TEXT = long('{"model":"bench-model","messages":[],"x":""}', 'a')
const LONG_LISTS = long('{"model":"bench-model","messages":[],"x":[1]}', ',[],{"a":1}')

const execute = (
  at: { readonly url: string; readonly token: string },
  request: Record<string, unknown>,
): Promise<Response> => post(at, '/execute', JSON.stringify(request))

/** The first run of a code is approved for ever; each later one runs at once. */
const trusted = async (
  daemon: BenchDaemon,
  token: string,
  request: Record<string, unknown>,
): Promise<void> => {
  const answer = await fetch(`${daemon.url}/execute`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
  const { request_id } = (await answer.json()) as { request_id?: string }
  if (request_id === undefined) throw new Error(`could not be asked for: ${answer.status}`)
  await daemon.cli(['approve', request_id, '--forever', '--yes'])
}

const LARGE = Array.from({ length: 8 }, (_, at) => `HOSTILE_LARGE_${at}`)
const RUNS = {
  large: {
    skill_id: 'hostile/large',
    code: 'console.log("done")\n',
    secrets: LARGE.map((name) => ({ name, mode: 'raw' })),
  },
  queue: { skill_id: 'hostile/queue', code: 'await new Promise((resolve) => setTimeout(resolve, 500))\n' },
  failing: { skill_id: 'hostile/failing', code: 'throw new Error("on purpose")\n' },
}

export const HOSTILE_KINDS: readonly HostileKind[] = [
  {
    name: '31 MiB without a grant',
    sideBySide: 4,
    once: (at) => post(at, CHAT, LONG_TEXT, { prefer: 'wait=0' }),
  },
  {
    name: '31 MiB of lists with a grant',
    setUp: async (daemon, { name }) => {
      await daemon.cli(['grant', 'add', name, 'bench', '--for', 'always'])
    },
    sideBySide: 4,
    once: (at) => post(at, CHAT, LONG_LISTS),
  },
  {
    name: '60 KiB of members with a grant',
    setUp: async (daemon, { name }) => {
      await daemon.cli(['grant', 'add', name, 'bench', '--for', 'always'])
    },
    sideBySide: 8,
    once: (at) => post(at, CHAT, `{"model":"bench-model","x":[${'{"n":[[]]},'.repeat(5_500)}1]}`),
  },
  {
    name: '1 MiB of line feeds to a card',
    sideBySide: 1,
    once: (at) =>
      slowly(
        execute(at, {
          skill_id: 'hostile/lines',
          code: `x = 1${'\n'.repeat(MIB - 64)}# ${randomBytes(8).toString('hex')}`,
        }),
      ),
  },
  {
    name: 'large secrets in trusted runs',
    setUp: async (daemon, { token }) => {
      for (const name of LARGE)
        await daemon.cli(['secret', 'add', name], randomBytes(30_000).toString('base64'))
      await trusted(daemon, token, RUNS.large)
    },
    sideBySide: 2,
    once: (at) => slowly(execute(at, RUNS.large)),
  },
  {
    name: 'trusted runs that queue',
    setUp: (daemon, { token }) => trusted(daemon, token, RUNS.queue),
    sideBySide: 60,
    once: (at) => slowly(execute(at, RUNS.queue)),
  },
  {
    name: 'hosts on a silent name server',
    setUp: async (daemon, { name }) => {
      for (let at = 0; at < 4; at += 1) {
        const provider = `silent-${at}`
        await daemon.cli(['provider', 'add', provider, '--url', `https://api-${at}.silent.test/v1`])
        await daemon.cli(['key', 'add', provider], 'bench-key-of-no-vendor')
        await daemon.cli(['grant', 'add', name, provider, '--for', 'always'])
      }
    },
    sideBySide: 12,
    once: (at) =>
      post(at, `/llm/silent-${randomBytes(1).readUInt8() % 4}/v1/chat/completions`, '{"model":"m"}'),
  },
  {
    name: 'failing runs that are told in the chat',
    setUp: (daemon, { token }) => trusted(daemon, token, RUNS.failing),
    sideBySide: 8,
    once: (at) => slowly(execute(at, RUNS.failing)),
  },
]
