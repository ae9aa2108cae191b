/** A PostgreSQL server that stops and starts under a running daemon: what was promised stands, and happens once. */
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
    const sandbox = createScriptedSandbox(async (order, print) => {
      const mark = String(order.argsJson)
      begun.push(mark)
      await gateOf(mark).promise
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

  it('tells nobody where the server is', () => {
    const said = logged.join('')
    expect(said).not.toContain(server.folder)
    expect(said).not.toContain(encodeURIComponent(server.folder))
  })
})
