import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SecretValue } from '../../src/kernel/index.ts'
import { SandboxUnavailable } from '../../src/sandbox/index.ts'
import { collect } from '../support/collect.ts'
import { createDomainKit, createScriptedSandbox, type DomainKit, requestOf } from '../support/domain-kit.ts'
import { chatBody, createLlmKit } from '../support/llm-kit.ts'
import { patience } from '../support/pace.ts'
import { owner } from '../support/principals.ts'
import { ANN, createTelegramKit, EVE, GROUP } from '../support/telegram-kit.ts'
import { createTenantsKit } from '../support/tenants-kit.ts'
import { begin, write } from '../support/vendor-doubles.ts'

const BY = { actor: 'cli:0', name: null } as const
const CODE = 'console.log(1)\n'

let dir: string
let kit: DomainKit
/** What is handed to the sandbox, and how each run ends: told to, or by its own. */
let runs: { ended: 'told' | 'itself' | null; finish(): void }[]

async function start(): Promise<void> {
  kit = await createDomainKit({
    dir,
    sandbox: createScriptedSandbox(async (_order, print, signal) => {
      const own = Promise.withResolvers<void>()
      const run: (typeof runs)[number] = { ended: null, finish: own.resolve }
      runs.push(run)
      print('stdout', 'begun\n')
      const told = new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      await Promise.race([
        told.then(() => (run.ended ??= 'told')),
        own.promise.then(() => (run.ended ??= 'itself')),
      ])
      return run.ended === 'told' ? { end: 'cancelled', exitCode: null } : {}
    }),
  })
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-lockdown-'))
  runs = []
  await start()
  await kit.storage.transaction((tx) =>
    kit.vault.put(tx, 'A_KEY', new SecretValue('demo-value'), { actor: 'cli:0' }),
  )
})
afterEach(async () => {
  for (const { finish } of runs) finish()
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

const agent = async () => kit.agents.list()[0] ?? (await kit.agents.add({ name: 'clawd' }, 'cli:0')).agent
const ask = async (skillId = 'demo/skill', code = CODE) =>
  kit.executions.submit(await agent(), requestOf({ skillId, code, secrets: [{ name: 'A_KEY' }] }))
async function approve(skillId = 'demo/skill', choice = 'once') {
  const { requestId, consentHash } = await ask(skillId)
  await kit.storage.transaction((tx) => kit.approvals.choose(tx, requestId, consentHash, choice, owner()))
  return requestId
}
const read = (id: Awaited<ReturnType<typeof approve>>) =>
  kit.storage.read((tx) => kit.executions.find(tx, id))
const stored = async (event: string) =>
  (await collect(kit.audit.export())).filter((row) => row.event === event)
const isRunning = (count: number) => expect.poll(() => runs.length, { timeout: patience(5_000) }).toBe(count)

describe('a lockdown', () => {
  test('ends runs, revokes grants, cancels what waits, and opens no secret', async () => {
    await approve('demo/trusted', 'forever')
    await isRunning(1)
    const waiting = await ask('demo/other')
    await kit.lockdown.begin(BY)
    await expect.poll(() => runs[0]?.ended, { timeout: patience(5_000) }).toBe('told')
    expect((await read(waiting.requestId))?.status).toBe('cancelled')
    expect(await kit.storage.read((tx) => kit.trust.list(tx))).toEqual([])
    await expect(kit.storage.transaction((tx) => kit.vault.open(tx, 'A_KEY', 'req_x'))).rejects.toMatchObject(
      { code: 'locked' },
    )
    await expect(kit.vault.rename('A_KEY', 'B_KEY', 'cli:0')).rejects.toMatchObject({ code: 'locked' })
    await expect(kit.vault.rotate('cli:0')).rejects.toMatchObject({ code: 'locked' })
    expect(() => kit.vault.openFor('provider-key:openai:1', 'x')).toThrow(
      expect.objectContaining({ code: 'locked' }),
    )
    await expect(ask('demo/trusted')).rejects.toMatchObject({ code: 'locked' })
    await expect(ask('demo/new')).rejects.toMatchObject({ code: 'locked' })
    expect(await stored('daemon.locked')).toMatchObject([{ actor: 'cli:0' }])
    expect((await kit.health()).notes.join()).toContain('locked')
    expect(runs).toHaveLength(1)
  })

  test('holds against runs and answers of the same instant', async () => {
    await approve('demo/trusted', 'forever')
    await isRunning(1)
    runs[0]?.finish()
    const { requestId, consentHash } = await ask('demo/asked')
    const opened = (await stored('secret.opened')).length
    // All of them at once, the lockdown in the middle.
    const before = Array.from({ length: 8 }, () => ask('demo/trusted').catch(() => undefined))
    const locked = kit.lockdown.begin(BY)
    const after = Array.from({ length: 8 }, () => ask('demo/trusted').catch(() => undefined))
    const answer = kit.storage
      .transaction((tx) => kit.approvals.choose(tx, requestId, consentHash, 'once', owner()))
      .catch(() => undefined)
    await Promise.all([...before, locked, ...after, answer])
    await expect
      .poll(async () => (await kit.storage.read((tx) => tx.executions.inStatus('running'))).length, {
        timeout: patience(5_000),
      })
      .toBe(0)
    for (const status of ['approved', 'pending'] as const)
      expect(await kit.storage.read((tx) => tx.executions.inStatus(status))).toEqual([])
    // Whatever had begun before was told to end; nothing that began opened a secret behind the lockdown's row.
    expect(runs.slice(1).every(({ ended }) => ended === 'told')).toBe(true)
    const rows = await collect(kit.audit.export())
    const lockedAt = rows.findIndex(({ event }) => event === 'daemon.locked')
    expect(
      rows.slice(lockedAt).filter(({ event }) => ['secret.opened', 'execution.started'].includes(event)),
    ).toEqual([])
    expect(opened).toBeGreaterThan(0)
  })

  test('ends for good what it found without a sandbox', async () => {
    await kit[Symbol.asyncDispose]()
    const handed = Promise.withResolvers<void>()
    const sandbox = createScriptedSandbox(async (_order, _print, signal) => {
      handed.resolve()
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      throw new SandboxUnavailable('The engine went away.')
    })
    kit = await createDomainKit({ dir, sandbox })
    const id = await approve()
    await handed.promise
    await kit.lockdown.begin(BY)
    await expect.poll(async () => (await read(id))?.status, { timeout: patience(5_000) }).not.toBe('running')
    // One that is approved still would begin as soon as the lockdown is over and the daemon starts anew.
    expect((await read(id))?.status).toBe('failed')
  })

  test('stays through a restart, until a person ends it; grants stay revoked', async () => {
    await approve('demo/trusted', 'forever')
    await isRunning(1)
    await kit.lockdown.begin(BY)
    await kit[Symbol.asyncDispose]()
    await start()
    expect(kit.lockdown.state).toMatchObject({ by: 'cli:0' })
    await expect(ask('demo/trusted')).rejects.toMatchObject({ code: 'locked' })
    await kit.lockdown.end('cli:0')
    expect((await ask('demo/trusted')).status).toBe('pending')
    await approve('demo/again')
    await isRunning(2)
    expect(await stored('daemon.unlocked')).toHaveLength(1)
  })

  test('holds in memory where the disk does not take it', async () => {
    await approve()
    await isRunning(1)
    const { requestId, consentHash } = await ask('demo/waiting')
    kit.db.exec("CREATE TRIGGER full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'full'); END")
    await expect(kit.lockdown.begin(BY)).rejects.toThrow()
    await expect.poll(() => runs[0]?.ended, { timeout: patience(5_000) }).toBe('told')
    expect(() => kit.lockdown.assertOpen()).toThrow()
    // What waits could not be withdrawn either.
    const yes = kit.storage.transaction((tx) =>
      kit.approvals.choose(tx, requestId, consentHash, 'once', owner()),
    )
    await expect(yes).rejects.toMatchObject({ code: 'locked' })
    await expect(ask('demo/new')).rejects.toMatchObject({ code: 'locked' })
    // The daemon tries again to write how the run ended, and holds the file meanwhile.
    await vi.waitFor(() => kit.db.exec('DROP TRIGGER full'), { timeout: patience(10_000) })
  })

  test('whose row was made unreadable still locks', async () => {
    await kit.lockdown.begin(BY)
    kit.db.exec("UPDATE meta SET value = '{' WHERE key = 'lockdown'")
    await kit[Symbol.asyncDispose]()
    await start()
    await expect(ask()).rejects.toMatchObject({ code: 'locked' })
  })
})

test('a lockdown cuts streams of the LLM proxy, and refuses what comes after', async () => {
  await using llm = await createLlmKit()
  await llm.addKey('openai')
  const token = await llm.addAgent('streams')
  await llm.grant('openai', { agent: 'streams' })
  const go = Promise.withResolvers<void>()
  llm.vendors.next('openai', async (call, response) => {
    begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
    await write(call, response, 'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n')
    await Promise.race([go.promise, call.gone])
    await write(call, response, 'data: {"choices":[{"index":0,"delta":{"content":"two"}}]}\n\n')
    response.end()
  })
  const path = '/llm/openai/v1/chat/completions'
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify(chatBody({ stream: true }))
  const response = await fetch(llm.url + path, { method: 'POST', headers, body })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader?.read())?.value).toContain('one')
  await llm.admin('POST', '/v1/panic')
  go.resolve()
  let rest = ''
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) rest += part.value
  expect(rest).not.toContain('two')
  expect(rest).toContain('access_revoked')
  const before = llm.vendors.calls.length
  const refused = await fetch(llm.url + path, { method: 'POST', headers, body })
  expect([refused.status, refused.headers.get('x-oauth3-error')]).toEqual([503, 'locked'])
  expect(llm.vendors.calls).toHaveLength(before)
})

