import { afterEach, beforeEach, expect, expectTypeOf, test } from 'vitest'
import { engineKits, type TestDatabase } from '../../test/support/engines.ts'
import { createMetaStore } from '../storage/index.ts'
import { createEvents, type EventPublisher, type Events } from './events.ts'
import type { Storage, Tx } from './unit-of-work.ts'

type Sample =
  | { readonly type: 'agent.revoked'; readonly agentId: string }
  | { readonly type: 'secret.stored'; readonly name: string }

let database: TestDatabase
let storage: Storage
let events: Events<Sample>

beforeEach(async () => {
  database = await engineKits.sqlite.fresh({ stores: { meta: createMetaStore } })
  storage = database.storage
  events = createEvents<Sample>()
})
afterEach(() => database[Symbol.asyncDispose]())

const write = async (tx: Tx, what: string): Promise<void> =>
  tx.meta.set('facts', JSON.stringify([...JSON.parse((await tx.meta.get('facts')) ?? '[]'), what]))
const written = (): Promise<unknown> =>
  storage.read(async (tx) => JSON.parse((await tx.meta.get('facts')) ?? '[]'))
const effectsRun = async (): Promise<void> => {
  await storage.flushed()
  await new Promise((resolve) => setImmediate(resolve))
}
const revoke = (): Promise<void> =>
  storage.transaction(async (tx) => {
    await write(tx, 'revoked')
    await events.publish(tx, { type: 'agent.revoked', agentId: 'agt_1' })
  })

test('calls the subscribers of an event in the order in which they subscribed, before publish returns', async () => {
  const told: string[] = []
  events.subscribe('agent.revoked', ({ agentId }) => void told.push(`first ${agentId}`))
  events.subscribe('secret.stored', ({ name }) => void told.push(name))
  events.subscribe('agent.revoked', async ({ agentId }) => {
    await Promise.resolve()
    told.push(`second ${agentId}`)
  })
  await storage.transaction(async (tx) => {
    await events.publish(tx, { type: 'agent.revoked', agentId: 'agt_1' })
    told.push('published')
  })
  expect(told).toEqual(['first agt_1', 'second agt_1', 'published'])
})

test('commits what a subscriber writes together with the fact', async () => {
  events.subscribe('agent.revoked', (_event, tx) => write(tx, 'cancelled'))
  await revoke()
  expect(await written()).toEqual(['revoked', 'cancelled'])
})

test('undoes the fact and what other subscribers wrote when one of them throws', async () => {
  const told: string[] = []
  events.subscribe('agent.revoked', (_event, tx) => write(tx, 'cancelled'))
  events.subscribe('agent.revoked', () => {
    throw new Error('no')
  })
  events.subscribe('agent.revoked', () => void told.push('after the error'))
  await expect(revoke()).rejects.toThrow('no')
  expect(await written()).toEqual([])
  expect(told).toEqual([])
})

test('runs no effect of a subscriber once the transaction is undone, and each one once it is committed', async () => {
  const effects: string[] = []
  let isRefused = true
  events.subscribe('agent.revoked', (_event, tx) => tx.afterCommit(() => effects.push('message sent')))
  events.subscribe('agent.revoked', () => {
    if (isRefused) throw new Error('no')
  })
  await expect(revoke()).rejects.toThrow('no')
  await effectsRun()
  expect(effects).toEqual([])
  isRefused = false
  await revoke()
  await effectsRun()
  expect(effects).toEqual(['message sent'])
})

test('runs no effect when the publisher itself fails after it has published', async () => {
  const effects: string[] = []
  events.subscribe('agent.revoked', async (_event, tx) => {
    await write(tx, 'cancelled')
    tx.afterCommit(() => effects.push('message sent'))
  })
  const failing = (): Promise<void> =>
    storage.transaction(async (tx) => {
      await events.publish(tx, { type: 'agent.revoked', agentId: 'agt_1' })
      throw new Error('later')
    })
  await expect(failing()).rejects.toThrow('later')
  await effectsRun()
  expect([await written(), effects]).toEqual([[], []])
})

test('the promise of a subscriber that is refused undoes the fact as a throw does', async () => {
  const told: string[] = []
  events.subscribe('agent.revoked', async () => Promise.reject(new Error('no')))
  events.subscribe('agent.revoked', () => void told.push('after the error'))
  await expect(revoke()).rejects.toThrow('no')
  expect([await written(), told]).toEqual([[], []])
})

test('a subscriber cannot write with the unit of a fact once that is over', async () => {
  let late: Tx | undefined
  events.subscribe('agent.revoked', (_event, tx) => {
    late = tx
  })
  await revoke()
  await expect((async () => late?.meta.set('facts', '[]'))()).rejects.toMatchObject({ code: 'internal' })
  expect(await written()).toEqual(['revoked'])
})

test('takes an event that nobody subscribes to', async () => {
  await revoke()
  expect(await written()).toEqual(['revoked'])
})

test('an event that a subscriber publishes is told within the same transaction', async () => {
  events.subscribe('agent.revoked', ({ agentId }, tx) =>
    events.publish(tx, { type: 'secret.stored', name: agentId }),
  )
  events.subscribe('secret.stored', ({ name }, tx) => write(tx, `stored ${name}`))
  await revoke()
  expect(await written()).toEqual(['revoked', 'stored agt_1'])
})

test('a module may be given the whole union, and no publisher of events that are not its own', () => {
  expectTypeOf(events).toExtend<EventPublisher<{ type: 'secret.stored'; name: string }>>()
  expectTypeOf(events).not.toExtend<EventPublisher<{ type: 'unknown.fact' }>>()
})
