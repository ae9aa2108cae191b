import { type fdatasync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  addAgent,
  createDomainKit,
  createScriptedSandbox,
  type DomainKit,
  type DomainKitOptions,
  requestOf,
  type ScriptedRun,
} from '../../../test/support/domain-kit.ts'
import { type RequestId, SecretValue } from '../../kernel/index.ts'
import type { Agent } from '../agents/index.ts'
import type { Approver, DecisionKind } from '../approvals/index.ts'
import { canBecome, EXECUTION_STATES, type Execution, type ExecutionStatus, isFinal } from './execution.ts'
import type { ExecuteRequest } from './request.ts'
import { SandboxUnavailable } from './sandbox-port.ts'

const APPROVER: Approver = { via: 'telegram', userId: '7', chatId: '42', name: 'Ann' }
const TTL = 3_600_000

let dir: string
let kit: DomainKit
let agent: Agent
let now: number
const clock = { now: () => now }

beforeEach(async () => {
  now = 1_700_000_000_000
  dir = mkdtempSync(join(tmpdir(), 'oauth3-executions-'))
  kit = await createDomainKit({ dir, clock })
  agent = addAgent(kit)
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

/** The same database under a new process, with other parts. */
async function restart(options: Partial<DomainKitOptions> = {}): Promise<void> {
  await kit[Symbol.asyncDispose]()
  kit = await createDomainKit({ dir, clock, ...options })
}
const withSandbox = (run: ScriptedRun) => restart({ sandbox: createScriptedSandbox(run) })

const submit = (
  request: Partial<ExecuteRequest> = {},
  idempotency?: { key: string; bodyHash: string },
): Promise<Execution> => kit.executions.submit(agent, requestOf(request), idempotency)
const decide = (execution: Execution, decision: DecisionKind = 'once') =>
  kit.executions.decide(execution.requestId, execution.consentHash, decision, APPROVER)
const final = (execution: Execution): Promise<Execution> =>
  kit.executions.wait(execution.requestId, 15_000, new AbortController().signal)
const status = (execution: Execution): ExecutionStatus | undefined =>
  kit.executions.find(execution.requestId)?.status
const put = (name: string, value = 'demo-value-0123456789', hosts?: string[]) =>
  kit.vault.put(name, new SecretValue(value), { actor: 'cli:0', hosts })
const orders = () => (kit.sandbox as ReturnType<typeof createScriptedSandbox>).orders
const rowCount = (table: string): number =>
  kit.db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0
const events = (execution: Execution): string[] =>
  [...kit.audit.export()]
    .filter(({ requestId }) => requestId === execution.requestId)
    .map(({ event }) => event)

describe('the states of an execution', () => {
  it('follow the table: a final state goes nowhere, and only approved becomes running', () => {
    const edges = EXECUTION_STATES.map((from) => [from, EXECUTION_STATES.filter((to) => canBecome(from, to))])
    expect(Object.fromEntries(edges)).toEqual({
      pending: ['awaiting_secrets', 'approved', 'denied', 'expired', 'cancelled'],
      awaiting_secrets: ['approved', 'failed', 'denied', 'expired', 'cancelled'],
      approved: ['awaiting_secrets', 'running', 'failed', 'cancelled'],
      running: ['approved', 'success', 'failed'],
      success: [],
      failed: [],
      denied: [],
      expired: [],
      cancelled: [],
    })
    expect(EXECUTION_STATES.filter(isFinal)).toEqual(['success', 'failed', 'denied', 'expired', 'cancelled'])
  })
})

describe('a request', () => {
  it('waits for a person, runs once and gives its result', async () => {
    const asked = await submit()
    expect(asked).toMatchObject({ status: 'pending', trusted: false, expiresAt: now + TTL })
    expect(decide(asked)).toMatchObject({
      accepted: true,
      subject: { status: 'approved', decidedBy: 'telegram:7' },
    })
    expect(await final(asked)).toMatchObject({
      status: 'success',
      result: { stdout: 'hello\n', exitCode: 0 },
    })
    expect(orders()).toHaveLength(1)
    expect(events(asked)).toEqual([
      'request.received',
      'approval.decided',
      'execution.started',
      'execution.finished',
    ])
    expect(kit.audit.verify().ok).toBe(true)
  })

  it('is handed over when the disk has its beginning, and a disk that does not take that postpones it', async () => {
    const waiting: ((error: NodeJS.ErrnoException | null) => void)[] = []
    let isHeld = false
    const toDisk = ((_file: number, done: (error: NodeJS.ErrnoException | null) => void) => {
      if (isHeld) waiting.push(done)
      else setImmediate(done, null)
    }) as unknown as typeof fdatasync
    await restart({ toDisk })
    const asked = await submit()
    isHeld = true
    decide(asked)
    await expect.poll(() => waiting.length).toBe(1)
    expect([status(asked), orders().length]).toEqual(['running', 0])
    waiting.shift()?.(Object.assign(new Error('input/output error'), { code: 'EIO' }))
    await expect.poll(() => status(asked)).toBe('approved')
    expect(orders()).toEqual([])
    isHeld = false
    for (const done of waiting.splice(0)) done(null)
    expect(await final(asked)).toMatchObject({ status: 'success' })
    expect(orders()).toHaveLength(1)
  })

  it('runs at once under a grant, and the next of the same kind too', async () => {
    decide(await submit(), 'forever')
    const trusted = await submit()
    expect(trusted).toMatchObject({ trusted: true, status: 'approved' })
    expect(await final(trusted)).toMatchObject({ status: 'success' })
    expect(await submit({ network: ['evil.com'] })).toMatchObject({
      status: 'pending',
      changes: ['network: + GET evil.com, ANY path'],
    })
  })

  it('asks again after it was allowed once', async () => {
    const first = await submit()
    decide(first)
    await final(first)
    expect(await submit()).toMatchObject({ status: 'pending' })
  })

  it('collapses into its waiting duplicate, for the same agent only', async () => {
    const first = await submit()
    expect((await submit()).requestId).toBe(first.requestId)
    expect((await submit({ argsJson: '{"a":1}' })).requestId).not.toBe(first.requestId)
    const other = addAgent(kit, 'other')
    expect((await kit.executions.submit(other, requestOf())).requestId).not.toBe(first.requestId)
  })

  it('does not collapse into a duplicate that has run out, even before anybody noticed', async () => {
    const first = await submit()
    now += TTL
    const second = await submit()
    expect(second).toMatchObject({ status: 'pending' })
    expect(second.requestId).not.toBe(first.requestId)
    expect(status(first)).toBe('expired')
  })

  it('gives the first answer to a repeat with its idempotency key, and a conflict to another body', async () => {
    const first = await submit({}, { key: 'k', bodyHash: 'x' })
    decide(first, 'deny')
    expect((await submit({}, { key: 'k', bodyHash: 'x' })).requestId).toBe(first.requestId)
    await expect(submit({}, { key: 'k', bodyHash: 'y' })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    })
    const other = addAgent(kit, 'other')
    const theirs = await kit.executions.submit(other, requestOf(), { key: 'k', bodyHash: 'y' })
    expect(theirs.requestId).not.toBe(first.requestId)
    await Promise.all([1, 2, 3].map(() => submit({ argsJson: '{"b":1}' }, { key: 'k2', bodyHash: 'z' })))
    expect(rowCount('executions')).toBe(3)
    now += 24 * TTL + 1
    kit.executions.tick()
    expect((await submit({}, { key: 'k', bodyHash: 'y' })).requestId).not.toBe(first.requestId)
  })

  it('is limited to so many that wait, missing secrets counted, and others are not held up', async () => {
    await restart({ maxWaitingPerAgent: 2 })
    decide(await submit({ secrets: [{ name: 'MISSING' }], argsJson: '{}' }), 'forever_any')
    await submit({ skillId: 'untrusted' })
    const more = [
      submit({ skillId: 'untrusted-2' }),
      submit({ secrets: [{ name: 'MISSING' }], argsJson: '{"a":4}' }),
    ]
    for (const attempt of more)
      await expect(attempt).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 30 })
    expect(rowCount('executions')).toBe(2)
    expect(await kit.executions.submit(addAgent(kit, 'other'), requestOf())).toMatchObject({
      status: 'pending',
    })
  })

  it.each<[string, Partial<ExecuteRequest>, string]>([
    ['empty code', { code: ' \n' }, 'invalid_request'],
    ['a lone surrogate in the code', { code: 'x = "\ud800"' }, 'invalid_request'],
    ['code that is too long', { code: `//${'x'.repeat(1_048_576)}` }, 'too_large'],
    ['another code hash', { codeHash: 'a'.repeat(64) }, 'code_hash_mismatch'],
    ['an unknown runtime', { runtime: 'cobol' }, 'unknown_runtime'],
    ['a reserved secret', { secrets: [{ name: 'LD_PRELOAD' }] }, 'invalid_request'],
    ['a secret named twice', { secrets: [{ name: 'A' }, { name: 'A' }] }, 'invalid_request'],
    ['a secret that goes in no part of a request', { secrets: [{ name: 'A', in: [] }] }, 'invalid_request'],
    [
      'a secret host that is not in the network list',
      { secrets: [{ name: 'A', hosts: ['a.com'] }] },
      'invalid_request',
    ],
    ['a host that is none', { network: ['a.com@evil.com'] }, 'invalid_request'],
    [
      'too many hosts',
      { network: Array.from({ length: 33 }, (_, index) => `h${index}.example.com`) },
      'too_large',
    ],
    [
      'too many secrets',
      { secrets: Array.from({ length: 33 }, (_, index) => ({ name: `S${index}` })) },
      'too_large',
    ],
    ['a timeout that is too long', { timeoutSeconds: 601 }, 'invalid_request'],
  ])('is refused for %s and leaves no row', async (_what, request, code) => {
    await expect(submit(request, { key: 'k', bodyHash: 'x' })).rejects.toMatchObject({ code })
    expect([rowCount('executions'), rowCount('code'), rowCount('idempotency'), rowCount('outbox')]).toEqual([
      0, 0, 0, 0,
    ])
  })

  it('is refused without a row when no sandbox can run code', async () => {
    const sandbox = {
      ...createScriptedSandbox(),
      status: async () => ({ kind: 'unavailable' as const, runtimes: [], notes: ['down'], warm: 0 }),
    }
    await restart({ sandbox })
    await expect(submit()).rejects.toMatchObject({
      code: 'sandbox_unavailable',
      details: { notes: ['down'] },
    })
    expect(rowCount('executions')).toBe(0)
  })

  it('reads the comments of a fetched skill for what was left out, and only then', async () => {
    const text = '// @secrets DEMO_KEY\n// @network api.example.com\n// @timeout 5\nconsole.log(1)\n'
    await restart({ fetcher: { fetch: async (url) => ({ text, finalUrl: url }) } })
    const { code: _code, ...link } = requestOf({ skillUrl: 'https://example.com/x.ts' })
    const execution = await kit.executions.submit(agent, link)
    expect(kit.executions.consentOf(execution)).toMatchObject({
      source: { relation: 'fetched' },
      secrets: [{ name: 'DEMO_KEY', mode: 'placeholder', hosts: ['api.example.com'], in: ['header'] }],
      network: [{ host: 'api.example.com', methods: ['GET'], paths: ['/**'] }],
      limits: { timeout_ms: 5_000 },
    })
    const same = await submit({ code: text, skillUrl: 'https://example.com/x.ts' })
    expect(kit.executions.consentOf(same)).toMatchObject({
      source: { relation: 'same' },
      secrets: [],
      network: [],
    })
    const different = await submit({ skillUrl: 'https://example.com/x.ts' })
    expect(kit.executions.consentOf(different).source?.relation).toBe('different')
  })

  it.each(['a\r\nb\n', '\ufeffconsole.log(1)', 'x  \t\n\n\n', 'a\0b', 'é e\u0301'])(
    'shows, hashes and runs the bytes of %j',
    async (code) => {
      const execution = await submit({ code })
      expect(kit.executions.codeOf(execution)).toBe(code)
      decide(execution)
      await final(execution)
      expect(orders()).toMatchObject([{ code }])
    },
  )

  it('is seen by its own agent only', async () => {
    const execution = await submit()
    const other = addAgent(kit, 'other')
    const notFound = expect.objectContaining({ code: 'not_found' })
    expect(() => kit.executions.ofAgent(other.id, execution.requestId)).toThrow(notFound)
    expect(() => kit.executions.cancel(other.id, execution.requestId)).toThrow(notFound)
    expect(() => kit.executions.acknowledge(other.id, execution.requestId)).toThrow(notFound)
    expect(kit.executions.list({ agentId: other.id, limit: 10 })).toEqual([])
  })

  it('is found by an unambiguous beginning of its id', async () => {
    const execution = await submit()
    const short = execution.requestId.slice(4, 12)
    expect(kit.executions.resolve(short).requestId).toBe(execution.requestId)
    await submit({ argsJson: '{}' })
    expect(() => kit.executions.resolve('req_')).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    expect(() => kit.executions.resolve('zz')).toThrow(expect.objectContaining({ code: 'not_found' }))
  })
})

