import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDomainKit, type DomainKit } from '../../test/support/domain-kit.ts'
import { createUnitDouble } from '../../test/support/unit-double.ts'
import vectors from '../../test/vectors/envelope-v1.json' with { type: 'json' }
import type { AuditLog } from '../audit/index.ts'
import { AppError, SecretValue, type Storage } from '../kernel/index.ts'
import { createSodiumCipher } from './crypto/index.ts'
import { createDataKeyring, type DataKeyRecord, type DataKeyring } from './keyring.ts'
import { createVault, type SecretStore } from './vault.ts'

const ACTOR = 'cli:0'
const VALUE = 'demo-value-0123456789abcdef'
const fill = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

const lockedError = expect.objectContaining({ code: 'locked' })

function memoryKeys(initial: readonly DataKeyRecord[] = []): Storage {
  let records = [...initial]
  return createUnitDouble({
    secrets: { list: async () => [] } as unknown as SecretStore,
    dataKeys: {
      list: async () => records,
      insert: async (record) => {
        records = [...records, record]
      },
      rewrap: async (id, wrapped) => {
        records = records.map((record) => (record.id === id ? { ...record, wrapped } : record))
      },
      remove: async (id) => {
        records = records.filter((record) => record.id !== id)
      },
    },
  })
}

async function keyringOf(storage: Storage, masterKey: Uint8Array): Promise<DataKeyring> {
  const keyring = createDataKeyring({
    cipher: await createSodiumCipher(),
    masterKey,
    clock: { now: () => 1 },
  })
  await storage.transaction((tx) => keyring.load(tx))
  return keyring
}

describe('the envelope, version 1', () => {
  const records = vectors.dataKeys.map(({ id, wrapped }) => ({ id, wrapped, createdAt: 0 }))
  const masterKey = Buffer.from(vectors.masterKeyHex, 'hex')

  it.each(vectors.envelopes)(
    'opens the frozen vector of $context',
    async ({ context, plaintext, envelope }) => {
      const keyring = await keyringOf(memoryKeys(records), masterKey)
      expect(keyring.open(context, envelope).open()).toBe(plaintext)
    },
  )

  it('opens the frozen vectors again after they were wrapped under another master key', async () => {
    const storage = memoryKeys(records)
    const keyring = await keyringOf(storage, masterKey)
    await storage.transaction((tx) => keyring.rewrap(tx, fill(3)))
    const later = await keyringOf(storage, fill(3))
    for (const { context, plaintext, envelope } of vectors.envelopes) {
      expect(keyring.open(context, envelope).open()).toBe(plaintext)
      expect(later.open(context, envelope).open()).toBe(plaintext)
    }
    await expect(keyringOf(storage, masterKey)).rejects.toThrow(lockedError)
  })

  it('does not open under another master key', async () => {
    await expect(keyringOf(memoryKeys(records), fill(1))).rejects.toThrow(lockedError)
  })

  it('does not open with the data keys swapped', async () => {
    const [first, second] = records
    const swapped = [
      { id: 1, wrapped: second?.wrapped ?? '', createdAt: 0 },
      { id: 2, wrapped: first?.wrapped ?? '', createdAt: 0 },
    ]
    await expect(keyringOf(memoryKeys(swapped), masterKey)).rejects.toThrow(lockedError)
  })

  it('does not open with another name, version or key id, or a single bit changed', async () => {
    const keyring = await keyringOf(memoryKeys(records), masterKey)
    const [vector] = vectors.envelopes
    if (!vector) throw new Error('no vector')
    const { context, envelope } = vector
    const opens = (ctx: string, text: string) => () => keyring.open(ctx, text)
    expect(opens('secret:OTHER_KEY:1', envelope)).toThrow(lockedError)
    expect(opens('secret:DEMO_KEY:2', envelope)).toThrow(lockedError)
    expect(opens('for:audit-key', envelope)).toThrow(lockedError)
    expect(opens(context, envelope.replace('oa3v1.1.', 'oa3v1.2.'))).toThrow(lockedError)
    expect(opens(context, envelope.replace('oa3v1.1.', 'oa3v1.9.'))).toThrow(lockedError)
    expect(opens(context, envelope.replace('oa3v1', 'oa3v2'))).toThrow(lockedError)
    const [, , body = ''] = envelope.split('.')
    const bytes = Buffer.from(body, 'base64url')
    for (let index = 0; index < bytes.length; index++) {
      const altered = Buffer.from(bytes)
      altered[index] = (altered[index] ?? 0) ^ 1
      expect(opens(context, `oa3v1.1.${altered.toString('base64url')}`)).toThrow(lockedError)
    }
    for (const text of ['', 'oa3v1', 'oa3v1.1.', 'oa3v1.1.AAAA', `${envelope}\n`, envelope.slice(0, -4)]) {
      expect(opens(context, text)).toThrow(lockedError)
    }
  })

  it('never seals twice to the same text', async () => {
    const keyring = await keyringOf(memoryKeys(), fill(1))
    const sealed = Array.from({ length: 100 }, () => keyring.seal('secret:A:1', new SecretValue('same')))
    expect(new Set(sealed).size).toBe(100)
    for (const text of sealed) expect(text).toMatch(/^oa3v1\.1\.[A-Za-z0-9_-]+$/)
  })
})

