/** The whole way of a run: app, port, queue, container of the real CLI, its socket, the LLM proxy, and the vendor played at the wire. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drainTenant } from '../../src/compose/daemon-tenant-lifecycle.ts'
import { isPublicAddress, SecretValue } from '../../src/kernel/index.ts'
import { type ClaudeRunsKit, startClaudeRuns } from '../support/claude-runs-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { messagesAnswer } from '../support/vendor-answers.ts'
import { startVendors, VENDOR_ADDRESS, type Vendors } from '../support/vendor-doubles.ts'

const availability = await dockerOrSkip({ images: ['claude'] })

type Json = Record<string, unknown>
const json = async (response: Response): Promise<Json> => (await response.json()) as Json

/** One whose price is known. */
const MODEL = 'claude-sonnet-4-5'

/** As the daemon's own stop does. */
const drain = async ({ tenants }: ClaudeRunsKit, ms: number): Promise<void> => {
  for (const parts of tenants.all()) await drainTenant(parts, ms)
}

describe.skipIf(!availability.available)('a run of the real CLI', () => {
  let vendors: Vendors
  let kit: ClaudeRunsKit
  let key: string
  const start = async (): Promise<ClaudeRunsKit> => {
    const started = await startClaudeRuns({
      isReal: true,
      environment: { CLAWDFORGE_POOL_SIZE: '0' },
      egress: {
        resolve: async () => [VENDOR_ADDRESS],
        isPublic: (address) => address === VENDOR_ADDRESS || isPublicAddress(address),
        portOf: ({ port }) => (port === 443 ? vendors.port : port),
        tls: { ca: vendors.ca },
      },
    })
    const value = new SecretValue(key)
    await started.storage.transaction((tx) =>
      started.llm.keys.add(tx, { provider: 'anthropic', tags: [], value }, 'cli:0'),
    )
    return started
  }
  beforeAll(async () => {
    vendors = await startVendors()
    key = vendors.addKey('anthropic')
    kit = await start()
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
    await vendors?.[Symbol.asyncDispose]()
  })

  it('answers by the owner’s key, and tells what it cost', async () => {
    const { token } = await kit.addApp('chain')
    const body = await json(
      await kit.postRun(token, { prompt: 'Say hello.', model: MODEL, timeout_secs: 60 }),
    )
    expect(body).toMatchObject({ ok: true, code: 'ok', stop_reason: 'end_turn' })
    expect(body.cost_usd).toBeGreaterThan(0)
    expect(body.usage).toMatchObject({ requests: 1, output_tokens: 15 })
    expect(vendors.callsTo('anthropic')).toHaveLength(1)
    expect(vendors.callsTo('anthropic')[0]?.headers['x-api-key']).toBe(key)
    expect(vendors.faults).toEqual([])
    expect(kit.defects).toEqual([])
  })

  it('over its budget makes no call', async () => {
    const { token } = await kit.addApp('poor')
    const before = vendors.callsTo('anthropic').length
    const answer = await kit.postRun(token, { prompt: 'Say hello.', model: MODEL, budget: { usd: 0.000_01 } })
    expect([answer.status, (await json(answer)).code]).toEqual([402, 'budget_exceeded'])
    expect(vendors.callsTo('anthropic')).toHaveLength(before)
  })

  it('streams, and is ended with its container while the vendor is silent', async () => {
    const { token } = await kit.addApp('slow')
    const called = vendors.nextCall('anthropic')
    vendors.next('anthropic', () => {})
    const { run_id: id } = await json(await kit.postRun(token, { prompt: 'x', model: MODEL, detach: true }))
    await called
    const ended = await json(await kit.call(`/run/${id}`, token, { method: 'DELETE' }))
    expect(ended).toMatchObject({ state: 'cancelled', code: 'cancelled' })
    expect((await kit.installation.claudeRuns?.runner.status())?.running).toBe(0)
  })

  it('finishes while the daemon stops, with every call of the model that it still makes', async () => {
    await using stopping = await start()
    const { token } = await stopping.addApp('stopping', { tools: ['Bash'] })
    let stopped: Promise<void> | undefined
    vendors.next('anthropic', (call) => {
      stopped = drain(stopping, 20_000)
      return messagesAnswer(call, { name: 'Bash', input: { command: 'echo from the tool' } })
    })
    vendors.next('anthropic', (call) => messagesAnswer(call, null))
    const finished = await stopping.postRun(token, { prompt: 'Use it.', model: MODEL, tools: ['Bash'] })
    expect(await json(finished)).toMatchObject({ ok: true, code: 'ok', usage: { requests: 2 } })
    expect(vendors.callsTo('anthropic').at(-1)?.body.includes('from the tool')).toBe(true)
    await stopped
    const late = await stopping.postRun(token, { prompt: 'x', model: MODEL })
    expect([late.status, (await json(late)).code]).toEqual([503, 'shutting_down'])
  }, 30_000)

  it('that takes longer than a stop may is ended as what it is', async () => {
    await using stopping = await start()
    const { token } = await stopping.addApp('long')
    const called = vendors.nextCall('anthropic')
    vendors.next('anthropic', () => {})
    const answer = stopping.postRun(token, { prompt: 'x', model: MODEL })
    const { gone } = await called
    await drain(stopping, 0)
    expect([(await answer).status, (await json(await answer)).code]).toEqual([503, 'daemon_restarted'])
    await gone
  }, 30_000)
})