describe('a card', () => {
  const warnings = (execution: Execution): string =>
    kit.executions
      .cardOf(execution)
      .warnings.map(({ text }) => text)
      .join('\n')

  it('warns of names that look like what the owner stored, trusted and bound', async () => {
    put('STRIPE_KEY', 'demo-value-0123456789', ['api.stripe.com'])
    const trusted = await submit({ skillId: 'weather-report', network: ['api.weather-demo.com'] })
    decide(trusted, 'forever')
    await final(trusted)
    const asked = await submit({
      skillId: 'weather-rep0rt',
      code: 'console.log("another")\n',
      secrets: [{ name: 'STR1PE_KEY' }],
      network: ['api.str1pe.com', 'api.weather-dem0.com'],
    })
    expect(warnings(asked)).toMatch(/STR1PE_KEY looks like the stored STRIPE_KEY/)
    expect(warnings(asked)).toMatch(/weather-rep0rt looks like the trusted weather-report/)
    expect(warnings(asked)).toMatch(/api\.str1pe\.com.*api\.stripe\.com/)
    expect(warnings(asked)).toMatch(/api\.weather-dem0\.com.*api\.weather-demo\.com/)
  })

  it('of a request that waited while the daemon was renewed is read anew', async () => {
    const asked = await submit({ code: 'eval(atob("MQ=="))\n', dynamicCode: true })
    const before = kit.executions.cardOf(asked)
    kit.db.exec('DELETE FROM code_facts')
    await restart()
    const waiting = kit.executions.find(asked.requestId) as Execution
    expect(kit.executions.cardOf(waiting).warnings).not.toEqual(before.warnings)
    await kit.executions.readWaiting()
    expect(kit.executions.cardOf(waiting).warnings).toEqual(before.warnings)
  })
})

