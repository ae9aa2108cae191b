import { once } from 'node:events'
import type { fdatasync } from 'node:fs'
import { join } from 'node:path'
import pino, { type Logger } from 'pino'
import { compose, type Overrides } from '../../src/compose/compose.ts'
import { type Config, readConfig } from '../../src/config/index.ts'
import type { SkillFetcher } from '../../src/executions/code/index.ts'
import type { ExecuteRequest } from '../../src/executions/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import type { HealthReport } from '../../src/kernel/index.ts'
import { AppError, type Clock, type UnixMs } from '../../src/kernel/index.ts'
import type { RetentionPolicy } from '../../src/retention/index.ts'
import type { ImportResolver } from '../../src/sandbox/imports/index.ts'
import type { RunOrder, RunOutcome, Sandbox, SandboxStatus } from '../../src/sandbox/index.ts'
import { sharedReader } from './shared-reader.ts'
import { engineSettings, openRaw, placeDatabase } from './test-engine.ts'

export interface DomainKitOptions {
  /** Where `proxy.db` lies; the same folder again is the same daemon after a restart. */
  readonly dir: string
  readonly clock?: Clock
  readonly log?: Logger
  readonly sandbox?: Sandbox | Overrides['sandbox']
  /** Left out: there is no Telegram. */
  readonly telegramConfig?: Config['telegram']
  readonly telegram?: Overrides['telegram']
  /** What `/health` and `/status` tell; left out: what is so. */
  readonly health?: () => Promise<HealthReport>
  /** Where agents without a target of their own are woken; left out: nowhere. */
  readonly wake?: Config['wake']
  readonly wakeChannels?: Overrides['wakeChannels']
  readonly fetcher?: SkillFetcher
  /** Settings as they stand in the environment; the options here go before them. */
  readonly environment?: Record<string, string>
  /** Imports are fetched and locked in the sandbox's engine; left out: by `resolve`. */
  readonly imports?: { readonly timeoutMs?: number | undefined }
  /** Left out: nothing is locked. */
  readonly resolve?: ImportResolver['resolve']
  readonly egress?: Overrides['egress']
  readonly claudeRuns?: Overrides['claudeRuns']
  readonly hosting?: Overrides['hosting']
  readonly pushSender?: Overrides['pushSender']
  readonly approvalTtlMs?: number
  readonly maxWaitingPerAgent?: number
  readonly maxConcurrent?: number
  readonly ratePerMinute?: number
  readonly sandboxPatienceMs?: number
  /** What is kept; left out: everything. */
  readonly retention?: Partial<RetentionPolicy>
  /** What the disk of the database still takes; left out: nobody looks. */
  readonly readFreeBytes?: () => number | undefined
  /** How the disk takes what is committed in groups. */
  readonly toDisk?: typeof fdatasync
  /** What becomes of a failure inside the daemon; left out: it is kept in the kit's `defects`. */
  readonly onDefect?: (error: unknown) => void
}

type Parts = Awaited<ReturnType<typeof compose>>
export type DomainKit = Awaited<ReturnType<typeof createDomainKit>>

/** Every part of the daemon as it joins them, on a real file, with a sandbox of the test's choice. Nothing is started. */
export async function createDomainKit(options: DomainKitOptions) {
  const defects: unknown[] = []
  const onDefect = options.onDefect ?? ((error: unknown): void => void defects.push(error))
  const config = configOf(options, await engineSettings(options.dir))
  placeDatabase(config)
  const sandbox = options.sandbox ?? createScriptedSandbox()
  const parts = await compose(config, {
    log: options.log ?? logTo(onDefect),
    ...(options.clock && { clock: options.clock }),
    ...(options.toDisk && { toDisk: options.toDisk }),
    ...(options.readFreeBytes && { readFreeBytes: options.readFreeBytes }),
    ...(options.telegram && { telegram: options.telegram }),
    ...(options.health && { health: options.health }),
    ...(options.wakeChannels && { wakeChannels: options.wakeChannels }),
    ...(options.egress && { egress: options.egress }),
    ...(options.claudeRuns && { claudeRuns: options.claudeRuns }),
    ...(options.hosting && { hosting: options.hosting }),
    ...(options.pushSender && { pushSender: options.pushSender }),
    programReader: sharedReader(),
    sandbox: typeof sandbox === 'function' ? sandbox : async () => sandbox,
    skillFetcher: options.fetcher ?? NO_FETCHER,
    ...(options.imports === undefined && { importResolver: importsBy(options.resolve) }),
    ...(options.imports?.timeoutMs !== undefined && { importTimeoutMs: options.imports.timeoutMs }),
    sandboxPatienceMs: options.sandboxPatienceMs ?? 60_000,
  })
  const dismissApprover = options.telegramConfig === undefined ? await admitApprover(parts) : async () => {}
  await parts.executions.recover()
  await parts.claudeRuns?.runs.recover()
  /** Beside the daemon's own connections, for what a test looks at or tampers with. */
  const db = openRaw(options.dir)
  return {
    ...parts,
    config,
    db,
    defects,
    async [Symbol.asyncDispose]() {
      db.close()
      await parts.runs.drain(0)
      await parts.claudeRuns?.runs.drain(0)
      await dismissApprover()
      await parts[Symbol.asyncDispose]()
    },
  }
}

