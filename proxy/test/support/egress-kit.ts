import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NetworkEntry } from '../../src/executions/index.ts'
import { isPublicAddress } from '../../src/kernel/index.ts'
import { createDaemonKit, type DaemonKit } from './daemon-kit.ts'
import { type EgressUpstream, PUBLIC_ADDRESS, startEgressUpstream } from './egress-upstream.ts'
import { createRecordingLog } from './recording-log.ts'

/**
 * The whole daemon with the Docker sandbox, an upstream that plays public hosts, and a resolver that the test steers:
 * code posted by an agent and approved over the owner's socket reaches the upstream through the gateway, or does not.
 */
export interface EgressKit extends AsyncDisposable {
  readonly daemon: DaemonKit
  readonly upstream: EgressUpstream
  /** `host:port` of a name that the upstream plays, as a network list takes it. */
  at(host: string): string
  /** What the resolver answers for a name, asked anew at each look-up. */
  readonly names: Map<string, (lookup: number) => readonly string[]>
  /** Every name that was looked up, in order. */
  readonly lookups: string[]
  /** Stores a secret, optionally bound to hosts. */
  store(name: string, value: string, hosts?: readonly string[]): Promise<void>
  runCode(code: string, options?: RunCodeOptions): Promise<RunAnswer>
  /** Posts, and leaves the decision to the test. */
  ask(code: string, options?: RunCodeOptions): Promise<string>
  approve(requestId: string, decision?: string): Promise<void>
  finished(requestId: string): Promise<RunAnswer>
  /** Rows of the audit about a request, the oldest first. */
  audit(requestId: string): Promise<readonly AuditRow[]>
  /** The text of the Telegram card about a request, once it says how it ended. */
  card(requestId: string): Promise<string>
  /** Everything that left the gateway's side, by where it was found: answers to the agent, calls to Telegram and OpenClaw, log, files. */
  evidence(): ReadonlyMap<string, Buffer>
}

export interface RunCodeOptions {
  readonly secrets?: readonly (string | Record<string, unknown>)[]
  /** A bare host may be sent anything, so that what is refused is refused for what the test is about. */
  readonly network?: readonly (string | NetworkEntry)[]
  readonly dynamicCode?: boolean
  readonly args?: Record<string, unknown>
  readonly timeout?: number
  readonly skillId?: string
  /** Approves only when Telegram has the card; a card that is answered before it was sent is never sent. */
  readonly shown?: boolean
}

export interface RunAnswer {
  readonly request_id: string
  readonly status: string
  readonly stdout: string
  readonly stderr: string
  readonly network: {
    readonly requests: number
    readonly refused: readonly {
      rule: string
      origin: string
      secrets: readonly string[]
      count: number
      request?: string
      ask?: NetworkEntry
    }[]
  }
}

interface AuditRow {
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: rows are checked by the tests that read them
  readonly data: any
}

const NAMES = [
  'api.demo.test',
  'other.demo.test',
  'deep.wild.demo.test',
  'wild.demo.test',
  'rebind.demo.test',
  'moving.demo.test',
]

const openly = (entry: string | NetworkEntry): NetworkEntry =>
  typeof entry === 'string'
    ? { host: entry, methods: ['*'], paths: ['/**'], requests: 10_000, websocket: true, graphql: 'mutation' }
    : entry

