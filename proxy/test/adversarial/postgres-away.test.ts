/** A PostgreSQL server that stops and starts under a running daemon: what was promised stands, and happens once. */
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { patience } from '../support/pace.ts'
import { withoutPostgres } from '../support/postgres-binaries.ts'
import { type OwnServer, ownServer } from '../support/postgres-server.ts'
import { createRecordingLog } from '../support/recording-log.ts'

const missing = withoutPostgres()

describe.skipIf(missing !== undefined)(`a PostgreSQL server that goes away (${missing ?? 'here'})`, () => {
  const { log, logged } = createRecordingLog()
  let server: OwnServer
  let kit: DaemonKit
  /** Of each run, by its args: it has begun; it may end. */
  const begun: string[] = []
  const mayEnd = new Map<string, PromiseWithResolvers<void>>()
  const gateOf = (mark: string): PromiseWithResolvers<void> => {
    const gate = mayEnd.get(mark) ?? Promise.withResolvers<void>()
    mayEnd.set(mark, gate)
    return gate
  }

  beforeAll(async () => {
    server = await ownServer()
    const sandbox = createScriptedSandbox(async (order, print, signal) => {
      const mark = String(order.argsJson)
      begun.push(mark)
      const ended = once(signal, 'abort')
      await Promise.race([gateOf(mark).promise, ended])
      if (signal.aborted) return { end: 'cancelled' }
      print('stdout', `ran ${mark}\n`)
      return {}
    })
    kit = await createDaemonKit({
      sandbox: async () => sandbox,
      log,
      environment: { DATABASE_URL: server.url, LOG_LEVEL: 'trace' },
    })
  })
  afterAll(async () => {
    for (const gate of mayEnd.values()) gate.resolve()
    await kit?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  const body = (mark: string) => ({ skill_id: 'demo/away', code: 'console.log(1)\n', args: { mark } })
  const argsOf = (mark: string): string => JSON.stringify({ mark })
  const ask = (mark: string) => kit.post(body(mark), { 'idempotency-key': mark, prefer: 'wait=0' })
  const approve = async (requestId: string) => {
    const view = await kit.admin('GET', `/v1/requests/${requestId}`)
    const decision = { decision: 'once', consent_hash: view.body.consent_hash }
    return () => kit.admin('POST', `/v1/requests/${requestId}/decision`, decision)
  }
  const statusOf = async (requestId: string): Promise<string> =>
    (await kit.admin('GET', `/v1/requests/${requestId}`)).body.status ?? 'unknown'
  /** What is told without a debug level. */
  const told = (): string[] =>
    logged.filter((line) => JSON.parse(line).level >= 40 && /database|stack|storage/.test(line))
  const waits = { timeout: patience(40_000), interval: 200 }

  it(
    'keeps what was promised, ends what ran meanwhile, and does nothing twice',
    async () => {
      const [running, waiting] = [
        (await ask('running')).body.request_id,
        (await ask('waiting')).body.request_id,
      ]
      const [approveRunning, approveWaiting] = [await approve(running), await approve(waiting)]
      expect((await approveRunning()).status).toBe(200)
      await expect.poll(() => begun, waits).toEqual([argsOf('running')])

      server.stop('immediate')
      const refused = [await ask('new'), await approveWaiting(), await kit.get(`/execute/${waiting}`)]
      for (const { status, body } of refused) {
        expect({ status, body }).toMatchObject({
          status: 503,
          body: { error: { code: 'storage_unavailable' } },
        })
      }
      expect(await kit.get('/health')).toMatchObject({
        status: 503,
        body: { status: 'degraded', database: 'error', database_engine: 'postgres' },
      })
      // The run ends while nobody can write that.
      gateOf(argsOf('running')).resolve()
      await expect.poll(() => logged.join(''), waits).toMatch(/could not|failed/)

      server.start()
      await expect.poll(() => statusOf(running), waits).toBe('success')
      await expect.poll(() => statusOf(waiting), waits).toBe('pending')
      const asked = (await ask('new')).body.request_id
      expect((await ask('new')).body.request_id).toBe(asked)
      expect((await approveWaiting()).status).toBe(200)
      expect((await (await approve(asked))()).status).toBe(200)
      for (const mark of ['waiting', 'new']) gateOf(argsOf(mark)).resolve()
      for (const id of [waiting, asked]) await expect.poll(() => statusOf(id), waits).toBe('success')
      expect([...begun].sort()).toEqual(['new', 'running', 'waiting'].map(argsOf).sort())
      const audit = await kit.admin('GET', '/v1/audit/verify')
      expect(audit.body).toMatchObject({ ok: true })
      expect(await kit.get('/health')).toMatchObject({ body: { database: 'ok' } })

      // Its ticks, the run and the requests have met it again and again: an operator reads of one outage.
      await expect.poll(() => told().at(-1), waits).toContain('can be used again')
      expect(told()).toEqual([
        expect.stringMatching(/"reason":"The database [^"]+".+cannot be used/),
        expect.stringContaining('can be used again'),
      ])
    },
    patience(240_000),
  )

  it(
    'does not keep a person from stopping a run, whose end is stored when it is back',
    async () => {
      const ids = ['stopped', 'goes-on'].map(async (mark) => (await ask(mark)).body.request_id as string)
      const [stopped, other] = (await Promise.all(ids)) as [string, string]
      for (const id of [stopped, other]) expect((await (await approve(id))()).status).toBe(200)
      const both = expect.arrayContaining([argsOf('stopped'), argsOf('goes-on')])
      await expect.poll(() => begun, waits).toEqual(both)

      server.stop('immediate')
      const stop = (id: string) => kit.admin('POST', `/v1/requests/${id}/stop`)
      const ended = { status: 503, body: { error: { message: expect.stringContaining('is being ended') } } }
      // By its beginning, as commands print it.
      expect(await stop(stopped.slice(0, 16))).toMatchObject(ended)
      // Others may begin so: nothing tells.
      for (const id of ['req_000000000000', other.slice(0, 12), 'req_']) {
        const away = await stop(id)
        expect(away).toMatchObject({ status: 503, body: { error: { code: 'storage_unavailable' } } })
        expect(away).not.toMatchObject(ended)
      }

      server.start()
      await expect.poll(() => statusOf(stopped), waits).toBe('failed')
      const view = await kit.admin('GET', `/v1/requests/${stopped}`)
      expect(view.body).toMatchObject({ failure: 'stopped' })
      expect(await statusOf(other)).toBe('running')
      gateOf(argsOf('goes-on')).resolve()
      await expect.poll(() => statusOf(other), waits).toBe('success')
      expect(begun.filter((mark) => mark === argsOf('stopped'))).toHaveLength(1)
    },
    patience(240_000),
  )

  it('tells nobody where the server is', () => {
    const said = logged.join('')
    expect(said).not.toContain(server.folder)
    expect(said).not.toContain(encodeURIComponent(server.folder))
  })
})
