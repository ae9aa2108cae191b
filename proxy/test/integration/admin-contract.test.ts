import { createECDH } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_ROUTES, type AdminRoutes } from '../../src/contracts/admin/index.ts'
import { pathOf, type Route, type RouteCall } from '../../src/contracts/index.ts'
import { keyOf } from '../../src/contracts/registry/index.ts'
import { ERROR_TABLE } from '../../src/kernel/index.ts'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { entry, indexText, REGISTRY } from '../support/sample-registry.ts'
import { registerSoft } from '../support/soft-authenticator.ts'

/** The owner's API held against its table, over the socket, without the client that is made from the same table. */
type Name = keyof AdminRoutes
interface Sent {
  readonly params?: Record<string, string | number>
  readonly query?: Record<string, unknown>
  readonly body?: unknown
  readonly content?: Uint8Array
}
interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly text: string
}

let kit: AdminKit
beforeAll(async () => {
  kit = await startAdminKit()
})
afterAll(() => kit[Symbol.asyncDispose]())

const routes = Object.entries<Route>(ADMIN_ROUTES)

async function send(route: Route, sent: Sent): Promise<Answer> {
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request(
      {
        socketPath: kit.socketPath,
        method: route.method,
        path: pathOf(route.path, sent.params, sent.query),
        agent: false,
        headers: { 'content-type': sent.content ? 'application/octet-stream' : 'application/json' },
      },
      resolve,
    )
      .on('error', reject)
      .end(sent.content ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body)))
  })
  return {
    status: response.statusCode ?? 0,
    type: response.headers['content-type'],
    text: await text(response),
  }
}

const errorOf = (answer: Answer): { code: string; message: string; details?: unknown } =>
  (JSON.parse(answer.text) as { error: { code: string; message: string } }).error

const ask = (model: string) =>
  kit.access.ask({
    agentId: kit.agent.id,
    provider: 'openai',
    model,
    group: 'inference',
    path: '/v1/chat/completions',
  })
const NO_SUCH = {
  ...{ file: 'none', session: 'none', who: 'none', id: 'none', name: 'none', number: 1 },
  ...{ param: 'none', provider: 'none', model: 'none', skill: 'none' },
}

function writeRegistry(name = 'acme'): string {
  const file = join(kit.folder, `${name}.json`)
  writeFileSync(file, indexText([entry()], { name }))
  return pathToFileURL(file).href
}

const pair = createECDH('prime256v1')
pair.generateKeys()
const PUSH = {
  endpoint: 'https://fcm.googleapis.com/fcm/send/demo',
  keys: { p256dh: pair.getPublicKey('base64url'), auth: Buffer.alloc(16).toString('base64url') },
}

async function registered(): Promise<string> {
  const origin = 'http://localhost:1'
  const holder = { person: 'cli:0', session: 'ses_1', name: 'ann', origin } as const
  const { sent } = registerSoft(await kit.passkeys.registrationOptions(holder), origin)
  return (await kit.passkeys.register(holder, 'key', sent)).credentialId
}

/** Of the app that prompts of the kit are of. */
async function uploaded(): Promise<string> {
  const { appId } = await kit.prompt('with a file')
  const { id } = await kit.claudeRuns.files.upload(appId, {
    name: 'notes.txt',
    source: new Blob(['notes']).stream(),
    ttlMs: () => 60_000,
    signal: AbortSignal.timeout(30_000),
  })
  return id
}