export async function createEgressKit(environment: Record<string, string> = {}): Promise<EgressKit> {
  const upstream = await startEgressUpstream(NAMES)
  const names: EgressKit['names'] = new Map(NAMES.map((name) => [name, () => [PUBLIC_ADDRESS]]))
  const lookups: string[] = []
  const { log, logged } = createRecordingLog()
  const agentGot: string[] = []
  const daemon = await createDaemonKit({
    environment: { OAUTH3_POOL_SIZE: '1', ...environment },
    log,
    egress: {
      resolve: async (host) => {
        lookups.push(host)
        const answer = names.get(host)
        if (!answer) throw new Error('no such name')
        return answer(lookups.filter((name) => name === host).length)
      },
      isPublic: (address) => address === PUBLIC_ADDRESS || isPublicAddress(address),
      tls: { ca: upstream.ca },
    },
  })
  let serial = 0

  const kit: EgressKit = {
    daemon,
    upstream,
    names,
    lookups,
    at: (host) => `${host}:${upstream.port}`,
    async store(name, value, hosts) {
      const stored = await daemon.admin('PUT', `/v1/secrets/${name}`, {
        value,
        ...(hosts === undefined ? {} : { hosts }),
      })
      if (stored.status >= 300) throw new Error(`${name} was not stored: ${JSON.stringify(stored.body)}`)
    },
    async ask(code, options = {}) {
      const skillId = options.skillId ?? `attack/${++serial}`
      const asked = await daemon.post({
        skill_id: skillId,
        code,
        secrets: options.secrets ?? [],
        ...(options.args === undefined ? {} : { args: options.args }),
        ...(options.dynamicCode === undefined ? {} : { dynamic_code: options.dynamicCode }),
        metadata: { network: (options.network ?? []).map(openly), timeout: options.timeout ?? 30 },
      })
      agentGot.push(JSON.stringify(asked.body))
      if (asked.status !== 202) throw new Error(`not asked: ${asked.status} ${JSON.stringify(asked.body)}`)
      if (options.shown === true) {
        await daemon.telegram.waitForMessage(
          ({ text, buttons }) => buttons.length > 0 && text.includes(skillId),
          20_000,
        )
      }
      return asked.body.request_id
    },
    async approve(requestId, decision = 'once') {
      const { body } = await daemon.admin('GET', `/v1/requests/${requestId}`)
      const decided = await daemon.admin('POST', `/v1/requests/${requestId}/decision`, {
        decision,
        consent_hash: body.consent_hash,
      })
      if (decided.status !== 200) throw new Error(`not approved: ${JSON.stringify(decided.body)}`)
    },
    async finished(requestId) {
      const { body } = await daemon.get(`/execute/${requestId}?wait=60`)
      agentGot.push(JSON.stringify(body))
      return body
    },
    async runCode(code, options) {
      const requestId = await kit.ask(code, options)
      await kit.approve(requestId)
      return await kit.finished(requestId)
    },
    async audit(requestId) {
      const { body } = await daemon.admin('GET', '/v1/audit?limit=1000')
      return body.rows
        .filter((row: { request_id: string }) => row.request_id === requestId)
        .map((row: { event: string; data: string }) => ({ event: row.event, data: JSON.parse(row.data) }))
        .reverse()
    },
    async card(requestId) {
      const message = await daemon.telegram.waitFor(
        () =>
          daemon.telegram.messages.find(
            ({ text, buttons, fromBot }) =>
              fromBot && buttons.length === 0 && text.includes(requestId) && /Succeeded|Failed/.test(text),
          ),
        `the card of ${requestId} to say how it ended`,
        20_000,
      )
      return message.text
    },
    evidence: () =>
      new Map([
        ['answers to the agent', Buffer.from(agentGot.join('\n'))],
        ['calls to the Bot API', Buffer.from(JSON.stringify(daemon.telegram.calls, withBytes))],
        ['wakes', Buffer.from(JSON.stringify(daemon.openclaw.calls, withBytes))],
        ['log', Buffer.from(logged.join('\n'))],
        ...filesUnder(daemon.folder),
      ]),
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
  return kit
}

/** Attached files are searched as text, not as lists of numbers. */
function withBytes(_key: string, value: unknown): unknown {
  const known = value as { type?: unknown; data?: unknown } | null
  return known?.type === 'Buffer' && Array.isArray(known.data)
    ? Buffer.from(known.data as number[]).toString('latin1')
    : value
}

function filesUnder(folder: string): [string, Buffer][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .flatMap((path): [string, Buffer][] => {
      const bytes = readIfThere(path)
      return bytes === null || bytes.length === 0 ? [] : [[path, bytes]]
    })
}

/** Null for a file that is gone by now: the pool makes and clears endpoints beside every run. */
function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
