import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AppId } from '../../src/kernel/index.ts'
import { owner } from '../support/principals.ts'
import { errorOf, MODEL, message, type TestRun, useRunEndpoints } from '../support/run-endpoint-kit.ts'
import { UNLIMITED } from '../support/usage-kit.ts'
import { begin, type VendorCall, write } from '../support/vendor-doubles.ts'
import { billed, talkative } from '../support/vendor-meter.ts'

const kit = useRunEndpoints()
beforeAll(() => kit.addKey())

const arrived = (): number => kit.vendors.callsTo('anthropic').length
const INPUT = 20
/** What the vendor charges for these calls, in dollars. */
const charged = (calls: readonly VendorCall[]): number =>
  calls.reduce((sum, call) => sum + (INPUT * 3 + billed(call, INPUT).output * 15) / 1_000_000, 0)
const playTalkative = (times: number): void => {
  for (let at = 0; at < times; at += 1) kit.vendors.next('anthropic', talkative(INPUT))
}
const budget = (of: { usd?: number; tokens?: number; requests?: number }) => ({
  budget: { usd: null, tokens: null, requests: null, ...of },
})

/** A stream that tells its input, says a word, and then nothing until it is let go. */
function playSlow(): { readonly finish: () => void; readonly call: Promise<VendorCall> } {
  const go = Promise.withResolvers<void>()
  kit.vendors.next('anthropic', async (call, response) => {
    begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
    const start = {
      type: 'message_start',
      message: { model: MODEL, usage: { input_tokens: INPUT, output_tokens: 1 } },
    }
    await write(call, response, `event: message_start\ndata: ${JSON.stringify(start)}\n\n`)
    await Promise.race([go.promise, call.gone])
    const end = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 40 } }
    await write(call, response, `event: message_delta\ndata: ${JSON.stringify(end)}\n\n`)
    await write(call, response, 'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    response.end()
  })
  return { finish: () => go.resolve(), call: kit.vendors.nextCall('anthropic') }
}

