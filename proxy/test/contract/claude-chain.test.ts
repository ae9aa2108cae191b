/** The whole way of a run: app, port, queue, container of the real CLI, its socket, the LLM proxy, and the vendor played at the wire. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REQUEST_TOOL } from '../../src/claude-runs/index.ts'
import { drainTenant } from '../../src/compose/daemon-tenant-lifecycle.ts'
import { isPublicAddress, SecretValue } from '../../src/kernel/index.ts'
import { type ClaudeRunsKit, startClaudeRuns } from '../support/claude-runs-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { owner } from '../support/principals.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'
import { messagesAnswer } from '../support/vendor-answers.ts'
import { startVendors, VENDOR_ADDRESS, type Vendors } from '../support/vendor-doubles.ts'

const availability = await dockerOrSkip({ images: ['claude'] })

type Json = Record<string, unknown>
const json = async (response: Response): Promise<Json> => (await response.json()) as Json

/** One whose price is known. */
const MODEL = 'claude-sonnet-4-5'

const lastMessage = (body: unknown): string =>
  JSON.stringify((JSON.parse(String(body)) as { messages: unknown[] }).messages.at(-1))

const SITE_ADDRESS = '127.0.0.1'
const isOfSite = (host: string): boolean => host.endsWith('.example.com')

/** As the daemon's own stop does. */
const drain = async ({ tenants }: ClaudeRunsKit, ms: number): Promise<void> => {
  for (const parts of tenants.all()) await drainTenant(parts, ms)
}

describe.skipIf(!availability.available)('a run of the real CLI', () => {
  let vendors: Vendors
  let kit: ClaudeRunsKit
  let key: string
  let site: TlsUpstream
  /** What the site was told to let in. */
  const authorized: (string | undefined)[] = []
  const start = async (): Promise<ClaudeRunsKit> => {
    const started = await startClaudeRuns({
      isReal: true,
      environment: { CLAWDFORGE_POOL_SIZE: '0' },
      egress: {
        resolve: async (host) => [isOfSite(host) ? SITE_ADDRESS : VENDOR_ADDRESS],
        isPublic: (address) => [VENDOR_ADDRESS, SITE_ADDRESS].includes(address) || isPublicAddress(address),
        portOf: ({ host, port }) => (port !== 443 ? port : isOfSite(host) ? site.port : vendors.port),
        tls: { ca: [vendors.ca, site.ca] },
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
    site = await startTlsUpstream(['docs.example.com', 'api.example.com'], (request, response) => {
      authorized.push(request.headers.authorization)
      response.end(`the site says forty-two to ${request.headers.authorization ?? 'nobody'}`)
    })
    key = vendors.addKey('anthropic')
    kit = await start()
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
    await vendors?.[Symbol.asyncDispose]()
    await site?.[Symbol.asyncDispose]()
  })
  /** The next question that a person is asked is answered so. */
  const answerNext = (choice: string, reason: string | null = null): void => {
    const { promise: asked, resolve } = Promise.withResolvers<string>()
    kit.events.subscribe('approval.requested', async ({ id }, tx) => tx.afterCommit(() => resolve(id)))
    void asked.then(async (id) => {
      const { contentHash = '' } = (await kit.storage.read((tx) => kit.approvals.find(tx, id))) ?? {}
      await kit.storage.transaction((tx) =>
        kit.approvals.choose(tx, id, contentHash, choice, owner(), { reason, terms: null }),
      )
    })
  }
  /** A run whose model uses one tool; `told`: what the model is sent then. */
  const useOnce = async (token: string, name: string, input: object) => {
    vendors.next('anthropic', (call) => messagesAnswer(call, { name, input }))
    vendors.next('anthropic', (call) => messagesAnswer(call, null))
    const answer = await json(await kit.postRun(token, { prompt: 'Use it.', model: MODEL, tools: [name] }))
    expect(answer).toMatchObject({ ok: true, usage: { requests: 2 } })
    const calls = vendors.callsTo('anthropic')
    return { answer, first: String(calls.at(-2)?.body), told: lastMessage(calls.at(-1)?.body) }
  }
  const fetching = (url: string) => ({
    command: `node -e "fetch('${url}').then(async (r) => console.log(r.status, r.statusText, await r.text()), (e) => console.log('no answer', e.cause ?? e))"`,
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

  it('has a command wait for a person: what it fetched reaches the model, or the words of who said no', async () => {
    const { token } = await kit.addApp('asks', { tools: ['Bash'], network: 'ask' })
    answerNext('run')
    const allowed = await useOnce(token, 'Bash', fetching('https://docs.example.com/'))
    expect(allowed.told).toContain('200 OK the site says forty-two')
    // The model is told the time that a command has, which is a person's and not two minutes.
    expect(allowed.first).toContain('86400000')
    answerNext('deny', 'not-to-them-31')
    const denied = await useOnce(token, 'Bash', fetching('https://docs.example.com/'))
    expect(denied.told).toMatch(/403 host_not_approved: A person said no: not-to-them-31/)
    expect(authorized).toHaveLength(1)
    // The CLI itself wants no host: each card is the command's.
    const rows = await kit.audit.newest(200)
    const asked = rows.filter(({ event }) => event === 'tool_call.asked')
    expect(asked.map(({ data }) => JSON.parse(data).host)).toEqual(['docs.example.com', 'docs.example.com'])
  }, 60_000)

  it('reaches a listed host without a question, and no host where its app does not ask', async () => {
    const terms = { tools: ['Bash'], hosts: ['docs.example.com'] }
    const { token } = await kit.addApp('listed', { ...terms, network: 'ask' })
    const listed = await useOnce(token, 'Bash', fetching('https://docs.example.com/'))
    expect(listed.told).toContain('200 OK the site says forty-two')
    const { token: off } = await kit.addApp('off', terms)
    expect((await useOnce(off, 'Bash', fetching('https://docs.example.com/'))).told).toContain('no_run')
  }, 60_000)

  it('sends a request with a secret that a person allowed, and the value is in nothing that the model reads', async () => {
    const value = `demo-${randomBytes(24).toString('hex')}`
    await kit.storage.transaction((tx) =>
      kit.vault.put(tx, 'MAIL_KEY', new SecretValue(value), { actor: 'cli:0' }),
    )
    const { token } = await kit.addApp('mails', { tools: [REQUEST_TOOL], secrets: ['MAIL_KEY'] })
    answerNext('once')
    const { answer, told } = await useOnce(token, REQUEST_TOOL, {
      ...{ url: 'https://api.example.com/mail', method: 'POST', body: 'hello' },
      headers: { authorization: 'Bearer {{MAIL_KEY}}' },
    })
    expect(authorized.at(-1)).toBe(`Bearer ${value}`)
    expect(told).toContain('the site says forty-two to Bearer ')
    for (const { body } of vendors.callsTo('anthropic')) expect(String(body)).not.toContain(value)
    expect(JSON.stringify(answer)).not.toContain(value)
  }, 60_000)

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
  })

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
  })
})
