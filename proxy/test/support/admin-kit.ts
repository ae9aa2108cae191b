import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Run } from '../../src/claude-runs/runs/index.ts'
import { openAccounts } from '../../src/compose/compose-accounts.ts'
import { composeAdminApi } from '../../src/compose/compose-admin.ts'
import type { ExecuteRequest, Execution } from '../../src/executions/index.ts'
import { type AdminApi, ownerAtSocket } from '../../src/http/admin-api/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import type { DoctorCheck } from '../../src/kernel/index.ts'
import { adminSocketPath, type Clock, type RequestId } from '../../src/kernel/index.ts'
import type { ProviderAccess } from '../../src/llm/provider-access/index.ts'
import type { ProviderKeys } from '../../src/llm/provider-keys/index.ts'
import type { Usage } from '../../src/llm/usage/index.ts'
import type { RunOrder } from '../../src/sandbox/index.ts'
import { createPlayedModels, createPlayedRunner, type PlayedRun } from './claude-runs-kit.ts'
import {
  createDomainKit,
  createScriptedSandbox,
  type DomainKit,
  ENDLESS,
  printing,
  requestOf,
} from './domain-kit.ts'
import { createPlayedHosting } from './hosted-kit.ts'

/**
 * The admin API over a real unix socket on a real SQLite file. The sandbox alone is a double: it prints what it
 * was told to print, so that these tests need no engine.
 */
export interface AdminKit extends AsyncDisposable {
  readonly folder: string
  readonly dbPath: string
  readonly socketPath: string
  readonly executions: DomainKit['executions']
  readonly approvals: DomainKit['approvals']
  readonly audit: DomainKit['audit']
  readonly db: DomainKit['db']
  readonly storage: DomainKit['storage']
  readonly agents: DomainKit['agents']
  readonly apps: DomainKit['apps']
  readonly claudeRuns: NonNullable<DomainKit['claudeRuns']>
  readonly vault: DomainKit['vault']
  readonly sessions: DomainKit['sessions']
  readonly passkeys: DomainKit['passkeys']
  readonly keys: ProviderKeys
  readonly access: ProviderAccess
  readonly providers: DomainKit['llm']['providers']
  readonly usage: Usage
  readonly orders: readonly RunOrder[]
  readonly agent: Agent
  readonly token: string
  ask(request?: Partial<ExecuteRequest>): Promise<Execution>
  finished(requestId: RequestId): Promise<Execution>
  /** Approved once, and goes on until it is ended. */
  running(skillId: string): Promise<RequestId>
  /** A run of the app `cauldron`, which is made for it; one whose prompt is `hold` goes on until it is ended. */
  prompt(prompt: string): Promise<Run>
}

export interface AdminKitOptions {
  readonly clock?: Clock
  readonly doctorChecks?: readonly DoctorCheck[]
  /** Where the daemon says that it listens. */
  readonly url?: string
  /** What every run prints. */
  readonly stdout?: string
}