describe('the budget of a run', () => {
  it('lowers a large declared maximum, and is not passed by an answer that takes all of it', async () => {
    const run = await kit.run(budget({ usd: 0.1 }))
    playTalkative(1)
    const answer = await run.ask(message())
    expect(answer.status).toBe(200)
    const call = kit.vendors.callsTo('anthropic').at(-1) as VendorCall
    expect(call.json.max_tokens).toBeGreaterThan(5_000)
    expect(charged([call])).toBeLessThanOrEqual(0.1)
    expect(run.binding.usage().costUsd).toBeCloseTo(charged([call]), 5)
    const next = await run.ask(message())
    expect(errorOf(next)).toEqual({ status: 402, code: 'budget_exceeded' })
    expect(next.headers['x-should-retry']).toBe('false')
    expect(next.headers['retry-after']).toBeUndefined()
    expect(JSON.parse(next.text)).toMatchObject({ type: 'error', error: { type: 'billing_error' } })
    expect(run.binding.refusal()).toMatchObject({ code: 'budget_exceeded' })
    expect(run.binding.refusal()?.message).toMatch(/budget of dollars/)
  })

  it.each([
    ['money', { usd: 0.05 }],
    ['tokens', { tokens: 4_000 }],
    ['requests', { requests: 3 }],
    ['nothing', { usd: 0 }],
  ])('is passed by no number of calls one after another: %s', async (what, of) => {
    const run = await kit.run(budget(of))
    const before = arrived()
    playTalkative(20)
    let last = await run.ask(message({ max_tokens: 1_200 }))
    for (let at = 0; at < 20 && last.status === 200; at += 1)
      last = await run.ask(message({ max_tokens: 1_200 }))
    expect(errorOf(last)).toEqual({ status: 402, code: 'budget_exceeded' })
    const calls = kit.vendors.callsTo('anthropic').slice(before)
    expect(calls.length > 0).toBe(what !== 'nothing')
    if ('usd' in of) expect(charged(calls)).toBeLessThanOrEqual(of.usd)
    if ('tokens' in of) {
      expect(calls.reduce((sum, call) => sum + INPUT + billed(call, INPUT).output, 0)).toBeLessThanOrEqual(
        4_000,
      )
    }
    if ('requests' in of) expect(calls).toHaveLength(3)
  })

  it('is not passed by calls at once, which wait for each other instead', async () => {
    const run = await kit.run(budget({ usd: 0.2 }))
    const before = arrived()
    playTalkative(40)
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => run.ask(message({ max_tokens: 2_000 }))),
    )
    const calls = kit.vendors.callsTo('anthropic').slice(before)
    expect(charged(calls)).toBeLessThanOrEqual(0.2)
    expect(calls.length).toBeGreaterThanOrEqual(6)
    const refused = answers.filter(({ status }) => status !== 200)
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 402))
    expect(calls.length + refused.length).toBe(40)
  })

  it('holds for the one that waits what the first one left of it', async () => {
    const run = await kit.run(budget({ tokens: 3_000 }))
    const slow = playSlow()
    const first = run.begin(message({ max_tokens: 2_500, stream: true }))
    await slow.call
    const second = run.ask(message({ max_tokens: 2_500 }))
    await first.first()
    expect(run.binding.usage().underWay).toBe(1)
    playTalkative(1)
    slow.finish()
    expect((await first.answer).text).toContain('message_stop')
    expect((await second).status).toBe(200)
    const call = kit.vendors.callsTo('anthropic').at(-1) as VendorCall
    expect(call.json.max_tokens).toBeLessThanOrEqual(2_500)
    const { inputTokens, outputTokens } = run.binding.usage()
    expect(inputTokens + outputTokens).toBeLessThanOrEqual(3_000)
  })

  it('counts streams that are left early with what they used, or with all that was reserved', async () => {
    const run = await kit.run(budget({ tokens: 10_000 }))
    const slow = playSlow()
    const leaving = run.begin(message({ max_tokens: 2_000, stream: true }))
    const call = await slow.call
    await leaving.first()
    leaving.request.destroy()
    slow.finish()
    await expect.poll(() => run.binding.usage().underWay).toBe(0)
    expect(run.binding.usage()).toMatchObject({ inputTokens: INPUT, outputTokens: 40 })
    // One that breaks off at the vendor tells no figures: all of it counts.
    kit.vendors.next('anthropic', async (one, response) => {
      begin(one, response, { headers: { 'content-type': 'text/event-stream' } })
      await write(one, response, 'event: ping\ndata: {"type":"ping"}\n\n')
      response.destroy()
    })
    await run.ask(message({ max_tokens: 9_000, stream: true })).catch(() => {})
    await expect.poll(() => run.binding.usage().underWay).toBe(0)
    expect(errorOf(await run.ask(message({ max_tokens: 1_024 })))).toEqual({
      status: 402,
      code: 'budget_exceeded',
    })
    expect(call.json.max_tokens).toBe(2_000)
  })

  it('is not passed by a thinking budget, below which no maximum is lowered', async () => {
    const run = await kit.run(budget({ tokens: 6_000 }))
    const before = arrived()
    const thinking = { type: 'enabled', budget_tokens: 10_000 }
    const answer = await run.ask(message({ thinking }))
    expect(errorOf(answer)).toEqual({ status: 402, code: 'budget_exceeded' })
    expect(arrived()).toBe(before)
    const fits = await run.ask(message({ thinking: { ...thinking, budget_tokens: 2_000 } }))
    expect(fits.status).toBe(200)
    expect(kit.vendors.callsTo('anthropic').at(-1)?.json.max_tokens).toBeGreaterThanOrEqual(3_024)
  })

  it.each([
    ['a search of the vendor’s', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
    [
      'code that runs at the vendor',
      { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] },
    ],
    [
      'a tool with a model of its own',
      { tools: [{ type: 'advisor_20260301', name: 'advisor', model: MODEL }] },
    ],
    ['a tool server', { mcp_servers: [{ type: 'url', url: 'https://mcp.example', name: 'x' }] }],
    ['a faster tier', { speed: 'fast' }],
    ['a member that nobody knows', { fan_out: 8 }],
    ['a model without a price', { model: 'claude-unheard-of' }],
  ])('is not spent on what cannot be counted: %s', async (_name, more) => {
    const run = await kit.run(budget({ usd: 1 }))
    const before = arrived()
    const answer = await run.ask(message(more))
    expect(errorOf(answer)).toEqual({ status: 403, code: 'unmetered' })
    expect(arrived()).toBe(before)
    expect(run.binding.refusal()?.code).toBe('unmetered')
  })

  it('is not hidden in a body that is not looked through', async () => {
    const run = await kit.run(budget({ usd: 1 }))
    const before = arrived()
    const body = gzipSync(JSON.stringify(message())).toString('latin1')
    const answer = await run.ask(body, { headers: { 'content-encoding': 'gzip' } })
    expect(answer.status).toBe(403)
    expect(arrived()).toBe(before)
  })

  it('of one run is not all of its app’s', async () => {
    const app = { id: 'app_limited' as AppId, name: 'limited' }
    const limits = { ...UNLIMITED, tokensPerDay: 3_000 }
    const [one, other] = [
      await kit.run({ app, limits }),
      await kit.run({ app, limits, ...budget({ usd: 5 }) }),
    ]
    playTalkative(4)
    expect((await one.ask(message({ max_tokens: 2_000 }))).status).toBe(200)
    const before = arrived()
    const refused = await other.ask(message({ max_tokens: 2_000 }))
    expect(errorOf(refused)).toEqual({ status: 402, code: 'budget_exceeded' })
    expect(refused.text).toMatch(/limit of tokens a day for anthropic/)
    expect(arrived()).toBe(before)
    const another = await kit.run({ app: { id: 'app_free' as AppId, name: 'free' }, limits })
    expect((await another.ask(message({ max_tokens: 2_000 }))).status).toBe(200)
  })
})

