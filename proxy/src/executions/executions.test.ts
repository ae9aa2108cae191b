import type { fdatasync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { addAgent, createScriptedSandbox, requestOf } from '../../test/support/domain-kit.ts'
import { TTL, useExecutions } from '../../test/support/executions-kit.ts'
import { asAgent } from '../../test/support/principals.ts'
import { canBecome, EXECUTION_STATES, type Execution, isFinal } from './execution.ts'
import type { ExecuteRequest } from './request.ts'

const world = useExecutions()
const { submit, decide, final, orders, events, restart, status, put } = world

const rowCount = (table: string): number =>
  world.kit.db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0

describe('the states of an execution', () => {
  it('follow the table: a final state goes nowhere, and only approved becomes running', () => {
    const edges = EXECUTION_STATES.map((from) => [from, EXECUTION_STATES.filter((to) => canBecome(from, to))])
    expect(Object.fromEntries(edges)).toEqual({
      pending: ['approved', 'failed', 'denied', 'expired', 'cancelled'],
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
    expect(asked).toMatchObject({ status: 'pending', trusted: false, expiresAt: world.now + TTL })
    expect(await decide(asked)).toMatchObject({
      accepted: true,
      subject: { status: 'approved', decidedBy: 'telegram:7' },
    })
    expect(await final(asked)).toMatchObject({
      status: 'success',
      result: { stdout: 'hello\n', exitCode: 0 },
    })
    expect(orders()).toHaveLength(1)
    expect(await events(asked)).toEqual([
      'request.received',
      'approval.decided',
      'execution.started',
      'execution.finished',
    ])
    expect((await world.kit.audit.verify()).ok).toBe(true)
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
    await decide(asked)
    await expect.poll(() => waiting.length).toBe(1)
    expect([await status(asked), orders().length]).toEqual(['running', 0])
    waiting.shift()?.(Object.assign(new Error('input/output error'), { code: 'EIO' }))
    await expect.poll(() => status(asked)).toBe('approved')
    expect(orders()).toEqual([])
    isHeld = false
    for (const done of waiting.splice(0)) done(null)
    expect(await final(asked)).toMatchObject({ status: 'success' })
    expect(orders()).toHaveLength(1)
  })

  it('runs at once under a grant, and the next of the same kind too', async () => {
    await decide(await submit(), 'forever')
    const trusted = await submit()
    expect(trusted).toMatchObject({ trusted: true, status: 'running' })
    expect(await final(trusted)).toMatchObject({ status: 'success' })
    expect(await submit({ network: ['evil.com'] })).toMatchObject({
      status: 'pending',
      changes: ['network: + GET evil.com, ANY path'],
    })
  })

  it('asks again after it was allowed once', async () => {
    const first = await submit()
    await decide(first)
    await final(first)
    expect(await submit()).toMatchObject({ status: 'pending' })
  })

  it('collapses into its waiting duplicate, for the same agent only', async () => {
    const first = await submit()
    expect((await submit()).requestId).toBe(first.requestId)
    expect((await submit({ argsJson: '{"a":1}' })).requestId).not.toBe(first.requestId)
    const other = await addAgent(world.kit, 'other')
    expect((await world.kit.executions.submit(other, requestOf())).requestId).not.toBe(first.requestId)
  })

  it('does not collapse into a duplicate that has run out, even before anybody noticed', async () => {
    const first = await submit()
    world.now += TTL
    const second = await submit()
    expect(second).toMatchObject({ status: 'pending' })
    expect(second.requestId).not.toBe(first.requestId)
    expect(await status(first)).toBe('expired')
  })

  it('gives the first answer to a repeat with its idempotency key, and a conflict to another body', async () => {
    const first = await submit({}, { key: 'k', bodyHash: 'x' })
    await decide(first, 'deny')
    expect((await submit({}, { key: 'k', bodyHash: 'x' })).requestId).toBe(first.requestId)
    await expect(submit({}, { key: 'k', bodyHash: 'y' })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    })
    const other = await addAgent(world.kit, 'other')
    const theirs = await world.kit.executions.submit(other, requestOf(), { key: 'k', bodyHash: 'y' })
    expect(theirs.requestId).not.toBe(first.requestId)
    await Promise.all([1, 2, 3].map(() => submit({ argsJson: '{"b":1}' }, { key: 'k2', bodyHash: 'z' })))
    expect(rowCount('executions')).toBe(3)
    world.now += 24 * TTL + 1
    await world.kit.executions.tick()
    expect((await submit({}, { key: 'k', bodyHash: 'y' })).requestId).not.toBe(first.requestId)
  })

  it('is limited to so many that wait, missing secrets counted, and others are not held up', async () => {
    await restart({ maxWaitingPerAgent: 2 })
    await decide(await submit({ secrets: [{ name: 'MISSING' }], argsJson: '{}' }), 'forever_any')
    await submit({ skillId: 'untrusted' })
    const more = [
      submit({ skillId: 'untrusted-2' }),
      submit({ secrets: [{ name: 'MISSING' }], argsJson: '{"a":4}' }),
    ]
    for (const attempt of more)
      await expect(attempt).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 30 })
    expect(rowCount('executions')).toBe(2)
    expect(await world.kit.executions.submit(await addAgent(world.kit, 'other'), requestOf())).toMatchObject({
      status: 'pending',
    })
  })

  it.each<[string, Partial<ExecuteRequest>, string]>([
    ['empty code', { code: ' \n' }, 'invalid_request'],
    ['a NUL in the code', { code: 'x = "a\0b"' }, 'invalid_request'],
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
    const execution = await world.kit.executions.submit(world.agent, link)
    expect(world.kit.executions.consentOf(execution)).toMatchObject({
      source: { relation: 'fetched' },
      secrets: [{ name: 'DEMO_KEY', mode: 'placeholder', hosts: ['api.example.com'], in: ['header'] }],
      network: [{ host: 'api.example.com', methods: ['GET'], paths: ['/**'] }],
      limits: { timeout_ms: 5_000 },
    })
    const same = await submit({ code: text, skillUrl: 'https://example.com/x.ts' })
    expect(world.kit.executions.consentOf(same)).toMatchObject({
      source: { relation: 'same' },
      secrets: [],
      network: [],
    })
    const different = await submit({ skillUrl: 'https://example.com/x.ts' })
    expect(world.kit.executions.consentOf(different).source?.relation).toBe('different')
  })

  it.each(['a\r\nb\n', '\ufeffconsole.log(1)', 'x  \t\n\n\n', 'a\x01b', 'é e\u0301'])(
    'shows, hashes and runs the bytes of %j',
    async (code) => {
      const execution = await submit({ code })
      expect(await world.kit.storage.read((tx) => world.kit.executions.codeOf(tx, execution))).toBe(code)
      await decide(execution)
      await final(execution)
      expect(orders()).toMatchObject([{ code }])
    },
  )

  it('is seen by its own agent only', async () => {
    const execution = await submit()
    const other = await addAgent(world.kit, 'other')
    const notFound = expect.objectContaining({ code: 'not_found' })
    await expect(
      world.kit.storage.read((tx) =>
        world.kit.executions.readFor(tx, asAgent(other.id), 'execution.read', execution.requestId),
      ),
    ).rejects.toThrow(notFound)
    await expect(world.kit.executions.cancel(asAgent(other.id), execution.requestId)).rejects.toThrow(
      notFound,
    )
    await expect(world.kit.executions.acknowledge(asAgent(other.id), execution.requestId)).rejects.toThrow(
      notFound,
    )
    expect(
      await world.kit.storage.read((tx) => world.kit.executions.list(tx, { agentId: other.id, limit: 10 })),
    ).toEqual([])
  })

  it('is found by an unambiguous beginning of its id', async () => {
    const execution = await submit()
    const short = execution.requestId.slice(4, 12)
    expect((await world.kit.executions.resolve(short)).requestId).toBe(execution.requestId)
    await submit({ argsJson: '{}' })
    await expect(world.kit.executions.resolve('req_')).rejects.toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
    await expect(world.kit.executions.resolve('zz')).rejects.toThrow(
      expect.objectContaining({ code: 'not_found' }),
    )
  })
})