describe('a decision', () => {
  it('is taken once: a second one, and any other after it, is refused', async () => {
    const asked = await submit()
    expect(decide(asked).accepted).toBe(true)
    for (const decision of ['once', 'deny', 'forever'] as const) {
      expect(decide(asked, decision)).toMatchObject({ accepted: false, reason: 'already_decided' })
    }
    await final(asked)
    expect(decide(asked)).toMatchObject({ accepted: false, reason: 'already_decided' })
    expect(orders()).toHaveLength(1)
    expect(kit.trust.list()).toEqual([])
  })

  it('cannot turn a denial', async () => {
    const asked = await submit()
    expect(decide(asked, 'deny')).toMatchObject({ accepted: true, subject: { status: 'denied' } })
    expect(decide(asked, 'forever')).toMatchObject({ accepted: false, reason: 'already_decided' })
    expect(orders()).toHaveLength(0)
  })

  it('is bound to the consent that was shown', async () => {
    const asked = await submit()
    const other = await submit({ argsJson: '{}' })
    const forged = kit.executions.decide(asked.requestId, other.consentHash, 'once', APPROVER)
    expect(forged).toMatchObject({ accepted: false, reason: 'other_consent' })
    expect(status(asked)).toBe('pending')
    expect(events(asked)).toContain('approval.refused')
  })

  it('comes too late at the very moment of the expiry', async () => {
    const asked = await submit()
    now += TTL
    expect(decide(asked)).toMatchObject({
      accepted: false,
      reason: 'expired',
      subject: { status: 'expired' },
    })
    expect(decide(asked)).toMatchObject({ accepted: false, reason: 'expired' })
    expect(orders()).toHaveLength(0)
  })

  it('for a request that is not there is an error', () => {
    const attempt = () => kit.executions.decide('req_none' as RequestId, '', 'once', APPROVER)
    expect(attempt).toThrow(expect.objectContaining({ code: 'not_found' }))
  })

  it('leaves nothing behind when it is rolled back', async () => {
    const asked = await submit()
    expect(() =>
      kit.transactor.transact(() => {
        decide(asked, 'forever')
        throw new Error('undone')
      }),
    ).toThrow('undone')
    await sleep(20)
    expect([status(asked), orders().length, kit.trust.list().length]).toEqual(['pending', 0, 0])
    expect(decide(asked).accepted).toBe(true)
  })
})

