import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { policyOf } from '../../test/support/egress-policy.ts'
import { createUnitDouble } from '../../test/support/unit-double.ts'
import type { EgressRule, Json, Tx } from '../kernel/index.ts'
import { MAX_REQUESTS } from './capabilities/index.ts'
import { createEgressSessions, type EgressRecord } from './session.ts'

const recordOf = (part: Partial<EgressRecord> = {}): EgressRecord => ({
  method: 'GET',
  origin: 'https://a.example',
  path: '/',
  status: 200,
  requestBytes: 0,
  responseBytes: 2,
  secrets: [],
  refused: null,
  rejected: [],
  ...part,
})
const refusal = (rule: EgressRule, origin = 'https://b.example', rejected: readonly string[] = []) =>
  recordOf({ refused: rule, status: null, origin, rejected })

function createKit() {
  const rows: { event: string; actor: string; requestId: string | null; data: Json }[] = []
  const defects: unknown[] = []
  let commits = 0
  let isBroken = false
  const storage = createUnitDouble()
  const sessions = createEgressSessions({
    audit: {
      append: async (_tx: Tx, event: string, actor: string, requestId: string | null, data: Json) => {
        rows.push({ event, actor, requestId, data })
      },
    } as never,
    storage: {
      ...storage,
      transaction: async (work) => {
        if (isBroken) throw new Error('the disk is full')
        commits += 1
        return storage.transaction(work)
      },
    },
    onDefect: (error) => defects.push(error),
  })
  const session = sessions.begin('request-1', policyOf(['a.example']))
  return {
    session,
    rows,
    defects,
    commits: () => commits,
    breakDisk: (broken: boolean) => {
      isBroken = broken
    },
  }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('what a run did', () => {
  it('is written in one commit for requests that come close together', async () => {
    const { session, rows, commits } = createKit()
    for (let i = 0; i < 20; i++) session.record(recordOf({ path: `/${i}`, secrets: ['KEY'] }))
    expect(rows).toHaveLength(0)
    vi.advanceTimersByTime(50)
    await session.written()
    expect([rows.length, commits()]).toEqual([20, 1])
    expect(rows[3]).toEqual({
      event: 'egress.request',
      actor: 'run',
      requestId: 'request-1',
      data: {
        method: 'GET',
        origin: 'https://a.example',
        path: '/3',
        status: 200,
        request_bytes: 0,
        response_bytes: 2,
        secrets: ['KEY'],
      },
    })
  })

  it('does not wait for the time to be up when many are there', async () => {
    const { session, rows } = createKit()
    for (let i = 0; i < 500; i++) session.record(recordOf())
    await session.written()
    expect(rows).toHaveLength(500)
  })

  it('is written at the end at the latest, a refusal with its rule', async () => {
    const { session, rows } = createKit()
    session.record(refusal('secret_not_for_host', 'https://b.example', ['KEY']))
    session.end()
    await session.written()
    expect(rows.map(({ event }) => event)).toEqual(['egress.refused'])
    expect(rows[0]?.data).toMatchObject({ rule: 'secret_not_for_host', misplaced: ['KEY'] })
  })

  it('is written later when the disk did not take it at once', async () => {
    const { session, rows, defects, breakDisk } = createKit()
    breakDisk(true)
    session.record(recordOf())
    vi.advanceTimersByTime(50)
    await session.written()
    expect([rows.length, defects.length]).toEqual([0, 1])
    breakDisk(false)
    session.record(recordOf())
    session.end()
    await session.written()
    expect(rows).toHaveLength(2)
  })

  it('holds names that were looked up in vain, unless a request to the host says it already', async () => {
    const { session, rows } = createKit()
    const lookup = (origin: string) =>
      session.recordLookup({ ...refusal('host_not_approved', origin), method: 'DNS' })
    lookup('https://asked.example')
    lookup('https://Dialled.example')
    session.record(refusal('host_not_approved', 'http://asked.example:8080'))
    const summary = session.end()
    expect(summary).toMatchObject({
      requests: 2,
      refused: [
        { origin: 'http://asked.example:8080', count: 1 },
        { origin: 'https://Dialled.example', count: 1 },
      ],
    })
    lookup('https://late.example')
    expect(session.end()).toBe(summary)
    await session.written()
    expect(rows.map(({ data }) => (data as { method: string }).method)).toEqual(['GET', 'DNS'])
  })

  it('is written at once when it comes after the end', async () => {
    const { session, rows } = createKit()
    session.end()
    session.record(recordOf())
    await session.written()
    expect(rows).toHaveLength(1)
  })

  it('stands in the order of its requests, each once, whatever comes while it is being written', async () => {
    const { session, rows, breakDisk } = createKit()
    const paths = Array.from({ length: 1_200 }, (_, n) => `/${n}`)
    for (const [index, path] of paths.entries()) {
      session.record(recordOf({ path }))
      if (index === 499) breakDisk(true)
      if (index === 520) {
        await session.written()
        breakDisk(false)
      }
      if (index % 7 === 0) await Promise.resolve()
    }
    session.end()
    await session.written()
    expect(rows.map(({ data }) => (data as { path: string }).path)).toEqual(paths)
  })
})

describe('the end of a session', () => {
  it('lets nothing more begin', () => {
    const { session } = createKit()
    expect([session.begin(), session.ended]).toEqual([true, false])
    session.end()
    expect([session.begin(), session.ended]).toEqual([false, true])
  })

  it('counts refusals of one kind together and gives the same summary again', () => {
    const { session } = createKit()
    session.record(recordOf())
    session.record(refusal('host_not_approved'))
    session.record(refusal('host_not_approved'))
    session.record(refusal('host_not_approved', 'https://c.example'))
    session.record(recordOf({ rejected: ['KEY'] }))
    const summary = session.end()
    expect(summary).toEqual({
      requests: 5,
      refused: [
        { rule: 'host_not_approved', origin: 'https://b.example', secrets: [], count: 2 },
        { rule: 'host_not_approved', origin: 'https://c.example', secrets: [], count: 1 },
        { rule: 'secret_not_for_surface', origin: 'https://a.example', secrets: ['KEY'], count: 1 },
      ],
      moreRefused: 0,
    })
    expect(session.end()).toBe(summary)
  })

  it('lists a handful of refusals and counts the rest', () => {
    const { session } = createKit()
    for (let i = 0; i < 20; i++) session.record(refusal('host_not_approved', `https://h${i}.example`))
    const { refused, moreRefused } = session.end()
    expect([refused.length, moreRefused]).toEqual([8, 12])
  })
})

it('lets a run begin so many requests and no more', () => {
  const { session } = createKit()
  for (let i = 0; i < MAX_REQUESTS; i++) expect(session.begin()).toBe(true)
  expect(session.begin()).toBe(false)
})

describe('what a person approves while the run goes on', () => {
  const entry = (host: string, requests = 2) => ({
    ...{ host, methods: ['GET'], paths: ['/**'], requests },
    ...{ websocket: false, graphql: 'query' as const },
  })
  const hosts = ({ policy }: { policy: { network: readonly { host: string }[] } }) =>
    policy.network.map(({ host }) => host)

  it('is reached until its answer is disposed of, beside what was approved before', () => {
    const { session } = createKit()
    const before = session.policy
    const one = session.admit([entry('b.example')])
    const two = session.admit([entry('c.example')])
    expect(hosts(session)).toEqual(['a.example', 'b.example', 'c.example'])
    one[Symbol.dispose]()
    one[Symbol.dispose]()
    expect(hosts(session)).toEqual(['a.example', 'c.example'])
    two[Symbol.dispose]()
    expect(session.policy).toBe(before)
  })

  it('counts its requests over whatever else is opened and closed meanwhile', () => {
    const { session } = createKit()
    using _own = session.admit([entry('b.example')])
    const spend = () =>
      session.spend(session.policy.capabilities.filter(({ host }) => host.host === 'b.example'))
    expect(spend()).toBe(true)
    session.admit([entry('c.example')])[Symbol.dispose]()
    expect([spend(), spend()]).toEqual([true, false])
  })
  it('is asked of one at a time, until that is disposed of or the session ends', () => {
    const { session } = createKit()
    const asker = { ask: async () => null, held: 0 }
    expect(session.asker).toBe(null)
    const asking = session.askThrough(asker)
    expect(session.asker).toBe(asker)
    asking[Symbol.dispose]()
    expect(session.asker).toBe(null)
    session.askThrough(asker)
    session.end()
    expect(session.asker).toBe(null)
    session.askThrough(asker)
    expect(session.asker).toBe(null)
  })

  it('is broken off once by a cut, which is an end', () => {
    const { session } = createKit()
    let cuts = 0
    session.onCut(() => {
      expect(session.ended).toBe(false)
      cuts += 1
    })
    session.cut()
    session.cut()
    expect([cuts, session.ended]).toEqual([1, true])
  })
})
