import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunHooks, RunOutcome } from '../../src/claude-runs/index.ts'
import { type ClaudeRunsKit, startClaudeRuns } from '../support/claude-runs-kit.ts'
import { collect } from '../support/collect.ts'

type Json = Record<string, unknown>
const json = async (response: Response): Promise<Json> => (await response.json()) as Json

let kit: ClaudeRunsKit
/** Runs that were handed over and wait for the test to end them. */
let held: { readonly hooks: RunHooks; readonly end: (outcome: Partial<RunOutcome>) => void }[]
beforeEach(async () => {
  held = []
  kit = await startClaudeRuns({ environment: { CLAWDFORGE_MAX_RUNS: '1' } })
  kit.runner.play = (_order, hooks) =>
    new Promise((end) => {
      held.push({ hooks, end })
    })
})
afterEach(() => kit[Symbol.asyncDispose]())

const nextHeld = (count: number) => expect.poll(() => held.length).toBe(count)
const rowOf = async (id: unknown) => await kit.storage.read((tx) => tx.claudeRuns.byId(id as never))

describe('the queue', () => {
  it('lets one run wait for two others at most, whoever posted two hundred', async () => {
    kit.runner.play = async () => ({})
    const [busy, small] = [await kit.addApp('busy'), await kit.addApp('small')]
    const gate = Promise.withResolvers<void>()
    kit.runner.play = () => gate.promise.then(() => ({}))
    const many = Array.from({ length: 200 }, (_, at) =>
      kit.postRun(busy.token, { prompt: `busy ${at}`, detach: true }),
    )
    expect(new Set((await Promise.all(many)).map(({ status }) => status))).toEqual(new Set([202]))
    const one = await json(await kit.postRun(small.token, { prompt: 'small', detach: true }))
    expect(one).toMatchObject({ state: 'queued', position: 1 })
    kit.runner.play = () => ({})
    gate.resolve()
    await expect.poll(async () => (await rowOf(one.run_id))?.state).toBe('done')
    const before = kit.runner.orders.findIndex(({ prompt }) => prompt === 'small')
    expect(before).toBeLessThanOrEqual(2)
    await expect.poll(() => kit.runs.counts, { timeout: 60_000 }).toEqual({ running: 0, waiting: 0 })
    expect(kit.runner.orders).toHaveLength(201)
  })

  it('leaves a place and room to wait to the next app, however many others take all they get', async () => {
    await using wide = await startClaudeRuns({
      environment: { CLAWDFORGE_MAX_RUNS: '3', CLAWDFORGE_MAX_WAITING: '8' },
    })
    wide.runner.play = () => new Promise(() => {})
    const post = async (token: string): Promise<number> =>
      (await wide.postRun(token, { prompt: 'x', detach: true })).status
    const [busy, small] = [await wide.addApp('busy'), await wide.addApp('small')]
    expect(await Promise.all(Array.from({ length: 50 }, () => post(busy.token)))).toContain(429)
    await expect.poll(() => wide.runner.orders.length).toBe(2)
    expect(await post(small.token)).toBe(202)
    await expect.poll(() => wide.runner.orders.length).toBe(3)
    for (const name of ['b', 'c', 'd', 'e']) {
      const { token } = await wide.addApp(name)
      const answers = await Promise.all(Array.from({ length: 10 }, () => post(token)))
      expect([name, answers.includes(202), answers.includes(429)]).toEqual([name, true, true])
    }
    expect(await post(small.token)).toBe(202)
  })

  it('is bounded: who comes on top is told when to come again', async () => {
    await using full = await startClaudeRuns({
      environment: { CLAWDFORGE_MAX_RUNS: '1', CLAWDFORGE_MAX_WAITING: '2' },
    })
    const never = Promise.withResolvers<Partial<RunOutcome>>()
    full.runner.play = () => never.promise
    const { token } = await full.addApp()
    for (const at of [1, 2, 3])
      expect((await full.postRun(token, { prompt: `${at}`, detach: true })).status).toBe(202)
    const refused = await full.postRun(token, { prompt: 'one more', detach: true })
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect(await json(refused)).toMatchObject({ ok: false, code: 'rate_limited' })
    const rows = await full.storage.read((tx) => tx.claudeRuns.list({ limit: 10 }))
    expect(rows).toHaveLength(3)
  })

  it('gives back the place of a run that was not stored', async () => {
    const { token } = await kit.addApp('demo', { limits: { runsPerDay: 1 } })
    const first = await json(await kit.postRun(token, { prompt: 'a', detach: true }))
    await nextHeld(1)
    held[0]?.end({})
    await expect.poll(async () => (await rowOf(first.run_id))?.state).toBe('done')
    expect((await kit.postRun(token, { prompt: 'b' })).status).toBe(429)
    const { token: other } = await kit.addApp('other')
    await kit.postRun(other, { prompt: 'c', detach: true })
    await nextHeld(2)
    expect(kit.installation.claudeRuns?.places).toMatchObject({ running: 1, waiting: 0 })
  })
})