describe('missing secrets', () => {
  it('are waited for after the approval, and the run goes on by itself', async () => {
    const asked = await submit({ secrets: [{ name: 'A_KEY' }, { name: 'B_KEY' }] })
    expect(decide(asked)).toMatchObject({ subject: { status: 'awaiting_secrets' } })
    put('A_KEY', 'demo-value-aaaa')
    expect(status(asked)).toBe('awaiting_secrets')
    put('B_KEY', 'demo-value-bbbb')
    expect(await final(asked)).toMatchObject({ status: 'success' })
    expect(orders()).toHaveLength(1)
  })

  it('can still be denied, cancelled or run out', async () => {
    const wait = async (argsJson: string): Promise<Execution> => {
      const asked = await submit({ secrets: [{ name: 'A_KEY' }], argsJson })
      decide(asked)
      return asked
    }
    const [denied, cancelled, expired] = [await wait('{"a":1}'), await wait('{"a":2}'), await wait('{"a":3}')]
    expect(decide(denied).accepted).toBe(false)
    expect(decide(denied, 'deny').accepted).toBe(true)
    kit.executions.cancel(agent.id, cancelled.requestId)
    now += TTL
    put('A_KEY')
    kit.executions.tick()
    expect([status(denied), status(cancelled), status(expired)]).toEqual(['denied', 'cancelled', 'expired'])
    expect(orders()).toHaveLength(0)
  })

  it('that come bound to other hosts than were approved keep code from running that would read them', async () => {
    const asked = await submit({ secrets: [{ name: 'A_KEY', mode: 'raw' }], network: ['evil.com'] })
    decide(asked)
    put('A_KEY', 'demo-value-aaaa', ['api.example.com'])
    expect(await final(asked)).toMatchObject({ status: 'failed', failure: 'consent_stale' })
    expect(orders()).toHaveLength(0)
  })

  it('that come bound to fewer hosts keep code from running that would be refused in the middle', async () => {
    const network = ['api.example.com', 'evil.com']
    const asked = await submit({ secrets: [{ name: 'A_KEY' }], network })
    decide(asked)
    put('A_KEY', 'demo-value-aaaa', ['api.example.com'])
    expect(await final(asked)).toMatchObject({ status: 'failed', failure: 'consent_stale' })
    expect(orders()).toHaveLength(0)
  })

  it('that come bound to more hosts go where was approved and nowhere else', async () => {
    const asked = await submit({ secrets: [{ name: 'A_KEY' }], network: ['api.example.com'] })
    decide(asked)
    put('A_KEY', 'demo-value-aaaa', ['api.example.com', 'evil.com'])
    expect(await final(asked)).toMatchObject({ status: 'success' })
    const policy = orders()[0]?.egress?.policy
    expect(policy?.secrets.map(({ hosts }) => hosts.map(({ host }) => host))).toEqual([['api.example.com']])
  })

  it('are waited for again when one is removed between the approval and the run', async () => {
    const gate = Promise.withResolvers<void>()
    await withSandbox(async () => {
      await gate.promise
      return {}
    })
    put('A_KEY')
    const busy = await Promise.all([1, 2, 3, 4].map((n) => submit({ argsJson: `{"n":${n}}` })))
    for (const execution of busy) decide(execution)
    const asked = await submit({ secrets: [{ name: 'A_KEY' }] })
    decide(asked)
    kit.vault.remove('A_KEY', 'cli:0')
    gate.resolve()
    await Promise.all(busy.map(final))
    await expect.poll(() => status(asked)).toBe('awaiting_secrets')
    put('A_KEY')
    expect(await final(asked)).toMatchObject({ status: 'success' })
  })

  it('of a row whose consent is corrupt hold up nobody else', async () => {
    const [broken, whole] = [
      await submit({ secrets: [{ name: 'A_KEY' }] }),
      await submit({ secrets: [{ name: 'A_KEY' }], argsJson: '{}' }),
    ]
    decide(broken)
    decide(whole)
    kit.db
      .prepare("UPDATE executions SET consent = replace(consent, 'A_KEY', 'B_KEY') WHERE request_id = ?")
      .run(broken.requestId)
    put('A_KEY')
    expect(await final(whole)).toMatchObject({ status: 'success' })
    expect(kit.executions.find(broken.requestId)).toMatchObject({
      status: 'failed',
      failure: 'not_startable',
    })
  })
})

