import { readdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { isPublicAddress } from '../../src/kernel/index.ts'
import { createDaemonKit, type DaemonKit, type DaemonKitOptions } from './daemon-kit.ts'
import { createScriptedSandbox } from './domain-kit.ts'
import { patience } from './pace.ts'
import { createRecordingLog } from './recording-log.ts'
import { startVendors, VENDOR_ADDRESS, type Vendors } from './vendor-doubles.ts'
import type { VendorName } from './vendor-rules.ts'

/**
 * The whole daemon in this process with the vendors played at the wire: names are looked up as the test says, and
 * connections to port 443 land at the double. The agent's token is forbidden at every vendor from the start.
 */
export interface LlmKit extends AsyncDisposable {
  readonly daemon: DaemonKit
  readonly vendors: Vendors
  /** Of the daemon, without a slash at the end. */
  readonly url: string
  readonly token: string
  /** Where an SDK is pointed at: `<url>/llm/<provider><rest>`. */
  base(provider: string, rest?: string): string
  /** What the resolver answers for a name, asked anew at each look-up; all others lead to the doubles. */
  readonly names: Map<string, (lookup: number) => readonly string[]>
  readonly lookups: string[]
  /** Whom each of them was counted against, in the same order. */
  readonly lookupOwners: string[]
  addAgent(name: string, tags?: readonly string[]): Promise<string>
  revokeAgent(name: string): Promise<void>
  /** Stores a key at the daemon, one that the vendor knows unless the value is named. */
  addKey(provider: string, options?: KeyOptions): Promise<{ readonly id: number; readonly value: string }>
  removeKey(id: number): Promise<void>
  /** Grants the use without an ask. */
  grant(provider: string, options?: GrantOptions): Promise<number>
  revokeGrant(id: number): Promise<void>
  /** A key and a grant for the kit's agent. */
  open(provider: VendorName, options?: KeyOptions & GrantOptions): Promise<string>
  /** An admin call that must succeed. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
  admin(method: string, path: string, body?: unknown): Promise<any>
  /** The usage of a model, once they hold this many requests. */
  usageOf(model: string, requests: number): Promise<BookRow>
  /** Moves the daemon's clock. */
  advance(ms: number): void
  /** One request of the agent's with these headers, by fetch. */
  ask(path: string, options?: AskOptions): Promise<LlmAnswer>
  /** Bytes as they are to the daemon's port, and everything that came back until the connection was closed. */
  raw(bytes: string | Buffer): Promise<string>
  /** Everything that left the daemon's side or lies on disk, by where it was found. */
  evidence(): ReadonlyMap<string, Buffer>
  /** Lines that the daemon logged. */
  readonly logged: readonly string[]
}

interface KeyOptions {
  readonly label?: string
  readonly tags?: readonly string[]
  readonly weight?: number
  readonly models?: readonly string[]
  readonly value?: string
}

interface GrantOptions {
  readonly agent?: string
  readonly forMs?: number | null
  readonly groups?: readonly string[]
  readonly modelsAllowed?: readonly string[]
  readonly paths?: readonly string[]
  readonly limits?: Readonly<
    Partial<Record<'requests_per_minute' | 'tokens_per_day' | 'micro_usd_per_day' | 'requests', number>>
  >
}

interface BookRow {
  readonly requests: number
  readonly failed: number
  readonly untold: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cache_read_tokens: number
  readonly cache_write_tokens: number
  readonly micro_usd: number
  readonly unpriced: number
}

interface AskOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** In place of the kit's; null sends none. */
  readonly token?: string | null
  readonly signal?: AbortSignal
}

interface LlmAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
  readonly json: any
}