/** A call of every route that succeeds, in the order of the table: what one makes the next may need. */
const CALLS: { readonly [K in Name]: () => Promise<RouteCall<AdminRoutes[K]>> | RouteCall<AdminRoutes[K]> } =
  {
    readStatus: () => ({}),
    listSecrets: () => ({}),
    putSecret: () => ({
      params: { name: 'FIRST_KEY' },
      body: { value: 'demo-value', hosts: ['api.example.com'] },
    }),
    setSecretRisk: () => ({ params: { name: 'FIRST_KEY' }, body: { risk: 'high' } }),
    removeSecret: async () => {
      await send(ADMIN_ROUTES.putSecret, { params: { name: 'SECOND_KEY' }, body: { value: 'demo-value' } })
      return { params: { name: 'SECOND_KEY' } }
    },
    renameSecret: () => ({ params: { name: 'FIRST_KEY' }, body: { to: 'THIRD_KEY' } }),
    listAgents: () => ({}),
    addAgent: () => ({
      body: {
        name: 'woken',
        cidrs: ['10.0.0.0/8'],
        tags: ['work'],
        wake: { kind: 'webhook', target: 'http://127.0.0.1:9/', token: 'demo-token' },
      },
    }),
    setAgentTags: () => ({ params: { name: 'woken' }, body: { tags: ['play'] } }),
    rotateAgentToken: () => ({ params: { name: 'woken' }, body: { overlap_ms: 60_000 } }),
    revokeAgent: () => ({ params: { name: 'woken' } }),
    listRequests: async () => {
      await kit.ask({ skillId: 'demo/listed' })
      return { query: { all: '1' } }
    },
    explain: () => ({ body: { code: 'await fetch("https://api.example.com/v1")\n', runtime: 'deno' } }),
    readRequest: async () => {
      const { requestId } = await kit.ask({ skillId: 'demo/read', secrets: [{ name: 'MISSING_KEY' }] })
      return { params: { id: requestId } }
    },
    decideRequest: async () => {
      const { requestId, consentHash } = await kit.ask({ skillId: 'demo/decided' })
      return { params: { id: requestId }, body: { decision: 'forever', consent_hash: consentHash } }
    },
    stopRequest: async () => ({ params: { id: await kit.running('demo/stopped') } }),
    listApprovals: () => ({ query: { all: '1' } }),
    readApproval: async () => ({ params: { id: (await ask('read-as-any')).id } }),
    compareApproval: async () => ({ params: { id: (await ask('compared-as-any')).id } }),
    decideApproval: async () => {
      const asked = await ask('decided-as-any')
      const body = { choice: 'deny', consent_hash: kit.access.contentHash(asked) }
      return { params: { id: asked.id }, body }
    },
    askAgain: async () => {
      const asked = await ask('asked-again')
      kit.db.prepare(`UPDATE provider_asks SET status = 'expired', decided_at = 1 WHERE id = ?`).run(asked.id)
      return { params: { id: asked.id }, body: { consent_hash: kit.access.contentHash(asked) } }
    },
    listTrust: () => ({ query: { all: '1' } }),
    readTrust: () => ({ params: { id: 1 }, query: { limit: '5' } }),
    revokeTrust: () => ({ params: { id: 1 } }),
    searchAudit: () => ({ query: { limit: 1_000 } }),
    exportAudit: () => ({}),
    verifyAudit: () => ({ query: { archives: '1' } }),
    listAuditArchives: () => ({}),
    archiveAudit: () => ({ body: { up_to: 2 } }),
    prune: () => ({ body: { dry_run: true, older_than_ms: null, max_bytes: null } }),
    readLockdown: () => ({}),
    panic: () => ({}),
    endPanic: () => ({ body: { confirm: 'unlock' } }),
    listPush: () => ({}),
    addPush: () => ({ body: PUSH }),
    removePush: async () => {
      const added = await send(ADMIN_ROUTES.addPush, { body: PUSH })
      return { params: { id: (JSON.parse(added.text) as { id: string }).id } }
    },
    readReceiptKey: () => ({}),
    readReceipt: async () => {
      const { requestId, consentHash } = await kit.ask({ skillId: 'demo/receipt' })
      const decision = { choice: 'deny', consent_hash: consentHash }
      await send(ADMIN_ROUTES.decideApproval, { params: { id: requestId }, body: decision })
      return { params: { id: requestId } }
    },
    rotateKeys: () => ({ body: { what: 'data' } }),
    runDoctor: () => ({}),
    makeConsoleLink: () => ({ body: {} }),
    listPasskeys: () => ({}),
    renamePasskey: async () => ({ params: { id: await registered() }, body: { label: 'phone' } }),
    removePasskey: async () => ({ params: { id: await registered() } }),
    listSessions: () => ({}),
    revokeSession: async () => {
      const { code } = await kit.sessions.invite({ kind: 'owner', uid: '0', name: 'ann' }, 'cli:0')
      const opened = await kit.sessions.signInByCode(code, { address: '127.0.0.1', replaces: null })
      return { params: { id: opened?.session.id ?? '' } }
    },
    listTenants: () => ({}),
    addTenant: () => ({ body: { name: 'acme' } }),
    setTenantChat: () => ({ params: { name: 'acme' }, body: { chat: null } }),
    listMembers: () => ({}),
    listQuorum: () => ({}),
    setQuorum: () => ({ body: { scope: 'secret', name: 'THIRD_KEY', approvals: 1 } }),
    setQuorumOwner: () => ({ body: { owner: 'separate' } }),
    listAccounts: () => ({}),
    inviteAccount: () => ({ body: { email: 'ann@example.com' } }),
    linkAccount: () => ({ params: { who: 'ann@example.com' } }),
    readQuotas: () => ({}),
    setQuota: () => ({ params: { name: 'default' }, body: { machines: 2 } }),
    removeTenant: () => ({ params: { name: 'acme' } }),
    listProviders: () => ({}),
    addProvider: () => ({ body: { name: 'mine', url: 'https://llm.example.com/v1' } }),
    removeProvider: () => ({ params: { name: 'mine' } }),
    setProviderParam: () => ({
      params: { name: 'azure', param: 'resource' },
      body: { value: 'demo-company' },
    }),
    listProviderKeys: () => ({}),
    addProviderKey: () => ({ body: { provider: 'openai', value: 'demo-key-0001' } }),
    removeProviderKey: () => ({ params: { id: 1 } }),
    listProviderGrants: () => ({}),
    addProviderGrant: () => ({ body: { agent: 'clawd', provider: 'openai', for_ms: null } }),
    changeProviderGrant: () => ({ params: { id: 1 }, body: { limits: { requests_per_minute: 60 } } }),
    revokeProviderGrant: () => ({ params: { id: 1 } }),
    listAsks: async () => {
      await ask('gpt-listed')
      return {}
    },
    readAsk: async () => ({ params: { id: (await ask('gpt-listed')).id } }),
    async decideAsk() {
      const asked = await ask('gpt-listed')
      const consent_hash = kit.access.contentHash(asked)
      const limits = { micro_usd_per_day: 1_000_000 }
      return {
        params: { id: asked.id },
        body: { decision: '24h', scope: 'model', consent_hash, limits },
      }
    },
    reportUsage: () => ({ query: { by: 'model', days: 7 } }),
    listPrices: () => ({}),
    setPrice: () => ({ body: { provider: 'openai', model: 'gpt-demo', input: 1, output: 2 } }),
    removePrice: () => ({ params: { provider: 'openai', model: 'gpt-demo' } }),
    listRegistries: () => ({}),
    presentRegistry: () => ({ body: { url: writeRegistry() } }),
    addRegistry: () => ({ body: { url: writeRegistry(), key: keyOf(REGISTRY) } }),
    refreshRegistry: () => ({ params: { name: 'acme' } }),
    removeRegistry: async () => {
      await send(ADMIN_ROUTES.addRegistry, { body: { url: writeRegistry('other'), key: keyOf(REGISTRY) } })
      return { params: { name: 'other' } }
    },
    listApps: () => ({}),
    addApp: () => ({
      body: { name: 'johnny5', cidrs: ['10.0.0.0/8'], tools: ['Read'], limits: { runs_per_day: 5 } },
    }),
    changeApp: () => ({
      params: { name: 'johnny5' },
      body: {
        models: ['claude-*'],
        keeps_prompts: true,
        network: 'ask',
        hosts: ['example.com'],
        secrets: ['A'],
      },
    }),
    rotateAppToken: () => ({ params: { name: 'johnny5' } }),
    revokeApp: () => ({ params: { name: 'johnny5' } }),
    listRuns: async () => {
      const { id } = await kit.prompt('older')
      await kit.prompt('newer')
      return { query: { app: 'cauldron', state: 'done', code: 'ok', limit: '5', before: id } }
    },
    readRun: async () => ({ params: { id: (await kit.prompt('read')).id } }),
    followRun: async () => ({ params: { id: (await kit.prompt('told')).id }, query: { after: '0' } }),
    cancelRun: async () => ({ params: { id: (await kit.prompt('hold')).id } }),
    listAppFiles: async () => {
      await uploaded()
      return { params: { name: 'cauldron' } }
    },
    removeAppFile: async () => ({ params: { name: 'cauldron', file: await uploaded() } }),
    listRunSessions: async () => {
      await kit.prompt('remember')
      return { params: { name: 'cauldron' } }
    },
    removeRunSession: async () => {
      const { sessionId } = await kit.prompt('remember')
      return { params: { name: 'cauldron', session: sessionId ?? '' } }
    },
    searchSkills: () => ({ query: { words: 'charge' } }),
    showSkill: () => ({ params: { skill: 'charge-report@1.0.0' } }),
    listPins: () => ({}),
    pinSkill: () => ({ params: { skill: 'charge-report@1.0.0' } }),
    unpinSkill: () => ({ params: { skill: 'charge-report@1.0.0' } }),
    listHosts: () => ({}),
    addHost: () => ({ body: { name: 'claw', provider: 'anthropic', model: 'claude-sonnet-5-5' } }),
    addBrowser: () => ({ body: { name: 'web', agent: 'claw' } }),
    setDesktop: () => ({ params: { name: 'claw' }, body: { on: true } }),
    reportHostUsage: () => ({ params: { name: 'claw' }, query: { days: '1' } }),
    orderHost: () => ({ params: { name: 'claw' }, body: { order: 'sleep' } }),
    reachFromHost: () => ({ params: { name: 'claw' }, body: { allow: ['api.demo.test'], deny: [] } }),
    listHostProcesses: () => ({ params: { name: 'claw' } }),
    readHostLog: () => ({ params: { name: 'claw' }, query: { id: '71' } }),
    readHostVersion: () => ({ params: { name: 'claw' } }),
    listGenerations: () => ({ params: { name: 'claw' } }),
    rollBackHost: () => ({ params: { name: 'claw' }, body: { to: 2 } }),
    listHostFiles: () => ({ params: { name: 'claw' }, query: { folder: 'notes' } }),
    takeHostFile: () => ({ params: { name: 'claw' }, query: { path: 'notes/today' } }),
    putHostFile: () => ({
      params: { name: 'claw' },
      query: { path: 'notes/new' },
      content: Buffer.from('a note'),
    }),
    listTurns: () => ({ params: { name: 'claw' } }),
    readBot: () => ({ params: { name: 'claw' } }),
    addBot: () => ({
      params: { name: 'claw' },
      body: { token: '6161616161:demo-bot-token-of-claw' },
    }),
    makeBotCode: () => ({ params: { name: 'claw' } }),
    unpairBotChat: () => ({ params: { name: 'claw', id: '1001' } }),
    removeBot: () => ({ params: { name: 'claw' } }),
    sayToHost: () => ({ params: { name: 'claw' }, body: { text: 'hello', model: 'claude-opus-5' } }),
    followTurn: () => ({ params: { name: 'claw', number: 1 } }),
    stopTurn: () => ({ params: { name: 'claw', number: 1 } }),
  }

