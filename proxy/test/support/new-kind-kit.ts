import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAccounts } from '../../src/compose/compose-accounts.ts'
import { composeAdminApi } from '../../src/compose/compose-admin.ts'
import { type AdminApi, ownerAtSocket } from '../../src/http/admin-api/index.ts'
import { adminCall } from './daemon-kit.ts'
import { runCliHere } from './run-cli.ts'
import { createTelegramKit } from './telegram-kit.ts'
import { createToolCalls } from './tool-calls.ts'

export async function startKit(options: Parameters<typeof createTelegramKit>[0] = {}) {
  const kit = await createTelegramKit(options)
  const { calls, decisions, call } = createToolCalls(kit)
  return {
    ...{ kit, calls, decisions },
    call: async (id: string, tool: string): Promise<void> => call(id, tool, (await kit.agentOf()).id),
    [Symbol.asyncDispose]: () => kit[Symbol.asyncDispose](),
  }
}

/** The kit with the owner's socket and the agents' port, an agent that speaks MCP, and a kind that none of them knows. */
export async function startEverywhere(options: Parameters<typeof createTelegramKit>[0] = {}) {
  const stack = new AsyncDisposableStack()
  const tools = stack.use(await startKit(options))
  const { kit } = tools
  await kit.agentOf()
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-kinds-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const socketPath = join(folder, 'admin.sock')
  const accounts = openAccounts(kit, {
    ...{
      config: { signUp: 'closed', publicUrl: null, trustedProxies: [] },
      pages: { originOf: () => null, machineOf: () => undefined, isOn: false, isSecure: false },
      port: () => 80,
    },
    adminApi: () => api,
  })
  const api: AdminApi = composeAdminApi(kit, {
    directory: () => accounts.directory,
    url: () => 'http://127.0.0.1',
    appsUrl: () => null,
    consoleAddress: () => ({ origin: 'http://localhost', problem: null }),
    doctorChecks: () => [],
  })
  const owner = ownerAtSocket(kit.storage.tenant)
  const admin = createServer((request, response) => api.handle(request, response, () => owner))
  const agents = createServer(kit.app)
  for (const server of [admin, agents])
    stack.defer(() => {
      server.closeAllConnections()
      server.close()
    })
  await Promise.all([
    once(admin.listen(socketPath), 'listening'),
    once(agents.listen(0, '127.0.0.1'), 'listening'),
  ])
  const { port } = agents.address() as AddressInfo
  const { token: own } = await kit.agents.rotate('demo-agent', 0, 'cli:0')
  const env = { OAUTH3_SOCKET: socketPath }
  return {
    ...tools,
    async oauth3(args: readonly string[]) {
      const run = await runCliHere(args, { env })
      // biome-ignore lint/suspicious/noExplicitAny: tests look into answers whose shape they assert themselves.
      return { ...run, json: args.includes('--json') ? (JSON.parse(run.stdout) as any) : undefined }
    },
    admin: (method: string, path: string, body?: unknown) => adminCall(socketPath, method, path, body),
    watch: (answers: string[]) =>
      runCliHere(['watch'], { env, isTerminal: true, types: () => answers.shift() ?? null }),
    watchWith: (types: () => string | null) => runCliHere(['watch'], { env, isTerminal: true, types }),
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    async tool(name: string, input: object = {}, token = own): Promise<any> {
      const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name, arguments: input },
        }),
      })
      const { result } = (await response.json()) as { result: { structuredContent: unknown } }
      return result.structuredContent
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