/**
 * Who decides in tests without a chat: `approver('7', …)` of `principals.ts` is a member, as whoever a channel vouches for is one. No row of
 * the audit tells of it, nor of its end: the next start finds nobody whom the settings do not name.
 */
async function admitApprover({
  storage,
  memberships,
}: Pick<Parts, 'storage' | 'memberships'>): Promise<() => Promise<void>> {
  const membership = { channel: 'telegram', person: '7' } as const
  await storage.transaction((tx) =>
    tx.members.insert({ ...membership, role: 'approver', since: 0 as UnixMs }),
  )
  await memberships.settle([membership.person], 'daemon')
  // Where the test took the database away there is nothing to take back.
  return () => storage.transaction((tx) => tx.members.remove(membership)).catch(() => {})
}

function configOf(options: DomainKitOptions, engine: Record<string, string>): Config {
  const config = readConfig({ ...engine, ...options.environment, DB_PATH: join(options.dir, 'proxy.db') })
  const kept: RetentionPolicy = { ...KEEP_ALL, ...options.retention }
  return {
    ...config,
    telegram: options.telegramConfig ?? null,
    wake: options.wake ?? null,
    maxRuns: options.maxConcurrent ?? 4,
    approvalTtlMs: options.approvalTtlMs ?? 3_600_000,
    maxWaitingPerAgent: options.maxWaitingPerAgent ?? 20,
    ratePerMinute: options.ratePerMinute ?? 10_000,
    storage: {
      ...config.storage,
      maxBytesPerAgent: kept.maxBytesPerAgent,
      retainOutputsMs: kept.outputsMs,
      retainCodeMs: kept.codeMs,
      retainExecutionsMs: kept.executionsMs,
      retainUsageMs: kept.usageMs,
      maxDatabaseBytes: kept.maxDatabaseBytes,
    },
  }
}

/** What the daemon would log as an error goes to the test. */
const logTo = (onDefect: (error: unknown) => void): Logger =>
  Object.assign(pino({ level: 'silent' }), {
    error: (fields: { err?: unknown }) => onDefect(fields.err),
  })

const KEEP_ALL: RetentionPolicy = {
  outputsMs: 0,
  codeMs: 0,
  executionsMs: 0,
  usageMs: 0,
  maxDatabaseBytes: 0,
  maxBytesPerAgent: 1_073_741_824,
}

const importsBy = (
  resolve: ImportResolver['resolve'] = async () => null,
): ImportResolver & AsyncDisposable => ({ resolve, async [Symbol.asyncDispose]() {} })

const NO_FETCHER: SkillFetcher = {
  fetch: () => Promise.reject(new AppError('skill_unreachable', 'Nothing is fetched in this test.')),
}

/** A request with everything left out that has a default. */
export const requestOf = (request: Partial<ExecuteRequest> = {}): ExecuteRequest => ({
  skillId: 'demo-skill',
  code: 'console.log("hello")\n',
  runtime: 'deno',
  argsJson: null,
  ...request,
})

export const addAgent = async (kit: Pick<DomainKit, 'agents'>, name = 'demo-agent'): Promise<Agent> =>
  (await kit.agents.add({ name }, 'cli:0')).agent

export type ScriptedRun = (
  order: RunOrder,
  print: (stream: 'stdout' | 'stderr', text: string) => void,
  signal: AbortSignal,
) => Partial<RunOutcome> | Promise<Partial<RunOutcome>>

/** A program that goes on until it is ended. */
export const ENDLESS = 'for (;;) {}\n'

/** A run that goes on until it is ended from outside. */
export async function untilEnded(signal: AbortSignal) {
  if (!signal.aborted) await once(signal, 'abort')
  return { end: 'cancelled', exitCode: null } as const
}

/** Each run prints this and is over, but one of `ENDLESS`. */
export const printing =
  (text: string): ScriptedRun =>
  async ({ code }, print, signal) => {
    print('stdout', text)
    return code === ENDLESS ? await untilEnded(signal) : {}
  }

/** A sandbox that runs no code: a function of the test plays each run. It keeps the orders it was given. */
export function createScriptedSandbox(
  run: ScriptedRun = printing('hello\n'),
  status: () => SandboxStatus = ready,
): Sandbox & { readonly orders: readonly RunOrder[]; readonly claims: { readonly kept: number } } {
  const orders: RunOrder[] = []
  const claims = { kept: 0 }
  const play: Sandbox['run'] = async (order, hooks, signal) => {
    orders.push(order)
    hooks.onStarted()
    const outcome = await run(order, (stream, text) => hooks.onOutput(stream, Buffer.from(text)), signal)
    return { end: 'exited', exitCode: 0, durationMs: 12, truncated: false, ...outcome }
  }
  return {
    kind: 'docker',
    orders,
    claims,
    sweep: async () => 0,
    start() {},
    status: async () => status(),
    claim() {
      claims.kept += 1
      return {
        run: play,
        [Symbol.dispose]: () => {
          claims.kept -= 1
        },
      }
    },
    run: play,
    async [Symbol.asyncDispose]() {},
  }
}

export const ready = (): SandboxStatus => ({
  kind: 'docker',
  runtimes: [{ name: 'deno', image: `sha256:${'a'.repeat(64)}` }],
  notes: [],
  warm: 1,
})
