import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunHooks, RunOrder, RunOutcome, RunRunner } from '../../src/claude-runs/index.ts'
import type { ModelAccess, ModelUsage, RunBudget } from '../../src/claude-runs/runs/index.ts'
import { listenForApps } from '../../src/compose/daemon-claude-runs.ts'
import { createDomainKit, type DomainKitOptions } from './domain-kit.ts'

/** One run as the test plays it; what it leaves out of the outcome is that of a run that answered `hello`. */
export type PlayedRun = (
  order: RunOrder,
  hooks: RunHooks,
  signal: AbortSignal,
) => Partial<RunOutcome> | Promise<Partial<RunOutcome>>

export interface PlayedRunner extends RunRunner {
  /** In the order in which their prompts were handed over. */
  readonly orders: readonly RunOrder[]
  /** What plays the next ones. */
  play: PlayedRun
}

export const SPENT: ModelUsage = {
  ...{ inputTokens: 10, outputTokens: 5, cacheReadTokens: 2, cacheWriteTokens: 1 },
  ...{ requests: 1, microUsd: 1_500 },
}

/** At the port of the runner: no container, no CLI, no model. An aborted run is over at once, as `cancelled`. */
export function createPlayedRunner(play: PlayedRun = () => ({})): PlayedRunner {
  const orders: RunOrder[] = []
  let running = 0
  const runner: PlayedRunner = {
    orders,
    play,
    sweep: async () => 0,
    start() {},
    status: async () => ({ version: '2.1.332', available: true, notes: [], warm: 1, running }),
    async run(order, hooks, signal) {
      if (signal.aborted) return { ...HELLO, ...CANCELLED }
      orders.push(order)
      running += 1
      const gone = new Promise<Partial<RunOutcome>>((resolve) => {
        signal.addEventListener('abort', () => resolve(CANCELLED), { once: true })
      })
      try {
        hooks.onStarted()
        return { ...HELLO, ...(await Promise.race([runner.play(order, hooks, signal), gone])) }
      } finally {
        running -= 1
      }
    },
    async [Symbol.asyncDispose]() {},
  }
  return runner
}

const CANCELLED = { code: 'cancelled', result: null, text: '', message: 'It was ended.' } as const

const HELLO: RunOutcome = {
  ...{ code: 'ok', text: 'hello', result: 'hello', stopReason: 'end_turn', turns: 1 },
  usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
  ...{
    sessionTranscript: null,
    sessionId: null,
    durationMs: 5.25,
    firstByteMs: 2.4,
    denials: [],
    message: '',
  },
}

/** Counts each run as `SPENT`, and notes what it was bound for. */
export function createPlayedModels(): ModelAccess & {
  readonly bound: { readonly runId: string; readonly budget: RunBudget }[]
} {
  const bound: { runId: string; budget: RunBudget }[] = []
  return {
    bound,
    bind({ runId, budget }) {
      bound.push({ runId, budget })
      return {
        maxOutputTokens: null,
        connection: (socket) => void socket.destroy(),
        refusal: () => null,
        usage: () => SPENT,
        end: async () => SPENT,
      }
    },
  }
}

export interface ClaudeRunsKitOptions extends Omit<DomainKitOptions, 'dir'> {
  /** The same folder again is the same daemon after a restart; left out: a new one, removed at the end. */
  readonly dir?: string
  readonly runner?: PlayedRunner
  readonly models?: ModelAccess
  readonly reconnectMs?: number
  /** Runs are not played: containers of the real CLI, whose model is reached by the LLM proxy. */
  readonly isReal?: true
}

export const BOOTSTRAP = 'test-bootstrap-token'

/** All parts with the port of apps on a real socket, and runs as the test plays them. */
export async function startClaudeRuns(options: ClaudeRunsKitOptions = {}) {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'oauth3-claude-runs-'))
  const runner = options.runner ?? createPlayedRunner()
  const models = options.models ?? createPlayedModels()
  const { reconnectMs = 0, isReal } = options
  const kit = await createDomainKit({
    ...options,
    dir,
    environment: { CLAWDFORGE_PORT: '0', ADMIN_BOOTSTRAP_TOKEN: BOOTSTRAP, ...options.environment },
    claudeRuns: isReal ? { reconnectMs } : { runner, models, reconnectMs },
  })
  const { claudeRuns, installation } = kit
  if (claudeRuns === null || installation.claudeRuns === null) throw new Error('runs are off')
  const server = await listenForApps(installation.claudeRuns, kit)
  const call = (path: string, token: string | null, init: RequestInit = {}): Promise<Response> =>
    fetch(server.url + path, {
      ...init,
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...init.headers },
    })
  return {
    ...kit,
    ...claudeRuns,
    ...{ dir, runner, url: server.url, call },
    addApp: async (name = 'demo', terms: Parameters<typeof kit.apps.add>[1] = {}) =>
      await kit.apps.add(name, terms, 'cli:0'),
    postRun: (token: string, body: object, headers: Record<string, string> = {}, signal?: AbortSignal) =>
      call('/run', token, {
        ...{ method: 'POST', body: JSON.stringify(body) },
        headers: { 'content-type': 'application/json', ...headers },
        ...(signal && { signal }),
      }),
    upload: (
      token: string,
      text: string | Uint8Array<ArrayBuffer>,
      fields: Record<string, string> = {},
      name = 'notes.txt',
    ) => {
      const form = new FormData()
      form.set('file', new Blob([text]), name)
      for (const [field, value] of Object.entries(fields)) form.set(field, value)
      return call('/files', token, { method: 'POST', body: form })
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await kit[Symbol.asyncDispose]()
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}

export type ClaudeRunsKit = Awaited<ReturnType<typeof startClaudeRuns>>
