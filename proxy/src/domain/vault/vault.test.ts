import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDomainKit, type DomainKit } from '../../../test/support/domain-kit.ts'
import vectors from '../../../test/vectors/envelope-v1.json' with { type: 'json' }
import { createSodiumCipher } from '../../adapters/crypto/index.ts'
import { AppError, SecretValue } from '../../kernel/index.ts'
import { createDataKeyring, type DataKeyRecord, type DataKeyRepository, type DataKeyring } from './keyring.ts'
import { createVault } from './vault.ts'

const ACTOR = 'cli:0'
const VALUE = 'demo-value-0123456789abcdef'
const fill = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

const lockedError = expect.objectContaining({ code: 'locked' })

function memoryKeys(initial: readonly DataKeyRecord[] = []): DataKeyRepository {
  let records = [...initial]
  return {
    list: () => records,
    insert: (record) => void records.push(record),
    rewrap: (id, wrapped) => {
      records = records.map((record) => (record.id === id ? { ...record, wrapped } : record))
    },
    remove: (id) => {
      records = records.filter((record) => record.id !== id)
    },
  }
}

async function keyringOf(repository: DataKeyRepository, masterKey: Uint8Array): Promise<DataKeyring> {
  return createDataKeyring({
    repository,
    cipher: await createSodiumCipher(),
    masterKey,
    clock: { now: () => 1 },
  })
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
    const repository = memoryKeys(records)
    const keyring = await keyringOf(repository, masterKey)
    keyring.rewrap(fill(3))()
    const later = await keyringOf(repository, fill(3))
    for (const { context, plaintext, envelope } of vectors.envelopes) {
      expect(keyring.open(context, envelope).open()).toBe(plaintext)
      expect(later.open(context, envelope).open()).toBe(plaintext)
    }
    await expect(keyringOf(repository, masterKey)).rejects.toThrow(lockedError)
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
    kit.vault.put(name, new SecretValue(value), { actor: ACTOR, hosts })
  const open = (name: string): string =>
    kit.transactor.transact(() => kit.vault.open(name, 'req_test')).open()
  const everyByte = (): Buffer =>
    Buffer.concat(
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => readFileSync(join(parentPath, name))),
    )

  it('stores, replaces, renames and removes, and counts versions', () => {
    expect(put('DEMO_KEY').version).toBe(1)
    expect(put('DEMO_KEY', 'demo-other').version).toBe(2)
    expect(open('DEMO_KEY')).toBe('demo-other')
    expect(kit.vault.rename('DEMO_KEY', 'NEW_KEY', ACTOR).version).toBe(3)
    expect(open('NEW_KEY')).toBe('demo-other')
    expect(() => open('DEMO_KEY')).toThrow(AppError)
    kit.vault.remove('NEW_KEY', ACTOR)
    expect(kit.vault.list()).toEqual([])
    expect(() => kit.vault.remove('NEW_KEY', ACTOR)).toThrow(expect.objectContaining({ code: 'not_found' }))
  })

  it('keeps a binding until hosts are given again', () => {
    expect(put('DEMO_KEY', VALUE, ['B.example.com', 'a.example.com:443', 'b.example.com']).hosts).toEqual([
      'a.example.com',
      'b.example.com',
    ])
    expect(put('DEMO_KEY').hosts).toEqual(['a.example.com', 'b.example.com'])
    expect(put('DEMO_KEY', VALUE, []).hosts).toBeNull()
  })

  it.each<[string, () => unknown, string]>([
    ['a reserved name', () => put('LD_PRELOAD'), 'invalid_request'],
    ['a name that is none', () => put('a-b'), 'invalid_request'],
    ['an empty value', () => put('DEMO_KEY', ''), 'invalid_request'],
    ['a NUL', () => put('DEMO_KEY', 'a\0b'), 'invalid_request'],
    ['a lone surrogate', () => put('DEMO_KEY', '\ud800'), 'invalid_request'],
    ['a value too long', () => put('DEMO_KEY', 'x'.repeat(65_537)), 'too_large'],
    ['a host that is none', () => put('DEMO_KEY', VALUE, ['exa mple.com']), 'invalid_request'],
    ['the removal of nothing', () => kit.vault.remove('NOT_THERE', ACTOR), 'not_found'],
    ['a reserved new name', () => kit.vault.rename(put('DEMO_KEY').name, 'PATH', ACTOR), 'invalid_request'],
    [
      'a new name that is taken',
      () => kit.vault.rename(put('A_KEY').name, put('B_KEY').name, ACTOR),
      'conflict',
    ],
  ])('refuses %s', (_what, attempt, code) => {
    expect(attempt).toThrow(expect.objectContaining({ code }))
  })

  it('leaves no plaintext in any file beside the database, in any usual form', () => {
    put('DEMO_KEY')
    put('OTHER_KEY', `${VALUE}-two`)
    open('DEMO_KEY')
    kit.vault.rename('OTHER_KEY', 'THIRD_KEY', ACTOR)
    kit.vault.rotate(ACTOR)
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

  it('does not open an envelope that was moved to another name or back to an older version', () => {
    put('DEMO_KEY', 'demo-first')
    const old = kit.vault.find('DEMO_KEY')?.sealed
    put('DEMO_KEY', 'demo-second')
    put('OTHER_KEY')
    const write = kit.db.prepare('UPDATE secrets SET encrypted_value = ? WHERE name = ?')
    write.run(old, 'DEMO_KEY')
    write.run(old, 'OTHER_KEY')
    expect(() => open('DEMO_KEY')).toThrow(lockedError)
    expect(() => open('OTHER_KEY')).toThrow(lockedError)
  })

  it('seals every secret under a new data key, and drops the old one', () => {
    put('A_KEY', 'demo-a')
    put('B_KEY', 'demo-b')
    expect(kit.vault.rotate(ACTOR)).toBe(2)
    expect(kit.vault.rotate(ACTOR)).toBe(2)
    expect(kit.db.prepare('SELECT id FROM data_keys').pluck().all()).toEqual([3])
    expect(kit.vault.list().map(({ sealed }) => sealed.slice(0, 8))).toEqual(['oa3v1.3.', 'oa3v1.3.'])
    expect([open('A_KEY'), open('B_KEY')]).toEqual(['demo-a', 'demo-b'])
  })

  it('reads on while a rotation is under way, and stays readable when it is undone in the middle', async () => {
    put('A_KEY', 'demo-a')
    put('B_KEY', 'demo-b')
    for (let round = 0; round < 3; round++) {
      expect(() =>
        kit.transactor.transact(() => {
          kit.vault.rotate(ACTOR)
          expect(open('A_KEY')).toBe('demo-a')
          throw new Error('power cut')
        }),
      ).toThrow('power cut')
      expect([open('A_KEY'), open('B_KEY')]).toEqual(['demo-a', 'demo-b'])
    }
    put('C_KEY', 'demo-c')
    expect(kit.vault.rotate(ACTOR)).toBe(3)
    expect([open('A_KEY'), open('B_KEY'), open('C_KEY')]).toEqual(['demo-a', 'demo-b', 'demo-c'])
    await kit[Symbol.asyncDispose]()
    kit = await createDomainKit({ dir })
    expect([open('A_KEY'), open('B_KEY'), open('C_KEY')]).toEqual(['demo-a', 'demo-b', 'demo-c'])
    expect(kit.audit.verify().ok).toBe(true)
  })

  it('gives nothing half way: a rotation that meets an altered secret changes nothing', () => {
    put('A_KEY', 'demo-a')
    put('B_KEY', 'demo-b')
    kit.db
      .prepare("UPDATE secrets SET encrypted_value = encrypted_value || 'AAAA' WHERE name = 'B_KEY'")
      .run()
    expect(() => kit.vault.rotate(ACTOR)).toThrow(lockedError)
    expect(open('A_KEY')).toBe('demo-a')
    expect(kit.db.prepare('SELECT id FROM data_keys').pluck().all()).toEqual([1])
  })

  it('seals what others hold anew, each for its own purpose', async () => {
    let held = kit.vault.sealFor('agent-wake:agt_1', new SecretValue('demo-token'))
    const keyring = await keyringOf(memoryKeys(), fill(1))
    const vault = createVault({
      repository: {
        byName: () => undefined,
        list: () => [],
        upsert() {},
        remove() {},
        rename() {},
        keptHosts: () => undefined,
        keepHosts() {},
        forgetHosts() {},
      },
      keyring,
      audit: kit.audit,
      transactor: kit.transactor,
      clock: kit.clock,
      events: {
        publish(event) {
          if (event.type === 'data_key.rotated') held = event.reseal('agent-wake:agt_1', held)
        },
      },
    })
    held = vault.sealFor('agent-wake:agt_1', new SecretValue('demo-token'))
    expect(() => vault.openFor('agent-wake:agt_2', held)).toThrow(lockedError)
    vault.rotate(ACTOR)
    expect(held).toMatch(/^oa3v1\.2\./)
    expect(vault.openFor('agent-wake:agt_1', held).open()).toBe('demo-token')
  })

  it('tells the audit of every change and opening, and never a value', () => {
    put('DEMO_KEY')
    open('DEMO_KEY')
    kit.vault.rename('DEMO_KEY', 'NEW_KEY', ACTOR)
    kit.vault.rotate(ACTOR)
    kit.vault.remove('NEW_KEY', ACTOR)
    const rows = [...kit.audit.export()]
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