describe('a cancellation', () => {
  it('ends what waits, again and again the same, and nothing that is decided otherwise', async () => {
    const asked = await submit()
    for (const _ of [1, 2]) expect(kit.executions.cancel(agent.id, asked.requestId).status).toBe('cancelled')
    expect(decide(asked)).toMatchObject({ accepted: false, reason: 'already_decided' })
    const run = await submit({ argsJson: '{}' })
    decide(run)
    await final(run)
    expect(() => kit.executions.cancel(agent.id, run.requestId)).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    )
    expect(orders()).toHaveLength(1)
  })

  it('of what is approved but queued keeps it from running; of what runs it is refused', async () => {
    const gate = Promise.withResolvers<void>()
    await withSandbox(async () => {
      await gate.promise
      return {}
    })
    const all = await Promise.all([1, 2, 3, 4, 5].map((n) => submit({ argsJson: `{"n":${n}}` })))
    for (const execution of all) decide(execution)
    await expect.poll(() => all.map(status).filter((state) => state === 'running').length).toBe(3)
    const [queued] = all.filter((execution) => status(execution) === 'approved')
    const [running] = all.filter((execution) => status(execution) === 'running')
    if (!queued || !running) throw new Error('nothing is queued')
    expect(() => kit.executions.cancel(agent.id, running.requestId)).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    )
    kit.executions.cancel(agent.id, queued.requestId)
    gate.resolve()
    await Promise.all(all.map(final))
    await sleep(20)
    expect(orders()).toHaveLength(4)
    expect(status(queued)).toBe('cancelled')
  })
})