describe('the vault', () => {
  let dir: string
  let kit: DomainKit
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'oauth3-vault-'))
    kit = await createDomainKit({ dir })
  })
  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })
  const put = (name: string, value = VALUE, hosts?: readonly string[]) =>
    kit.storage.transaction((tx) => kit.vault.put(tx, name, new SecretValue(value), { actor: ACTOR, hosts }))
  const open = async (name: string): Promise<string> =>
    (await kit.storage.transaction((tx) => kit.vault.open(tx, name, 'req_test'))).open()
  const everyByte = (): Buffer =>
    Buffer.concat(
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => readFileSync(join(parentPath, name))),
    )

  it('stores, replaces, renames and removes, and counts versions', async () => {
    expect((await put('DEMO_KEY')).version).toBe(1)
    expect((await put('DEMO_KEY', 'demo-other')).version).toBe(2)
    expect(await open('DEMO_KEY')).toBe('demo-other')
    expect((await kit.vault.rename('DEMO_KEY', 'NEW_KEY', ACTOR)).version).toBe(3)
    expect(await open('NEW_KEY')).toBe('demo-other')
    await expect(open('DEMO_KEY')).rejects.toThrow(AppError)
    await kit.vault.remove('NEW_KEY', ACTOR)
    expect(await kit.storage.read((tx) => kit.vault.list(tx))).toEqual([])
    await expect(kit.vault.remove('NEW_KEY', ACTOR)).rejects.toThrow(
      expect.objectContaining({ code: 'not_found' }),
    )
  })

  it('keeps a binding until hosts are given again', async () => {
    expect(
      (await put('DEMO_KEY', VALUE, ['B.example.com', 'a.example.com:443', 'b.example.com'])).hosts,
    ).toEqual(['a.example.com', 'b.example.com'])
    expect((await put('DEMO_KEY')).hosts).toEqual(['a.example.com', 'b.example.com'])
    expect((await put('DEMO_KEY', VALUE, [])).hosts).toBeNull()
  })

  it.each<[string, () => Promise<unknown>, string]>([
    ['a reserved name', () => put('LD_PRELOAD'), 'invalid_request'],
    ['a name that is none', () => put('a-b'), 'invalid_request'],
    ['an empty value', () => put('DEMO_KEY', ''), 'invalid_request'],
    ['a NUL', () => put('DEMO_KEY', 'a\0b'), 'invalid_request'],
    ['a lone surrogate', () => put('DEMO_KEY', '\ud800'), 'invalid_request'],
    ['a value too long', () => put('DEMO_KEY', 'x'.repeat(65_537)), 'too_large'],
    ['a host that is none', () => put('DEMO_KEY', VALUE, ['exa mple.com']), 'invalid_request'],
    ['the removal of nothing', () => kit.vault.remove('NOT_THERE', ACTOR), 'not_found'],
    [
      'a reserved new name',
      async () => await kit.vault.rename((await put('DEMO_KEY')).name, 'PATH', ACTOR),
      'invalid_request',
    ],
    [
      'a new name that is taken',
      async () => await kit.vault.rename((await put('A_KEY')).name, (await put('B_KEY')).name, ACTOR),
      'conflict',
    ],
  ])('refuses %s', async (_what, attempt, code) => {
    await expect(attempt()).rejects.toMatchObject({ code })
  })

  it('leaves no plaintext in any file beside the database, in any usual form', async () => {
    await put('DEMO_KEY')
    await put('OTHER_KEY', `${VALUE}-two`)
    await open('DEMO_KEY')
    await kit.vault.rename('OTHER_KEY', 'THIRD_KEY', ACTOR)
    await kit.vault.rotate(ACTOR)
    const forms = [VALUE, Buffer.from(VALUE).toString('base64'), Buffer.from(VALUE).toString('hex')]
    const check = (): void => {
      const bytes = everyByte()
      expect(bytes.includes('DEMO_KEY')).toBe(true)
      for (const form of forms) expect(bytes.includes(form)).toBe(false)
    }
    check()
    kit.db.pragma('wal_checkpoint(TRUNCATE)')
    check()
  })

  it('does not open an envelope that was moved to another name or back to an older version', async () => {
    await put('DEMO_KEY', 'demo-first')
    const old = (await kit.storage.read((tx) => kit.vault.find(tx, 'DEMO_KEY')))?.sealed
    await put('DEMO_KEY', 'demo-second')
    await put('OTHER_KEY')
    const write = kit.db.prepare('UPDATE secrets SET encrypted_value = ? WHERE name = ?')
    write.run(old, 'DEMO_KEY')
    write.run(old, 'OTHER_KEY')
    await expect(open('DEMO_KEY')).rejects.toThrow(lockedError)
    await expect(open('OTHER_KEY')).rejects.toThrow(lockedError)
  })

  it('seals every secret under a new data key, and drops the old one', async () => {
    await put('A_KEY', 'demo-a')
    await put('B_KEY', 'demo-b')
    expect(await kit.vault.rotate(ACTOR)).toBe(2)
    expect(await kit.vault.rotate(ACTOR)).toBe(2)
    expect(kit.db.prepare('SELECT id FROM data_keys').pluck().all()).toEqual([3])
    expect(
      (await kit.storage.read((tx) => kit.vault.list(tx))).map(({ sealed }) => sealed.slice(0, 8)),
    ).toEqual(['oa3v1.3.', 'oa3v1.3.'])
    expect([await open('A_KEY'), await open('B_KEY')]).toEqual(['demo-a', 'demo-b'])
  })

  it('reads on while a rotation is under way, and stays readable when it is undone in the middle', async () => {
    await put('A_KEY', 'demo-a')
    await put('B_KEY', 'demo-b')
    const held = kit.vault.sealFor('held', new SecretValue('demo-held'))
    let begun = Promise.withResolvers<void>()
    let ending = Promise.withResolvers<void>()
    kit.events.subscribe('data_key.rotated', async () => {
      begun.resolve()
      await ending.promise
    })
    const rotateWhile = async (work: () => Promise<void>): Promise<number> => {
      begun = Promise.withResolvers()
      ending = Promise.withResolvers()
      const rotated = kit.vault.rotate(ACTOR)
      await begun.promise
      await work()
      return rotated
    }
    const readBoth = async (end: () => void): Promise<void> => {
      expect(kit.vault.openFor('held', held).open()).toBe('demo-held')
      const [first] = await kit.storage.read((tx) => kit.vault.list(tx))
      expect(first?.sealed).toMatch(/^oa3v1\.1\./)
      const opened = [open('A_KEY'), open('B_KEY')]
      end()
      expect(await Promise.all(opened)).toEqual(['demo-a', 'demo-b'])
    }
    for (let round = 0; round < 3; round++) {
      await expect(rotateWhile(() => readBoth(() => ending.reject(new Error('power cut'))))).rejects.toThrow(
        'power cut',
      )
      expect([await open('A_KEY'), await open('B_KEY')]).toEqual(['demo-a', 'demo-b'])
    }
    await put('C_KEY', 'demo-c')
    expect(await rotateWhile(() => readBoth(() => ending.resolve()))).toBe(3)
    expect([await open('A_KEY'), await open('B_KEY'), await open('C_KEY')]).toEqual([
      'demo-a',
      'demo-b',
      'demo-c',
    ])
    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir })
    expect([await open('A_KEY'), await open('B_KEY'), await open('C_KEY')]).toEqual([
      'demo-a',
      'demo-b',
      'demo-c',
    ])
    expect((await kit.audit.verify()).ok).toBe(true)
  })

  it('gives nothing half way: a rotation that meets an altered secret changes nothing', async () => {
    await put('A_KEY', 'demo-a')
    await put('B_KEY', 'demo-b')
    kit.db
      .prepare("UPDATE secrets SET encrypted_value = encrypted_value || 'AAAA' WHERE name = 'B_KEY'")
      .run()
    await expect(kit.vault.rotate(ACTOR)).rejects.toThrow(lockedError)
    expect(await open('A_KEY')).toBe('demo-a')
    expect(kit.db.prepare('SELECT id FROM data_keys').pluck().all()).toEqual([1])
  })

  it('seals what others hold anew, each for its own purpose', async () => {
    let held = ''
    const storage = memoryKeys()
    const vault = createVault({
      lockdown: { assertOpen() {} },
      keyring: await keyringOf(storage, fill(1)),
      audit: { append: async () => {} } as unknown as AuditLog,
      storage,
      clock: kit.clock,
      events: {
        async publish(_tx, event) {
          if (event.type === 'data_key.rotated') held = event.reseal('agent-wake:agt_1', held)
        },
      },
    })
    held = vault.sealFor('agent-wake:agt_1', new SecretValue('demo-token'))
    expect(() => vault.openFor('agent-wake:agt_2', held)).toThrow(lockedError)
    await vault.rotate(ACTOR)
    expect(held).toMatch(/^oa3v1\.2\./)
    expect(vault.openFor('agent-wake:agt_1', held).open()).toBe('demo-token')
  })

  it('tells the audit of every change and opening, and never a value', async () => {
    await put('DEMO_KEY')
    await open('DEMO_KEY')
    await kit.vault.rename('DEMO_KEY', 'NEW_KEY', ACTOR)
    await kit.vault.rotate(ACTOR)
    await kit.vault.remove('NEW_KEY', ACTOR)
    const rows = await Array.fromAsync(kit.audit.export())
    expect(rows.map(({ event }) => event)).toEqual([
      'secret.stored',
      'secret.opened',
      'secret.renamed',
      'key.rotated',
      'secret.removed',
    ])
    expect(JSON.stringify(rows)).not.toContain(VALUE)
  })
})
