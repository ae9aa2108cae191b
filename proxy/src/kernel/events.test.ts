import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, expectTypeOf, test } from 'vitest'
import { createTransactor, openDatabase } from '../adapters/storage/index.ts'
import { createEvents, type EventPublisher, type Events } from './events.ts'

type Sample =
  | { readonly type: 'agent.revoked'; readonly agentId: string }
  | { readonly type: 'secret.stored'; readonly name: string }

let dir: string
let db: ReturnType<typeof openDatabase>
let transactor: ReturnType<typeof createTransactor>
let events: Events<Sample>

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-events-'))
  db = openDatabase(join(dir, 'proxy.db'))
  db.exec('CREATE TABLE facts (what TEXT)')
  transactor = createTransactor(db)
  events = createEvents<Sample>(transactor)
})
afterEach(() => {
  db.close()
  rmSync(dir, { recursive: true })
})

const write = (what: string): void => void db.prepare('INSERT INTO facts VALUES (?)').run(what)
const written = (): unknown => db.prepare('SELECT what FROM facts').pluck().all()
const microtasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const revoke = (): void =>
  transactor.transact(() => {
    write('revoked')
    events.publish({ type: 'agent.revoked', agentId: 'agt_1' })
  })

test('calls the subscribers of an event in the order in which they subscribed, before publish returns', () => {
  const told: string[] = []
  events.subscribe('agent.revoked', ({ agentId }) => told.push(`first ${agentId}`))
  events.subscribe('secret.stored', ({ name }) => told.push(name))
  events.subscribe('agent.revoked', ({ agentId }) => told.push(`second ${agentId}`))
  transactor.transact(() => {
    events.publish({ type: 'agent.revoked', agentId: 'agt_1' })
    told.push('published')
  })
  expect(told).toEqual(['first agt_1', 'second agt_1', 'published'])
})

test('commits what a subscriber writes together with the fact', () => {
  events.subscribe('agent.revoked', () => write('cancelled'))
  revoke()
  expect(written()).toEqual(['revoked', 'cancelled'])
})

test('undoes the fact and what other subscribers wrote when one of them throws', () => {
  const told: string[] = []
  events.subscribe('agent.revoked', () => write('cancelled'))
  events.subscribe('agent.revoked', () => {
    throw new Error('no')
  })
  events.subscribe('agent.revoked', () => told.push('after the error'))
  expect(revoke).toThrow('no')
  expect(written()).toEqual([])
  expect(told).toEqual([])
})

test('runs no effect of a subscriber once the transaction is undone, and each one once it is committed', async () => {
  const effects: string[] = []
  let isRefused = true
  events.subscribe('agent.revoked', () => transactor.afterCommit(() => effects.push('message sent')))
  events.subscribe('agent.revoked', () => {
    if (isRefused) throw new Error('no')
  })
  expect(revoke).toThrow('no')
  await microtasks()
  expect(effects).toEqual([])
  isRefused = false
  revoke()
  expect(effects).toEqual([])
  await microtasks()
  expect(effects).toEqual(['message sent'])
})

test('runs no effect when the publisher itself fails after it has published', async () => {
  const effects: string[] = []
  events.subscribe('agent.revoked', () => {
    write('cancelled')
    transactor.afterCommit(() => effects.push('message sent'))
  })
  const failing = (): void =>
    transactor.transact(() => {
      events.publish({ type: 'agent.revoked', agentId: 'agt_1' })
      throw new Error('later')
    })
  expect(failing).toThrow('later')
  await microtasks()
  expect([written(), effects]).toEqual([[], []])
})

test('refuses an event outside a transaction, also one that nobody subscribes to', () => {
  const told: string[] = []
  events.subscribe('agent.revoked', () => told.push('revoked'))
  expect(() => events.publish({ type: 'agent.revoked', agentId: 'agt_1' })).toThrow(/outside a transaction/)
  expect(() => events.publish({ type: 'secret.stored', name: 'KEY' })).toThrow(/outside a transaction/)
  expect(told).toEqual([])
})

test('takes an event that nobody subscribes to', () => {
  expect(revoke).not.toThrow()
  expect(written()).toEqual(['revoked'])
})

test('an event that a subscriber publishes is told within the same transaction', () => {
  events.subscribe('agent.revoked', ({ agentId }) => events.publish({ type: 'secret.stored', name: agentId }))
  events.subscribe('secret.stored', ({ name }) => write(`stored ${name}`))
  revoke()
  expect(written()).toEqual(['revoked', 'stored agt_1'])
})

test('a module may be given the whole union, and no publisher of events that are not its own', () => {
  expectTypeOf(events).toExtend<EventPublisher<{ type: 'secret.stored'; name: string }>>()
  expectTypeOf(events).not.toExtend<EventPublisher<{ type: 'unknown.fact' }>>()
})