describe('an Idempotency-Key', () => {
  it('is one run, however many ask at once, and another body is a conflict', async () => {
    const { token } = await kit.addApp()
    const key = { 'idempotency-key': 'one' }
    const all = Array.from({ length: 8 }, () => kit.postRun(token, { prompt: 'hi' }, key))
    await nextHeld(1)
    await delay(50)
    held[0]?.end({ result: 'once' })
    const answers = await Promise.all(all.map(async (answer) => await json(await answer)))
    expect(new Set(answers.map(({ run_id }) => run_id)).size).toBe(1)
    expect(answers.every(({ ok, result }) => ok === true && result === 'once')).toBe(true)
    expect(kit.runner.orders).toHaveLength(1)
    const other = await kit.postRun(token, { prompt: 'another' }, key)
    expect([other.status, (await json(other)).code]).toEqual([409, 'idempotency_conflict'])
    // The same words under the key of another app are its own run.
    const { token: stranger } = await kit.addApp('stranger')
    const theirs = kit.postRun(stranger, { prompt: 'hi' }, key)
    await nextHeld(2)
    held[1]?.end({})
    expect((await json(await theirs)).run_id).not.toBe(answers[0]?.run_id)
  })
})

describe('an end before the end', () => {
  it('comes when the caller leaves, and not to a run that is detached', async () => {
    const { token } = await kit.addApp()
    const leaving = new AbortController()
    const left = kit.postRun(token, { prompt: 'left' }, {}, leaving.signal).catch(() => 'gone')
    await nextHeld(1)
    leaving.abort()
    expect(await left).toBe('gone')
    const state = async (): Promise<unknown> =>
      (await kit.storage.read((tx) => tx.claudeRuns.list({ limit: 1 })))[0]?.state
    await expect.poll(state).toBe('cancelled')
    const [row] = await kit.storage.read((tx) => tx.claudeRuns.list({ limit: 1 }))
    expect(row).toMatchObject({ code: 'cancelled', microUsd: 1_500 })

    const stays = await json(await kit.postRun(token, { prompt: 'stays', detach: true }))
    await nextHeld(2)
    held[1]?.end({ result: 'there' })
    await expect
      .poll(async () => await json(await kit.call(`/run/${stays.run_id}`, token)))
      .toMatchObject({ ok: true, result: 'there' })
  })

  it('comes by DELETE, of one that runs and of one that waits', async () => {
    const { token } = await kit.addApp()
    const runs = kit.postRun(token, { prompt: 'runs' })
    await nextHeld(1)
    const waits = await json(await kit.postRun(token, { prompt: 'waits', detach: true }))
    const gone = await json(await kit.call(`/run/${waits.run_id}`, token, { method: 'DELETE' }))
    expect(gone).toMatchObject({ ok: false, state: 'cancelled', started_at: null, cost_usd: null })
    const [row] = await kit.storage.read((tx) => tx.claudeRuns.open(5))
    const since = performance.now()
    const ended = await json(await kit.call(`/run/${row?.id}`, token, { method: 'DELETE' }))
    expect(performance.now() - since).toBeLessThan(30_000)
    expect(ended).toMatchObject({ state: 'cancelled', code: 'cancelled', cost_usd: 0.0015 })
    const answer = await runs
    expect([answer.status, (await json(answer)).ok]).toEqual([409, false])
    expect(await json(await kit.call(`/run/${row?.id}`, token, { method: 'DELETE' }))).toEqual(ended)
    const told = (await collect(kit.audit.export())).filter(({ event }) => event === 'run.cancelled')
    expect(told).toHaveLength(2)
  })

  it('comes to all of an app that is revoked, whose token is refused, and to nobody else', async () => {
    await using wide = await startClaudeRuns({ environment: { CLAWDFORGE_MAX_RUNS: '4' } })
    wide.runner.play = () => new Promise(() => {})
    const [one, other] = [await wide.addApp('one'), await wide.addApp('other')]
    const mine = await json(await wide.postRun(one.token, { prompt: 'a', detach: true }))
    const theirs = await json(await wide.postRun(other.token, { prompt: 'b', detach: true }))
    await expect.poll(() => wide.runner.orders.length).toBe(2)
    await wide.apps.revoke('one', 'cli:0')
    const stateOf = async (id: unknown): Promise<unknown> =>
      (await wide.storage.read((tx) => tx.claudeRuns.byId(id as never)))?.state
    await expect.poll(() => stateOf(mine.run_id)).toBe('cancelled')
    expect(await stateOf(theirs.run_id)).toBe('running')
    expect((await wide.call(`/run/${mine.run_id}`, one.token)).status).toBe(401)
  })

  it('comes by panic, which refuses what comes then, and gives nothing away', async () => {
    const { token } = await kit.addApp()
    const done = kit.postRun(token, { prompt: 'done' })
    await nextHeld(1)
    held[0]?.end({ result: 'secret answer' })
    const { run_id } = await json(await done)
    const runs = kit.postRun(token, { prompt: 'runs' })
    await nextHeld(2)
    await kit.lockdown.begin({ actor: 'cli:0', name: null })
    expect((await runs).status).toBe(409)
    const refused = await kit.postRun(token, { prompt: 'late' })
    expect([refused.status, (await json(refused)).code]).toEqual([503, 'locked'])
    expect((await kit.call(`/run/${run_id}`, token)).status).toBe(503)
    await kit.lockdown.end('cli:0')
    expect(await json(await kit.call(`/run/${run_id}`, token))).toMatchObject({ result: 'secret answer' })
  })
})

it('what cannot be stored ends a run as a defect, once, with what it cost', async () => {
  const { token } = await kit.addApp()
  const answer = kit.postRun(token, { prompt: 'odd' })
  await nextHeld(1)
  // PostgreSQL and SQLite refuse it alike.
  held[0]?.end({ stopReason: 'a\0b' })
  expect((await answer).status).toBe(500)
  expect(await json(await answer)).toMatchObject({ ok: false, code: 'internal', cost_usd: 0.0015 })
  expect(kit.defects.splice(0)).toHaveLength(1)
  expect(kit.runs.counts).toEqual({ running: 0, waiting: 0 })
})