describe('a card', () => {
  const warnings = async (execution: Execution): Promise<string> =>
    (await world.kit.storage.read((tx) => world.kit.executions.cardOf(tx, execution))).warnings
      .map(({ text }) => text)
      .join('\n')

  it('warns of names that look like what the owner stored, trusted and bound', async () => {
    await put('STRIPE_KEY', 'demo-value-0123456789', ['api.stripe.com'])
    const trusted = await submit({ skillId: 'weather-report', network: ['api.weather-demo.com'] })
    await decide(trusted, 'forever')
    await final(trusted)
    const asked = await submit({
      skillId: 'weather-rep0rt',
      code: 'console.log("another")\n',
      secrets: [{ name: 'STR1PE_KEY' }],
      network: ['api.str1pe.com', 'api.weather-dem0.com'],
    })
    expect(await warnings(asked)).toMatch(/STR1PE_KEY looks like the stored STRIPE_KEY/)
    expect(await warnings(asked)).toMatch(/weather-rep0rt looks like the trusted weather-report/)
    expect(await warnings(asked)).toMatch(/api\.str1pe\.com.*api\.stripe\.com/)
    expect(await warnings(asked)).toMatch(/api\.weather-dem0\.com.*api\.weather-demo\.com/)
  })

  it('of a request that waited while the daemon was renewed is read anew', async () => {
    const asked = await submit({ code: 'eval(atob("MQ=="))\n', dynamicCode: true })
    const before = await world.kit.storage.read((tx) => world.kit.executions.cardOf(tx, asked))
    world.kit.db.exec('DELETE FROM code_facts')
    await restart()
    const waiting = (await world.kit.storage.read((tx) =>
      world.kit.executions.find(tx, asked.requestId),
    )) as Execution
    expect(
      (await world.kit.storage.read((tx) => world.kit.executions.cardOf(tx, waiting))).warnings,
    ).not.toEqual(before.warnings)
    await world.kit.executions.readWaiting()
    expect((await world.kit.storage.read((tx) => world.kit.executions.cardOf(tx, waiting))).warnings).toEqual(
      before.warnings,
    )
  })
})