export async function createLlmKit(
  options: {
    readonly environment?: Record<string, string>
    readonly moreNames?: readonly string[]
    readonly holdTimes?: DaemonKitOptions['holdTimes']
    readonly drainMs?: number
    /** Left out: one that says hello. */
    readonly sandbox?: NonNullable<DaemonKitOptions['sandbox']>
    readonly hosting?: NonNullable<DaemonKitOptions['hosting']>
  } = {},
): Promise<LlmKit> {
  const vendors = await startVendors({ moreNames: options.moreNames ?? [] })
  const names: LlmKit['names'] = new Map()
  const lookups: string[] = []
  const lookupOwners: string[] = []
  const { log, logged } = createRecordingLog()
  const got: string[] = []
  let ahead = 0
  const daemon = await createDaemonKit({
    environment: { LOG_LEVEL: 'trace', ...options.environment },
    clock: { now: () => Date.now() + ahead },
    sandbox: options.sandbox ?? (async () => createScriptedSandbox()),
    log,
    ...(options.holdTimes === undefined ? {} : { holdTimes: options.holdTimes }),
    ...(options.drainMs === undefined ? {} : { drainMs: options.drainMs }),
    ...(options.hosting === undefined ? {} : { hosting: options.hosting }),
    egress: {
      resolve: async (host, _signal, owner) => {
        lookups.push(host)
        lookupOwners.push(owner)
        return names.get(host)?.(lookups.filter((name) => name === host).length) ?? [VENDOR_ADDRESS]
      },
      isPublic: (address) => address === VENDOR_ADDRESS || isPublicAddress(address),
      portOf: ({ port }) => (port === 443 ? vendors.port : port),
      tls: { ca: vendors.ca },
    },
  })
  vendors.forbid(daemon.token)

  const kit: LlmKit = {
    daemon,
    vendors,
    get url() {
      return daemon.daemon.url
    },
    get token() {
      return daemon.token
    },
    base: (provider, rest = '') => `${daemon.daemon.url}/llm/${provider}${rest}`,
    names,
    lookups,
    lookupOwners,
    logged,
    async admin(method, path, body) {
      const answer = await daemon.admin(method, path, body)
      if (answer.status !== 200)
        throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body
    },
    async addAgent(name, tags = []) {
      const { token } = await kit.admin('POST', '/v1/agents', { name, tags })
      vendors.forbid(token)
      return token
    },
    async revokeAgent(name) {
      await kit.admin('DELETE', `/v1/agents/${name}`)
    },
    async addKey(provider, { value = vendors.addKey(provider as VendorName), ...more } = {}) {
      const { id } = await kit.admin('POST', '/v1/provider-keys', { provider, value, ...more })
      return { id, value }
    },
    async removeKey(id) {
      await kit.admin('DELETE', `/v1/provider-keys/${id}`)
    },
    async grant(provider, grant = {}) {
      const { id } = await kit.admin('POST', '/v1/provider-grants', {
        agent: grant.agent ?? 'claw',
        provider,
        for_ms: grant.forMs ?? null,
        ...(grant.groups === undefined ? {} : { groups: grant.groups }),
        ...(grant.modelsAllowed === undefined ? {} : { models: grant.modelsAllowed }),
        ...(grant.paths === undefined ? {} : { paths: grant.paths }),
        ...(grant.limits === undefined ? {} : { limits: grant.limits }),
      })
      return id
    },
    async revokeGrant(id) {
      await kit.admin('DELETE', `/v1/provider-grants/${id}`)
    },
    async open(provider, { agent, forMs, groups, modelsAllowed, paths, limits, ...key } = {}) {
      const { value } = await kit.addKey(provider, key)
      await kit.grant(provider, {
        ...(agent === undefined ? {} : { agent }),
        ...(forMs === undefined ? {} : { forMs }),
        ...(groups === undefined ? {} : { groups }),
        ...(modelsAllowed === undefined ? {} : { modelsAllowed }),
        ...(paths === undefined ? {} : { paths }),
        ...(limits === undefined ? {} : { limits }),
      })
      return value
    },
    async usageOf(model, requests) {
      const deadline = Date.now() + patience(5_000)
      for (;;) {
        const { groups } = await kit.admin('GET', '/v1/usage?by=model')
        const row = (groups as (BookRow & { key: string })[]).find(({ key }) => key.includes(model))
        if (row?.requests === requests) return row
        if ((row?.requests ?? 0) > requests || Date.now() > deadline) {
          throw new Error(`not ${requests} requests of ${model} in the usage: ${JSON.stringify(groups)}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    advance(ms) {
      ahead += ms
    },
    async ask(path, { method, headers = {}, body, token = daemon.token, signal } = {}) {
      const response = await fetch(`${daemon.daemon.url}${path}`, {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        redirect: 'manual',
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      })
      const answer = await response.text()
      got.push(`${response.status} ${JSON.stringify([...response.headers])}\n${answer}`)
      let json: unknown
      try {
        json = JSON.parse(answer)
      } catch {
        json = undefined
      }
      return { status: response.status, headers: response.headers, text: answer, json }
    },
    async raw(bytes) {
      const { hostname, port } = new URL(daemon.daemon.url)
      const socket = connect(Number(port), hostname)
      socket.on('error', () => {})
      socket.write(bytes)
      const parts: Buffer[] = []
      socket.on('data', (part: Buffer) => void parts.push(part))
      // Also when the daemon resets the connection.
      await new Promise((resolve) => socket.once('close', resolve))
      const answer = Buffer.concat(parts).toString('latin1')
      got.push(answer)
      return answer
    },
    evidence: () =>
      new Map([
        ['answers to the agent', Buffer.from(got.join('\n'))],
        ['calls to the Bot API', Buffer.from(JSON.stringify(daemon.telegram.calls))],
        ['wakes', Buffer.from(JSON.stringify(daemon.openclaw.calls))],
        ['log', Buffer.from(logged.join('\n'))],
        ...filesUnder(daemon.folder),
      ]),
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]()
      await vendors[Symbol.asyncDispose]()
    },
  }
  return kit
}

function filesUnder(folder: string): [string, Buffer][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size > 0)
    .map((path) => [path, readFileSync(path)])
}

/** A chat of OpenAI's form; a stream with `stream: true`. */
export const chatBody = (more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  model: 'gpt-demo',
  messages: [{ role: 'user', content: 'Say hello.' }],
  ...more,
})