describe('the end of a run', () => {
  const streaming = async (run: TestRun) => {
    const slow = playSlow()
    const under = run.begin(message({ stream: true }))
    const call = await slow.call
    expect(await under.first()).toContain('message_start')
    return { ...slow, call, answer: under.answer }
  }

  it('cuts what is under way, and what waits behind it', async () => {
    const run = await kit.run(budget({ tokens: 2_000 }))
    const { answer, finish } = await streaming(run)
    const waiting = run.ask(message({ max_tokens: 2_000 }))
    run.binding.end()
    expect((await answer).isCut).toBe(true)
    await expect(waiting).rejects.toThrow()
    finish()
    // Read on for its figures.
    expect(await run.binding.settled()).toMatchObject({ outputTokens: 40, underWay: 0, requests: 1 })
    await expect(run.ask(message())).rejects.toThrow()
  })

  it('breaks off at the vendor where it is cut', async () => {
    const run = await kit.run(budget({ tokens: 2_000 }))
    const { answer, call } = await streaming(run)
    run.binding.end('cut')
    expect((await answer).isCut).toBe(true)
    await call.gone
    expect(await run.binding.settled()).toMatchObject({ underWay: 0, outputTokens: 0 })
  })

  it('comes with a lockdown, which lets no run be bound', async () => {
    const run = await kit.run()
    const { answer, call } = await streaming(run)
    const by = owner()
    await kit.domain.lockdown.begin({ actor: `cli:${by.uid}`, name: by.name })
    expect((await answer).isCut).toBe(true)
    await call.gone
    await expect(run.ask(message())).rejects.toThrow()
    await expect(kit.run()).rejects.toMatchObject({ code: 'locked' })
    await kit.domain.lockdown.end(`cli:${by.uid}`)
    await expect(run.ask(message())).rejects.toThrow()
    expect((await (await kit.run()).ask(message())).status).toBe(200)
  })

  it('comes to its streams when the key is removed', async () => {
    const value = await kit.addKey(['fleeting'])
    const { id } = kit.domain.llm.keys.list('anthropic').find(({ tags }) => tags.includes('fleeting')) ?? {
      id: 0,
    }
    const run = await kit.run({ app: { id: 'app_fleeting' as AppId, name: 'fleeting', tags: ['fleeting'] } })
    const { answer, call, finish } = await streaming(run)
    expect(call.key).toBe(value)
    await kit.domain.storage.transaction((tx) => kit.domain.llm.keys.remove(tx, id, 'cli:1000'))
    finish()
    const { text } = await answer
    expect(text).toContain('took back')
    expect(text).not.toContain('message_stop')
  })
})
