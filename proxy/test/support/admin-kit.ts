import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { composeAdminApi } from '../../src/compose-admin.ts'
import type { Agent } from '../../src/domain/agents/index.ts'
import type { ExecuteRequest, Execution, RunOrder } from '../../src/domain/executions/index.ts'
import type { DoctorCheck } from '../../src/domain/health/index.ts'
import type { ProviderAccess } from '../../src/domain/provider-access/index.ts'
import type { ProviderKeys } from '../../src/domain/provider-keys/index.ts'
import type { Usage } from '../../src/domain/usage/index.ts'
import { adminSocketPath, type Clock, type RequestId } from '../../src/kernel/index.ts'
import { createDomainKit, createScriptedSandbox, type DomainKit, requestOf } from './domain-kit.ts'

/**
 * The admin API over a real unix socket on a real SQLite file. The sandbox alone is a double: it prints what it
 * was told to print, so that these tests need no engine.
 */
export interface AdminKit extends AsyncDisposable {
  readonly folder: string
  readonly dbPath: string
  readonly socketPath: string
  readonly executions: DomainKit['executions']
  readonly db: DomainKit['db']
  readonly agents: DomainKit['agents']
  readonly vault: DomainKit['vault']
  readonly keys: ProviderKeys
  readonly access: ProviderAccess
  readonly providers: DomainKit['llm']['providers']
  readonly usage: Usage
  readonly orders: readonly RunOrder[]
  readonly agent: Agent
  readonly token: string
  ask(request?: Partial<ExecuteRequest>): Promise<Execution>
  finished(requestId: RequestId): Promise<Execution>
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
  const sandbox = createScriptedSandbox((_order, print) => {
    print('stdout', options.stdout ?? 'done\n')
    return {}
  })
  const domain = await createDomainKit({
    dir,
    sandbox,
    ...(options.clock && { clock: options.clock }),
    maxConcurrent: 2,
    maxWaitingPerAgent: 100,
    sandboxPatienceMs: 1_000,
    health: async () => ({
      status: 'ok',
      telegram: 'disabled',
      database: 'ok',
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
  const { db, agents, vault, executions, llm } = domain
  const app = composeAdminApi(domain.config, domain, {
    url: () => options.url ?? 'http://127.0.0.1:3737',
    doctorChecks: () =>
      options.doctorChecks ?? [{ name: 'sandbox', run: async () => ({ ok: true, said: 'answers' }) }],
  })
  const server = createServer(app)
  const mask = process.umask(0o177)
  const listening = new Promise<void>((resolve) => server.listen(socketPath, resolve))
  process.umask(mask)
  await listening
  const { agent, token } = agents.add({ name: 'clawd' }, 'cli:0')

  return {
    folder,
    dbPath,
    socketPath,
    executions,
    db,
    agents,
    vault,
    keys: llm.keys,
    access: llm.access,
    providers: llm.providers,
    usage: llm.usage,
    orders: sandbox.orders,
    agent,
    token,
    ask: (request) =>
      executions.submit(agent, requestOf({ skillId: 'demo/skill', code: 'console.log(1)\n', ...request })),
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
