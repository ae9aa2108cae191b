import { afterEach, beforeEach, expect, test } from 'vitest'
import { engineKits, type TestDatabase } from '../../test/support/engines.ts'
import { createMetaStore } from '../storage/index.ts'
import { createMirror, type Mirror } from './mirror.ts'
import type { Storage } from './unit-of-work.ts'

let database: TestDatabase
let storage: Storage
let mirror: Mirror<string>

beforeEach(async () => {
  database = await engineKits.sqlite.fresh({ stores: { meta: createMetaStore } })
  storage = database.storage
  mirror = createMirror(async (tx) => (await tx.meta.get('row')) ?? 'none')
})
afterEach(() => database[Symbol.asyncDispose]())

const write = (value: string, then: () => void = () => {}): Promise<void> =>
  storage.transaction(async (tx) => {
    await tx.meta.set('row', value)
    await mirror.refresh(tx)
    then()
  })

test('rows that were never read are no empty rows', async () => {
  expect(() => mirror.value).toThrow(expect.objectContaining({ code: 'internal' }))
  expect(mirror.revision).toBe(0)
  await storage.read((tx) => mirror.load(tx))
  expect([mirror.value, mirror.revision]).toEqual(['none', 1])
})

test('what a unit writes shows when it is committed, before the writer goes on, and not earlier', async () => {
  await storage.read((tx) => mirror.load(tx))
  let inside: unknown
  await write('new', () => {
    inside = [mirror.value, mirror.revision]
  })
  expect(inside).toEqual(['none', 1])
  expect([mirror.value, mirror.revision]).toEqual(['new', 2])
})

test('what a unit wrote that is undone never shows, also after the next refresh', async () => {
  await write('kept')
  const undone = write('undone', () => {
    throw new Error('no')
  })
  await expect(undone).rejects.toThrow('no')
  expect([mirror.value, mirror.revision]).toEqual(['kept', 1])
  await storage.transaction((tx) => mirror.refresh(tx))
  expect(mirror.value).toBe('kept')
})

test('units that change it one after the other leave what the last one wrote', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, n) => write(`${n}`)))
  expect(mirror.value).toBe(await storage.read((tx) => tx.meta.get('row')))
  expect(mirror.revision).toBe(20)
})

test('of two refreshes in one unit the last counts', async () => {
  await storage.transaction(async (tx) => {
    await tx.meta.set('row', 'first')
    await mirror.refresh(tx)
    await tx.meta.set('row', 'second')
    await mirror.refresh(tx)
  })
  expect(mirror.value).toBe('second')
})