test('a lockdown ends what a vendor is silent about: a stream between two pieces, and a request without an answer', async () => {
  await using llm = await createLlmKit()
  await llm.addKey('openai')
  const token = await llm.addAgent('waits')
  await llm.grant('openai', { agent: 'waits' })
  const ask = () =>
    fetch(`${llm.url}/llm/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(chatBody({ stream: true })),
    })
  const cut: Promise<unknown>[] = []
  llm.vendors.next('openai', async (call, response) => {
    cut.push(call.gone)
    begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
    await write(call, response, 'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n')
    await call.gone
  })
  const streaming = await ask()
  const reader = streaming.body?.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader?.read())?.value).toContain('one')
  const asked = Promise.withResolvers<void>()
  llm.vendors.next('openai', async (call) => {
    cut.push(call.gone)
    asked.resolve()
    await call.gone
  })
  const unanswered = ask()
  await asked.promise
  await llm.admin('POST', '/v1/panic')
  let rest = ''
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) rest += part.value
  expect(rest).toContain('access_revoked')
  const { status, headers } = await unanswered
  expect([status, headers.get('x-oauth3-error')]).toEqual([503, 'locked'])
  await Promise.all(cut)
  expect(cut).toHaveLength(2)
})

test('another tenant goes on, and neither ends nor sees it', async () => {
  await using tenants = await createTenantsKit({ sandbox: async () => createScriptedSandbox() })
  const { own, acme } = tenants
  expect((await own.admin('POST', '/v1/panic')).body).toMatchObject({ locked: true })
  expect((await own.call('POST', '/execute', { skill_id: 'demo/x', code: CODE })).body).toMatchObject({
    error: { code: 'locked' },
  })
  expect((await acme.call('POST', '/execute', { skill_id: 'demo/x', code: CODE })).status).toBe(202)
  expect((await acme.admin('GET', '/v1/panic')).body).toMatchObject({ locked: false })
  expect((await acme.admin('POST', '/v1/panic/end', { confirm: 'unlock' })).body).toMatchObject({
    error: { code: 'conflict' },
  })
  expect((await own.admin('POST', '/v1/panic/end', {})).status).toBe(400)
  expect((await own.admin('GET', '/v1/panic')).body).toMatchObject({ locked: true })
})

test('in Telegram one press of an approver locks, once, and nobody else’s', async () => {
  await using telegram = await createTelegramKit({ chatId: GROUP, approvers: [ANN] })
  const { double } = telegram
  double.say(GROUP, '/panic', ANN)
  const first = await double.waitForMessage((message) => message.callbacks.has('🛑 Stop everything'))
  double.say(GROUP, '/panic', EVE)
  const old = first.callbacks.get('🛑 Stop everything') as string
  double.say(GROUP, '/panic', ANN)
  const newest = await double.waitForMessage(
    (message) => message.callbacks.has('🛑 Stop everything') && message.messageId !== first.messageId,
  )
  const good = newest.callbacks.get('🛑 Stop everything') as string
  await double.pressRaw(GROUP, newest.messageId, good, EVE).answered
  await double.pressRaw(GROUP, first.messageId, old, ANN).answered
  expect(telegram.lockdown.state).toBeNull()
  expect((await double.pressRaw(GROUP, newest.messageId, good, ANN).answered).text).toContain('Locked')
  expect(telegram.lockdown.state).toMatchObject({ by: 'telegram:1001' })
})
