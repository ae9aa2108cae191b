import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import type { Storage } from '../../kernel/index.ts'
import { createOpenSockets, type OpenSocket } from './index.ts'

/** One whose rows are stored when the test lets them be. */
function socketOf(more: Partial<OpenSocket> = {}) {
  const connection = new PassThrough()
  const end = Promise.withResolvers<object>()
  const stored = Promise.withResolvers<void>()
  const rows: { event: string; data: Record<string, unknown> }[] = []
  const storage = {
    tenant: 'tnt_one',
    async transaction(work: (tx: unknown) => unknown) {
      await stored.promise
      await work({})
      connection.emit('stored')
    },
  } as unknown as Storage
  const audit: OpenSocket['of']['audit'] = {
    async append(_tx, event, _actor, _request, data) {
      rows.push({ event, data: data as Record<string, unknown> })
    },
  }
  const cuts: string[] = []
  const socket: OpenSocket = {
    ...{ of: { storage, audit }, actor: 'daemon', purpose: 'vnc', to: { machine: 'mch_1' }, by: 'ticket' },
    ...{ connection, ended: end.promise, still: () => true, cut: (why) => void cuts.push(why) },
    ...more,
  }
  return { socket, rows, cuts, connection, stored, end }
}
const log = { error: (details: object) => expect(details).toBeUndefined() }

it('tells the end of one that ended while its opening was stored', async () => {
  using open = createOpenSockets(log)
  const { socket, rows, end, stored, connection } = socketOf()
  const added = open.add(socket)
  end.resolve({ code: 1006 })
  await end.promise
  expect(rows).toEqual([])
  stored.resolve()
  await added
  if (rows.length < 2) await once(connection, 'stored')
  const about = { socket: expect.stringMatching(/^sck_/), machine: 'mch_1', purpose: 'vnc' }
  expect(rows).toMatchObject([
    { event: 'socket.opened', data: { ...about, by: 'ticket' } },
    { event: 'socket.ended', data: { ...about, code: 1006, bytes_in: 0, bytes_out: 0 } },
  ])
  expect(rows[1]?.data.socket).toBe(rows[0]?.data.socket)
  expect(open.size).toBe(0)
})

it('is of one tenant and purpose, until it has ended', async () => {
  using open = createOpenSockets(log)
  const [one, other] = [socketOf(), socketOf({ purpose: 'cdp' })]
  for (const { socket, stored } of [one, other]) {
    stored.resolve()
    await open.add(socket)
  }
  const { storage } = one.socket.of
  expect([open.size, open.count(storage, 'vnc'), open.count({ tenant: 'tnt_two' as never }, 'vnc')]).toEqual([
    2, 1, 0,
  ])
  one.end.resolve({})
  await once(one.connection, 'stored')
  expect([open.size, open.count(storage, 'vnc')]).toEqual([1, 0])
})

it('cuts once whom it is refused by now, and the rest when the daemon stops', async () => {
  const asked = Promise.withResolvers<void>()
  let isGood = true
  const still = (): boolean => {
    if (!isGood) asked.resolve()
    return isGood
  }
  const [one, other] = [socketOf({ still }), socketOf()]
  {
    using open = createOpenSockets(log)
    for (const { socket, stored } of [one, other]) {
      stored.resolve()
      await open.add(socket)
    }
    isGood = false
    await asked.promise
    expect(one.cuts).toEqual(['refused'])
    expect(open.size).toBe(1)
  }
  expect([one.cuts, other.cuts]).toEqual([['refused'], ['stopping']])
})