describe('a run', () => {
  it.each([
    [{ exitCode: 3 }, 'nonzero_exit'],
    [{ end: 'timeout', exitCode: null }, 'timeout'],
    [{ end: 'memory_limit', exitCode: null }, 'memory_limit'],
    [{ end: 'output_limit', exitCode: null }, 'output_limit'],
    [{ end: 'sandbox_lost', exitCode: null }, 'sandbox_lost'],
    [{ end: 'cancelled', exitCode: null }, 'interrupted'],
  ] as const)('that ends as %j fails as %s and keeps its output', async (outcome, failure) => {
    await withSandbox((_order, print) => {
      print('stdout', 'out')
      print('stderr', 'err')
      return outcome
    })
    const asked = await submit()
    decide(asked)
    expect(await final(asked)).toMatchObject({
      status: 'failed',
      failure,
      result: { stdout: 'out', stderr: 'err' },
    })
  })

  it('holds a placeholder, another for each run, unless raw was approved; the value is with the gateway', async () => {
    const value = 'sk-demo-value-0123456789'
    put('A_KEY', value)
    put('RAW_KEY', value)
    const request = { secrets: [{ name: 'A_KEY' }, { name: 'RAW_KEY', mode: 'raw' as const }] }
    for (const argsJson of ['{"run":1}', '{"run":2}']) {
      const asked = await submit({ ...request, network: ['a.com'], argsJson })
      decide(asked)
      await final(asked)
    }
    const held = orders().map((order) => order.secrets.get('A_KEY')?.open())
    for (const text of held) expect(text).toMatch(/^sk-oauth3x[0-9a-f]{40}$/)
    expect(new Set(held).size).toBe(2)
    for (const [index, { secrets, egress }] of orders().entries()) {
      expect(secrets.get('RAW_KEY')?.open()).toBe(value)
      expect(egress?.policy.secrets.map(({ name, placeholder }) => [name, placeholder])).toEqual([
        ['A_KEY', held[index]],
      ])
      expect(egress?.policy.secrets[0]?.value.open()).toBe(value)
      expect(egress?.ended).toBe(true)
    }
  })

  it('tells with its result what it did on the network', async () => {
    const record = { method: 'GET', path: '/', requestBytes: 0, responseBytes: 0, secrets: [], misplaced: [] }
    await withSandbox((order) => {
      order.egress?.record({ ...record, origin: 'https://a.com', status: 200, refused: null })
      for (const _time of [1, 2])
        order.egress?.record({
          ...record,
          origin: 'https://evil.com',
          status: null,
          refused: 'host_not_approved',
        })
      return {}
    })
    const asked = await submit({ network: ['a.com'] })
    decide(asked)
    expect((await final(asked)).result?.network).toEqual({
      requests: 3,
      refused: [{ rule: 'host_not_approved', origin: 'https://evil.com', secrets: [], count: 2 }],
      moreRefused: 0,
    })
    expect(events(asked).filter((event) => event.startsWith('egress.'))).toEqual([
      'egress.request',
      'egress.refused',
      'egress.refused',
    ])
  })

  it('stores its output without the secret, in any usual form', async () => {
    const value = 'demo-value-0123456789'
    const forms = [
      value,
      Buffer.from(value).toString('base64'),
      Buffer.from(value).toString('hex'),
      encodeURIComponent(value),
    ]
    await withSandbox((order, print) => {
      expect(order.secrets.get('A_KEY')?.open()).toBe(value)
      for (const form of forms) print('stdout', `got ${form}\n`)
      print('stdout', value.slice(0, 9))
      print('stdout', value.slice(9))
      print('stderr', `Error: ${value}`)
      return {}
    })
    put('A_KEY', value)
    const asked = await submit({ secrets: [{ name: 'A_KEY', mode: 'raw' }] })
    decide(asked)
    const done = await final(asked)
    expect(done.result?.stdout).toContain('[secret:A_KEY]')
    kit.db.pragma('wal_checkpoint(TRUNCATE)')
    const dump = JSON.stringify([
      kit.db.prepare('SELECT * FROM executions').all(),
      kit.db.prepare('SELECT * FROM audit_log').all(),
    ])
    for (const form of forms) expect(dump).not.toContain(form)
  })

  it('that breaks inside the daemon is interrupted, not repeated', async () => {
    await withSandbox(() => {
      throw new TypeError('a defect')
    })
    const asked = await submit()
    decide(asked)
    expect(await final(asked)).toMatchObject({ status: 'failed', failure: 'interrupted', result: null })
    expect(kit.defects).toHaveLength(1)
    expect(orders()).toHaveLength(1)
  })

  it('is put back while no sandbox takes it, and fails when that lasts too long', async () => {
    let tries = 0
    await withSandbox(() => {
      if (++tries < 2) throw new SandboxUnavailable('the engine is away')
      return {}
    })
    const asked = await submit()
    decide(asked)
    await expect.poll(() => status(asked)).toBe('approved')
    expect(await final(asked)).toMatchObject({ status: 'success' })
    expect(events(asked)).toContain('execution.postponed')
    tries = Number.NEGATIVE_INFINITY
    const never = await submit({ argsJson: '{}' })
    decide(never)
    await expect.poll(() => status(never)).toBe('approved')
    now += 60_001
    expect(await final(never)).toMatchObject({
      status: 'failed',
      failure: 'sandbox_unavailable',
      result: null,
    })
  })

  it('has its whole patience also when it was approved long ago', async () => {
    let tries = 0
    await withSandbox(() => {
      if (++tries < 2) throw new SandboxUnavailable('the engine is away')
      return {}
    })
    const asked = await submit({ secrets: [{ name: 'A_KEY' }] })
    decide(asked)
    now += 30 * 60_000
    put('A_KEY')
    expect(await final(asked)).toMatchObject({ status: 'success' })
  })

  it('keeps its outcome until the disk takes it, and is not repeated meanwhile', async () => {
    await withSandbox((_order, print) => {
      kit.db.pragma('query_only = ON')
      print('stdout', 'precious')
      return {}
    })
    const asked = await submit()
    decide(asked)
    await expect.poll(() => kit.defects.length).toBe(1)
    expect(status(asked)).toBe('running')
    kit.db.pragma('query_only = OFF')
    expect(await final(asked)).toMatchObject({ status: 'success', result: { stdout: 'precious' } })
    expect(orders()).toHaveLength(1)
  })

  it('waits for the disk when its beginning cannot be written', async () => {
    const asked = await submit()
    decide(asked)
    kit.db.pragma('query_only = ON')
    await expect.poll(() => kit.defects.length).toBe(1)
    expect([status(asked), orders().length]).toEqual(['approved', 0])
    kit.db.pragma('query_only = OFF')
    expect(await final(asked)).toMatchObject({ status: 'success' })
  })
})

