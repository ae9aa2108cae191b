import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import type { DecisionKind } from '../../src/approvals/index.ts'
import { listenTcp } from '../../src/compose/daemon-servers.ts'
import type { Agent, NewAgent } from '../../src/identity/agents/index.ts'
import type { HealthReport, RequestId } from '../../src/kernel/index.ts'
import type { RunOrder, RunOutcome, SandboxStatus } from '../../src/sandbox/index.ts'
import {
  createDomainKit,
  createScriptedSandbox,
  type DomainKit,
  type DomainKitOptions,
} from './domain-kit.ts'
import { patience } from './pace.ts'
import { owner } from './principals.ts'

/** The agents' endpoint over the real domain, a real database file and real sockets; only the sandbox is played. */
export interface ApiKit extends AsyncDisposable {
  readonly url: string
  readonly token: string
  readonly agent: Agent
  readonly clock: { now(): number; advance(ms: number): void }
  readonly db: DomainKit['db']
  readonly storage: DomainKit['storage']
  readonly approvals: DomainKit['approvals']
  readonly executions: DomainKit['executions']
  readonly registries: DomainKit['registries']
  readonly agents: DomainKit['agents']
  readonly vault: DomainKit['vault']
  readonly trust: DomainKit['trust']
  readonly audit: DomainKit['audit']
  /** Everything that was handed to the sandbox. */
  readonly orders: readonly RunOrder[]
  /** What the sandbox does with an order; prints `ran` by default. */
  play: (
    order: RunOrder,
    print: (stream: 'stdout' | 'stderr', text: string) => void,
    signal: AbortSignal,
  ) => Promise<Partial<RunOutcome>>
  sandboxStatus: SandboxStatus
  readonly setAccepting: DomainKit['setAccepting']
  readonly logged: string[]
  addAgent(input: NewAgent): Promise<{ agent: Agent; token: string }>
  /** A call as the kit's agent; `token: null` sends none. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  execute(body: unknown, headers?: Record<string, string>): Promise<Answer>
  decide(requestId: string, decision?: DecisionKind): Promise<void>
  rows(table: string): number
  /** Audit rows of one event, parsed. */
  events(event: string): { actor: string; data: Record<string, unknown> }[]
}

interface CallOptions {
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Record<string, string>
  readonly token?: string | null
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers whose shape they assert themselves.
  readonly json: any
}

const APPROVER = owner('1000', 'tester')
const READY: SandboxStatus = {
  kind: 'docker',
  runtimes: [{ name: 'deno', image: `sha256:${'d'.repeat(64)}` }],
  notes: [],
  warm: 1,
}

export async function startApi(
  options: Pick<DomainKitOptions, 'fetcher' | 'environment' | 'maxWaitingPerAgent' | 'toDisk'> & {
    readonly ratePerMinute?: number
    readonly health?: Partial<HealthReport>
    readonly now?: number
  } = {},
): Promise<ApiKit> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-api-'))
  let now = options.now ?? Date.now()
  const clock = {
    now: () => now,
    advance(ms: number) {
      now += ms
    },
  }
  const logged: string[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) })
  const health: HealthReport = {
    status: 'ok',
    telegram: 'disabled',
    database: 'ok',
    database_engine: 'sqlite',
    disk: 'ok',
    sandbox: 'docker',
    version: '0.0.0',
    uptime_s: 1,
    notes: [],
    ...options.health,
  }
  const sandbox = createScriptedSandbox(
    async (order, print, signal) => ({ durationMs: 5, ...(await kit.play(order, print, signal)) }),
    () => kit.sandboxStatus,
  )
  const domain = await createDomainKit({
    dir: folder,
    clock,
    sandbox,
    log,
    health: async () => health,
    ratePerMinute: options.ratePerMinute ?? 10_000,
    ...(options.fetcher && { fetcher: options.fetcher }),
    ...(options.environment && { environment: options.environment }),
    ...(options.toDisk && { toDisk: options.toDisk }),
    ...(options.maxWaitingPerAgent !== undefined && { maxWaitingPerAgent: options.maxWaitingPerAgent }),
    sandboxPatienceMs: 1_000,
  })
  const { approvals, db, storage, agents, vault, trust, audit, executions, registries } = domain
  const server = createServer(domain.app)
  const url = await listenTcp(server, '127.0.0.1', 0)
  const { agent, token } = await agents.add({ name: 'agent-one' }, 'cli:1000')

  const kit: ApiKit = {
    url,
    token,
    agent,
    clock,
    db,
    storage,
    approvals,
    executions,
    registries,
    agents,
    vault,
    trust,
    audit,
    orders: sandbox.orders,
    play: async (_order, print) => {
      print('stdout', 'ran\n')
      return {}
    },
    sandboxStatus: READY,
    setAccepting: domain.setAccepting,
    logged,
    addAgent: (input) => agents.add(input, 'cli:1000'),
    async call(method, path, call = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(call.token === null ? {} : { authorization: `Bearer ${call.token ?? token}` }),
          ...call.headers,
        },
        ...(call.body === undefined ? {} : { body: call.body }),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
        redirect: 'manual',
      })
      const text = await response.text()
      let json: unknown
      try {
        json = JSON.parse(text)
      } catch {
        json = undefined
      }
      return { status: response.status, headers: response.headers, text, json }
    },
    execute: (body, headers = {}) =>
      kit.call('POST', '/execute', {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    async decide(requestId, decision = 'once') {
      const execution = await executions.resolve(requestId)
      const outcome = await executions.decide(
        requestId as RequestId,
        execution.consentHash,
        decision,
        APPROVER,
      )
      if (!outcome.accepted) throw new Error(`not accepted: ${outcome.reason}`)
    },
    rows: (table) => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()),
    events: (event) =>
      db
        .prepare<[string], { actor: string; data: string }>(
          'SELECT actor, data FROM audit_log WHERE event = ? ORDER BY id',
        )
        .all(event)
        .map((row) => ({ actor: row.actor, data: JSON.parse(row.data) })),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await domain[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return kit
}

/** Waits until `condition` holds; fails after two seconds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = patience(2_000),
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition did not come true in time')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