export async function startAdminKit(options: AdminKitOptions = {}): Promise<AdminKit> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-admin-'))
  const dir = join(folder, 'state')
  const dbPath = join(dir, 'proxy.db')
  const socketPath = adminSocketPath(dbPath)
  const sandbox = createScriptedSandbox(printing(options.stdout ?? 'done\n'))
  const domain = await createDomainKit({
    dir,
    sandbox,
    ...(options.clock && { clock: options.clock }),
    maxConcurrent: 2,
    // One whose cancel is refused keeps its place.
    environment: { CLAWDFORGE_PORT: '0', CLAWDFORGE_MAX_RUNS: '8' },
    hosting: { played: createPlayedHosting },
    claudeRuns: { runner: createPlayedRunner(holdWhatSaysSo), models: createPlayedModels() },
    maxWaitingPerAgent: 100,
    sandboxPatienceMs: 1_000,
    health: async () => ({
      status: 'ok',
      telegram: 'disabled',
      database: 'ok',
      database_engine: 'sqlite',
      disk: 'ok',
      sandbox: 'docker',
      version: '0.0.0',
      uptime_s: 1,
      notes: [],
    }),
    onDefect: (error) => {
      throw error
    },
  })
  const { db, storage, agents, claudeRuns, vault, executions, approvals, audit, llm } = domain
  if (claudeRuns === null) throw new Error('runs are off')
  const accounts = openAccounts(domain, {
    ...{
      config: { signUp: 'password', publicUrl: null, trustedProxies: [] },
      pages: { originOf: () => null, machineOf: () => undefined, isOn: false, isSecure: false },
      port: () => 3737,
    },
    adminApi: () => api,
  })
  const api: AdminApi = composeAdminApi(domain, {
    directory: () => accounts.directory,
    url: () => options.url ?? 'http://127.0.0.1:3737',
    appsUrl: () => 'http://127.0.0.1:8800',
    consoleAddress: () => ({ origin: 'http://localhost:3737', problem: null }),
    doctorChecks: () =>
      options.doctorChecks ?? [{ name: 'sandbox', run: async () => ({ ok: true, said: 'answers' }) }],
  })
  const owner = ownerAtSocket(storage.tenant)
  const server = createServer((request, response) => api.handle(request, response, () => owner))
  const mask = process.umask(0o177)
  const listening = new Promise<void>((resolve) => server.listen(socketPath, resolve))
  process.umask(mask)
  await listening
  const { agent, token } = await agents.add({ name: 'clawd' }, 'cli:0')

  return {
    folder,
    dbPath,
    socketPath,
    executions,
    approvals,
    audit,
    db,
    storage,
    agents,
    apps: domain.apps,
    claudeRuns,
    vault,
    sessions: domain.sessions,
    passkeys: domain.passkeys,
    keys: llm.keys,
    access: llm.access,
    providers: llm.providers,
    usage: llm.usage,
    orders: sandbox.orders,
    agent,
    token,
    ask: (request) =>
      executions.submit(agent, requestOf({ skillId: 'demo/skill', code: 'console.log(1)\n', ...request })),
    async running(skillId) {
      const request = requestOf({ skillId, code: ENDLESS })
      const { requestId, consentHash } = await executions.submit(agent, request)
      await executions.decide(requestId, consentHash, 'once', owner.principal)
      return requestId
    },
    prompt: (prompt) => postPrompt(domain, prompt),
    finished: (requestId) => executions.wait(requestId, 5_000, new AbortController().signal),
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      await domain[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const holdWhatSaysSo: PlayedRun = ({ prompt }) => (prompt === 'hold' ? new Promise(() => {}) : KEPT)

/** What the CLI leaves of a conversation. */
const KEPT = {
  sessionTranscript: Buffer.from('{}'),
  sessionId: '3d1f1a52-0f4e-4f57-9a8c-0b5c5f0c6f11',
}

/** Resolves when it is over, or when it is held. */
async function postPrompt({ apps, claudeRuns }: DomainKit, prompt: string): Promise<Run> {
  const known = apps.list().find(({ name, revokedAt }) => name === 'cauldron' && revokedAt === null)
  const app = known ?? (await apps.add('cauldron', { keepsPrompts: true }, 'cli:0')).app
  if (claudeRuns === null) throw new Error('runs are off')
  const run = await claudeRuns.runs.submit(app, {
    request: {
      ...{ prompt, model: null, system: null, appendSystem: null, files: [], tools: [], schema: null },
      ...{ session: { id: null, fork: false }, timeoutMs: 60_000, maxTurns: null, detach: true },
      budget: { microUsd: null, tokens: null, requests: null },
    },
    bodySha256: 'a'.repeat(64),
    idempotencyKey: undefined,
  })
  return prompt === 'hold' ? run : (await claudeRuns.runs.wait(run.id, new AbortController().signal)).run
}
