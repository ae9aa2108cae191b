/** Domain, Docker sandbox and gateway as the daemon joins them, with a server of the test behind every import host. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import type { ExecuteRequest, Execution } from '../../src/executions/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import type { ImportResolver } from '../../src/sandbox/imports/index.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { addAgent, createDomainKit, type DomainKit, requestOf } from './domain-kit.ts'
import { type ModuleHosts, startModuleHosts } from './module-hosts.ts'
import { owner } from './principals.ts'

export interface ImportKit extends AsyncDisposable {
  readonly domain: DomainKit
  readonly hosts: ModuleHosts
  readonly agent: Agent
  readonly resolver: ImportResolver & AsyncDisposable
  /** Names of the containers that this kit has in the engine. */
  containers(): Promise<string[]>
  submit(code: string, request?: Partial<ExecuteRequest>): Promise<Execution>
  /** Approves what waits, and gives what came of it; what needs nobody's approval is only waited for. */
  finish(execution: Execution, decision?: 'once' | 'forever'): Promise<Execution>
  run(code: string, request?: Partial<ExecuteRequest>): Promise<Execution>
}

export async function createImportKit(
  environment: Record<string, string> = {},
  timeoutMs?: number,
  maxWaitingPerAgent = 1_000,
): Promise<ImportKit> {
  const dir = mkdtempSync(join(tmpdir(), 'oauth3-imports-'))
  const hosts = await startModuleHosts()
  const { port, ca } = hosts.upstream
  const domain = await createDomainKit({
    dir,
    environment,
    maxWaitingPerAgent,
    imports: { timeoutMs },
    // The server has a port of its own; every host is dialled there.
    egress: { resolve: async () => ['127.0.0.1'], isPublic: () => true, portOf: () => port, tls: { ca } },
    sandbox: (instanceId, endpoints) => createSandbox({ kind: 'docker', poolSize: 0, instanceId, endpoints }),
  })
  const agent = await addAgent(domain)
  const kit: ImportKit = {
    domain,
    hosts,
    agent,
    resolver: {
      ...domain.importResolver,
      [Symbol.asyncDispose]: () => domain.imports[Symbol.asyncDispose](),
    },
    async containers() {
      const filters = { label: [`oauth3.instance=${domain.instanceId}`] }
      return (await new Docker().listContainers({ all: true, filters })).flatMap(({ Names }) => Names)
    },
    submit: (code, request = {}) => domain.executions.submit(agent, requestOf({ code, ...request })),
    async finish(execution, decision = 'once') {
      if (execution.status === 'pending') {
        const approver = owner('0', 'owner')
        await domain.executions.decide(execution.requestId, execution.consentHash, decision, approver)
      }
      return await domain.executions.wait(execution.requestId, 60_000, new AbortController().signal)
    },
    run: async (code, request) => kit.finish(await kit.submit(code, request)),
    async [Symbol.asyncDispose]() {
      await domain[Symbol.asyncDispose]()
      await hosts[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
  return kit
}