const typeOf = ({ isLines, isEvents, isBytes }: Route): RegExp =>
  isLines ? /\/x-ndjson$/ : isEvents ? /^text\/event-stream/ : isBytes ? /\/octet-stream$/ : /\/json/
function valuesOf({ isLines, isEvents, isBytes }: Route, text: string): unknown[] {
  if (isBytes) return [text]
  const lines = text.split('\n').filter(Boolean)
  if (isEvents) {
    const data = lines.filter((line) => line.startsWith('data: '))
    return data.map((line) => JSON.parse(line.slice('data: '.length)))
  }
  return isLines ? lines.map((line) => JSON.parse(line)) : [JSON.parse(text)]
}

test('every admin route answers what its table says, and no member beside it', async () => {
  for (const [name, route] of routes) {
    const answer = await send(route, (await CALLS[name as Name]()) as Sent)
    expect(answer.status, `${name}: ${answer.text}`).toBe(200)
    const values = valuesOf(route, answer.text)
    expect(answer.type, name).toMatch(typeOf(route))
    expect(values.length, name).toBeGreaterThan(0)
    for (const value of values) expect(route.answer.parse(value), name).toEqual(value)
  }
})

test('a member that no admin route knows is refused, in the body and in the query', async () => {
  for (const [name, route] of routes) {
    const call = (await CALLS[name as Name]()) as Sent
    for (const part of ['body', 'query'] as const) {
      if (route[part] === undefined) continue
      const answer = await send(route, { ...call, [part]: { ...(call[part] ?? {}), surplus_member: 1 } })
      expect(answer.status, `${name} ${part}: ${answer.text}`).toBe(400)
      expect(errorOf(answer).code, name).toBe('invalid_request')
    }
  }
})