describe('after a restart', () => {
  it('what ran is failed as interrupted, and what was approved runs', async () => {
    await withSandbox(() => new Promise(() => {}))
    const running = await submit()
    decide(running)
    await expect.poll(() => status(running)).toBe('running')
    const stopped = kit
    stopped.db.close()
    kit = await createDomainKit({ dir, clock })
    expect(kit.executions.find(running.requestId)).toMatchObject({ status: 'failed', failure: 'interrupted' })
    expect(orders()).toHaveLength(0)
    expect(kit.audit.verify().ok).toBe(true)
  })

  it('no approval is lost and none is used twice', async () => {
    const approved = await submit()
    kit.runs.drain(0)
    decide(approved)
    await sleep(10)
    expect(status(approved)).toBe('approved')
    await restart()
    expect(await final(approved)).toMatchObject({ status: 'success' })
    await restart()
    await sleep(10)
    expect(orders()).toHaveLength(0)
  })
})

describe('expiry and acknowledgement', () => {
  it('ends in one tick what nobody answered, and nothing earlier', async () => {
    const asked = await submit()
    now += TTL - 1
    kit.executions.tick()
    expect(status(asked)).toBe('pending')
    now += 1
    kit.executions.tick()
    expect(kit.executions.find(asked.requestId)).toMatchObject({ status: 'expired', finishedAt: now })
    expect(events(asked).at(-1)).toBe('execution.expired')
  })

  it('acknowledges what is final, once', async () => {
    const asked = await submit()
    expect(() => kit.executions.acknowledge(agent.id, asked.requestId)).toThrow(
      expect.objectContaining({ code: 'conflict' }),
    )
    decide(asked, 'deny')
    for (const _ of [1, 2]) expect(kit.executions.acknowledge(agent.id, asked.requestId).ackedAt).toBe(now)
    expect(events(asked).filter((event) => event === 'execution.acknowledged')).toHaveLength(1)
  })

  it('tells a follower of every transition, those of one moment too', async () => {
    put('KEY')
    const asked = await submit({ secrets: [{ name: 'KEY' }] })
    const seen: ExecutionStatus[] = []
    const following = (async () => {
      for await (const { status } of kit.executions.follow(asked.requestId, new AbortController().signal))
        seen.push(status)
    })()
    decide(asked)
    await following
    expect(seen).toEqual(['pending', 'approved', 'running', 'success'])
  })

  it('tells nobody of a transition that was undone', async () => {
    const asked = await submit()
    const seen: ExecutionStatus[] = []
    const leaving = new AbortController()
    const following = (async () => {
      for await (const { status } of kit.executions.follow(asked.requestId, leaving.signal)) seen.push(status)
    })()
    expect(() =>
      kit.transactor.transact(() => {
        decide(asked, 'deny')
        throw new Error('undone')
      }),
    ).toThrow('undone')
    await sleep(20)
    leaving.abort()
    await following
    expect(seen).toEqual(['pending'])
  })

  it('cancels what a revoked agent asked for and has not started', async () => {
    const other = addAgent(kit, 'other-agent')
    const mine = await submit()
    const theirs = await kit.executions.submit(other, requestOf())
    kit.agents.revoke(agent.name, 'cli:0')
    expect([status(mine), status(theirs)]).toEqual(['cancelled', 'pending'])
    expect(decide(mine)).toMatchObject({ accepted: false, reason: 'already_decided' })
  })

  it('does not run under a grant that was revoked while it waited', async () => {
    put('KEY')
    const first = await submit({ secrets: [{ name: 'KEY' }] })
    decide(first, 'forever')
    await final(first)
    kit.vault.remove('KEY', 'cli:0')
    const waiting = await submit({ secrets: [{ name: 'KEY' }] })
    expect(waiting).toMatchObject({ status: 'awaiting_secrets', trusted: true })
    const [grant] = kit.trust.list()
    kit.trust.revoke(grant?.id ?? 0, 'cli:0')
    put('KEY', 'demo-value-stored-anew')
    expect(await final(waiting)).toMatchObject({ status: 'failed', failure: 'trust_ended' })
  })

  it('opens no secret and writes no row again and again while it is known that no sandbox is there', async () => {
    let kind: 'docker' | 'unavailable' = 'docker'
    const sandbox = createScriptedSandbox()
    await restart({
      sandbox: { ...sandbox, status: async () => ({ ...(await sandbox.status()), kind }) },
    })
    put('KEY')
    const asked = await submit({ secrets: [{ name: 'KEY' }] })
    kind = 'unavailable'
    decide(asked)
    const rows = () => [...kit.audit.export()].length
    const before = rows()
    await sleep(2_500)
    expect([status(asked), rows()]).toEqual(['approved', before])
    kind = 'docker'
    expect((await final(asked)).status).toBe('success')
  })

  it('asks a person only so often in an hour, also when it takes back what it asked', async () => {
    await restart({ maxWaitingPerAgent: 2 })
    const askAndCancel = async (n: number) =>
      kit.executions.cancel(agent.id, (await submit({ argsJson: `{"n":${n}}` })).requestId)
    for (let n = 0; n < 6; n++) await askAndCancel(n)
    await expect(askAndCancel(6)).rejects.toMatchObject({ code: 'rate_limited' })
    now += 3_600_001
    await askAndCancel(7)
  })

  it('takes "any args" only where there were args to see', async () => {
    const bare = await submit()
    expect(decide(bare, 'forever_any')).toMatchObject({ accepted: false, reason: 'not_offered' })
    expect(status(bare)).toBe('pending')
  })

  it('wakes a waiting caller at the end, and lets one go that went away', async () => {
    const asked = await submit()
    const leaving = new AbortController()
    const left = kit.executions.wait(asked.requestId, 60_000, leaving.signal)
    leaving.abort()
    expect((await left).status).toBe('pending')
    expect((await kit.executions.wait(asked.requestId, 10, new AbortController().signal)).status).toBe(
      'pending',
    )
    const seen: string[] = []
    const following = (async () => {
      for await (const { status: state } of kit.executions.follow(
        asked.requestId,
        new AbortController().signal,
      ))
        seen.push(state)
    })()
    decide(asked, 'deny')
    await following
    expect([seen.at(0), seen.at(-1)]).toEqual(['pending', 'denied'])
  })
})
