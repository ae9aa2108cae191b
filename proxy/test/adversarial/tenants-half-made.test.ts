/** A tenant that is not added to its end: no key stays under an id that nobody has. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDomainKit, type DomainKit } from '../support/domain-kit.ts'

let dir: string
let kit: DomainKit
/** Called once all that a new tenant keeps is stored, before it is one. */
let beforeItStands: () => void
const start = () =>
  createDomainKit({
    dir,
    environment: { TELEGRAM_API_ROOT: 'http://127.0.0.1:9' },
    telegram: {
      get pollSeconds() {
        beforeItStands()
        return 1
      },
    },
  })
beforeEach(async () => {
  beforeItStands = () => {}
  dir = mkdtempSync(join(tmpdir(), 'oauth3-half-made-'))
  kit = await start()
  await kit.tenants.start()
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const BOT = { token: '5151515151:demo-bot-token-of-acme', chatId: '1002', approverIds: [] }
const add = () => kit.tenants.add('acme', BOT, 'cli:0')
const idsIn = (table: string): string[] =>
  kit.db
    .prepare<[], string>(`SELECT DISTINCT tenant_id FROM ${table} WHERE tenant_id <> 'default'`)
    .pluck()
    .all()
const listed = (): unknown[] =>
  kit.db.prepare<[], unknown>("SELECT id FROM tenants WHERE id <> 'default'").pluck().all()

describe('a tenant whose addition ends in the middle', () => {
  it('leaves no key and no row under an id that nobody has, once the daemon has started again', async () => {
    let keys: string[] = []
    beforeItStands = () => {
      keys = idsIn('data_keys')
      expect(keys).toHaveLength(1)
      expect(listed()).toEqual(keys)
      // As a crash: neither the last unit nor what would clean up is made.
      kit.db.exec('ALTER TABLE tenants RENAME TO tenants_away')
    }
    await expect(add()).rejects.toThrow()
    kit.db.exec('ALTER TABLE tenants_away RENAME TO tenants')
    beforeItStands = () => {}
    await kit[Symbol.asyncDispose]()
    kit = await start()
    expect((await kit.tenants.list()).map(({ name }) => name)).toEqual(['default'])
    await kit.tenants.start()
    await expect.poll(() => listed()).toEqual([])
    for (const table of ['data_keys', 'meta', 'audit_log']) expect(idsIn(table), table).toEqual([])
    await add()
    expect((await kit.tenants.list()).map(({ name }) => name)).toEqual(['default', 'acme'])
  })

  it('leaves nothing at once where it only failed', async () => {
    beforeItStands = () => {
      throw new Error('no parts')
    }
    await expect(add()).rejects.toThrow('no parts')
    expect([listed(), idsIn('data_keys'), idsIn('meta'), idsIn('audit_log')]).toEqual([[], [], [], []])
    beforeItStands = () => {}
    await add()
    expect((await kit.tenants.list()).map(({ name }) => name)).toEqual(['default', 'acme'])
  })
})

describe('a tenant that cannot be served', () => {
  it('is not left behind by a new master key: its keys would stay under the old one, which is gone', async () => {
    await add()
    beforeItStands = () => {
      throw new Error('no parts')
    }
    await expect(kit.tenants.setChat('acme', BOT, 'cli:0')).rejects.toThrow('no parts')
    beforeItStands = () => {}
    await expect(kit.keys.rotateMaster('cli:0')).rejects.toThrow(/acme cannot be served/)
    await kit[Symbol.asyncDispose]()
    kit = await start()
    expect(kit.tenants.named('acme').settings.name).toBe('acme')
    await kit.keys.rotateMaster('cli:0')
    await kit[Symbol.asyncDispose]()
    kit = await start()
    expect(kit.tenants.named('acme').settings.name).toBe('acme')
  })

  it('is listed with its problem, and can be removed, also where it stands and could not be started', async () => {
    beforeItStands = () => void kit.db.exec('ALTER TABLE executions RENAME TO executions_away')
    await expect(add()).rejects.toThrow()
    kit.db.exec('ALTER TABLE executions_away RENAME TO executions')
    beforeItStands = () => {}
    const [, acme] = await kit.tenants.list()
    expect(acme).toMatchObject({ name: 'acme', problem: expect.any(String) })
    await expect(add()).rejects.toThrow(/There is a tenant named acme/)
    await kit.tenants.remove('acme', 'cli:0')
    await expect.poll(() => listed()).toEqual([])
    await add()
  })

  it('holds no new master key up once it is removed', async () => {
    await add()
    beforeItStands = () => {
      throw new Error('no parts')
    }
    await expect(kit.tenants.setChat('acme', BOT, 'cli:0')).rejects.toThrow('no parts')
    await kit.tenants.remove('acme', 'cli:0')
    await kit.keys.rotateMaster('cli:0')
  })
})