test('what an admin route refuses is an error of its table, with the status of that error', async () => {
  const always = ['internal', 'storage_unavailable', 'starting']
  const seen = new Set<string>()
  for (const [name, route] of routes) {
    const bodies = [{}, { value: '', decision: 'deny', consent_hash: '0'.repeat(64), name: ' ' }]
    const tries: Sent[] = [
      { params: NO_SUCH },
      { params: { ...NO_SUCH, id: 999_999 } },
      ...(route.body ? bodies.map((body) => ({ params: NO_SUCH, body })) : []),
    ]
    for (const sent of tries) {
      const answer = await send(route, sent)
      if (answer.status === 200) continue
      expect(answer.text, name).not.toBe('')
      const { code, message } = errorOf(answer)
      expect([...route.errors, ...always], `${name}: ${message}`).toContain(code)
      expect(answer.status).toBe(ERROR_TABLE[code as keyof typeof ERROR_TABLE].status)
      seen.add(code)
    }
  }
  expect([...seen].sort()).toEqual(expect.arrayContaining(['invalid_request', 'not_found']))
})

test('every admin route has a command that calls it, and no command names a path', () => {
  const folder = join(import.meta.dirname, '../../src/cli')
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
  const called = new Set(
    [...sources.matchAll(/\.(?:call|lines|events|bytes)\(\s*'(\w+)'/g)].map((match) => match[1] ?? ''),
  )
  // Of versions before, for clients that know one kind of request.
  for (const name of ['readRequest', 'decideRequest', 'readAsk', 'decideAsk']) called.add(name)
  expect([...called].sort()).toEqual(Object.keys(ADMIN_ROUTES).sort())
  expect(sources).not.toMatch(/['"`]\/v1\/(?!.*llm)/)
})
