import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findSocket } from './socket-path.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-path-'))
  writeFileSync(join(folder, '.env'), 'DB_PATH=./from-dotenv/proxy.db\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('--socket wins over everything', () => {
  expect(findSocket('x.sock', { OAUTH3_SOCKET: '/other.sock' }, folder)).toBe(join(folder, 'x.sock'))
})

test('OAUTH3_SOCKET wins over DB_PATH', () => {
  expect(findSocket(undefined, { OAUTH3_SOCKET: '/other.sock', DB_PATH: '/d/p.db' }, folder)).toBe(
    '/other.sock',
  )
})

test('the environment wins over .env, and .env over the default', () => {
  expect(findSocket(undefined, { DB_PATH: '/d/p.db' }, folder)).toBe('/d/admin.sock')
  expect(findSocket(undefined, { DB_PATH: ' ' }, folder)).toBe(join(folder, 'from-dotenv', 'admin.sock'))
  expect(findSocket(undefined, {}, '/nowhere')).toBe('/nowhere/data/admin.sock')
})
