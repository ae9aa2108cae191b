import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { engineKits, type TestDatabase } from '../../test/support/engines.ts'
import { SecretValue, type Storage, type Tx } from '../kernel/index.ts'
import { UnknownOutcome } from '../storage/index.ts'
import { createSodiumCipher } from '../vault/crypto/index.ts'
import { STORES } from './compose-stores.ts'
import { type MasterKeys, openAuditKey, openMasterKeys } from './daemon-keys.ts'

const lockedError = expect.objectContaining({ code: 'locked' })
const CONTEXT = 'secret:DEMO_KEY:1'

let dir: string
let database: TestDatabase
let storage: Storage
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-keys-'))
  database = await engineKits.sqlite.fresh({ stores: STORES })
  storage = database.storage
})
afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const keyFile = (): string => join(dir, 'master.key')
const nothingBeside = async (): Promise<void> => {}
const crash = async (): Promise<void> => Promise.reject(new Error('power cut'))

async function start(kind: 'file' | 'passphrase' = 'file', on = storage): Promise<MasterKeys> {
  const source = { kind, path: kind === 'file' ? keyFile() : join(dir, 'passphrase') }
  return openMasterKeys({
    ...{ source, storage: on },
    cipher: await createSodiumCipher(),
    clock: { now: () => 1 },
  })
}

/** A process that ends when a unit of work that counts is on disk, before it does anything else. */
const endingAfterCommits = (
  end: () => Error = () => new Error('power cut'),
): Storage & { isEnding: boolean } => {
  const ending = {
    ...storage,
    isEnding: false,
    transaction: async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
      const result = await storage.transaction(work)
      if (ending.isEnding) throw end()
      return result
    },
  }
  return ending
}

const writePassphrase = (text: string, name = 'passphrase'): void =>
  writeFileSync(join(dir, name), `${text}\n`, { mode: 0o600 })

describe('the master key file', () => {
  it('is made on the first start, for its owner alone, and nothing is left beside it', async () => {
    await start()
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600)
    expect(readFileSync(keyFile())).toHaveLength(32)
    expect(readdirSync(dir).filter((name) => name.startsWith('master'))).toEqual(['master.key'])
  })

  it('opens what it sealed before', async () => {
    const sealed = (await start()).keyring.seal(CONTEXT, new SecretValue('demo-value'))
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
  })

  it('is not made anew when it is missing and the database needs it', async () => {
    await start()
    rmSync(keyFile())
    await expect(start()).rejects.toThrow(lockedError)
    expect(existsSync(keyFile())).toBe(false)
  })

  it('is not made anew when the data keys were taken out of a database that was in use', async () => {
    const { keyring } = await start()
    await openAuditKey({ storage, keyring, inUse: false })
    for (const { id } of await storage.read((tx) => tx.dataKeys.list()))
      await storage.transaction((tx) => tx.dataKeys.remove(id))
    rmSync(keyFile())
    await expect(start()).rejects.toThrow(lockedError)
    expect(existsSync(keyFile())).toBe(false)
  })

  it.each([0o640, 0o604, 0o644, 0o660])('is refused with mode %o', async (mode) => {
    await start()
    chmodSync(keyFile(), mode)
    await expect(start()).rejects.toThrow(
      expect.objectContaining({ code: 'locked', message: expect.stringContaining('chmod 600') }),
    )
  })

  it('is refused when it is another key, or not 32 bytes', async () => {
    await start()
    for (const bytes of [Buffer.alloc(32, 1), Buffer.alloc(31), Buffer.alloc(0)]) {
      writeFileSync(keyFile(), bytes)
      await expect(start()).rejects.toThrow(lockedError)
    }
  })

  it('is made although a crash left a draft of it', async () => {
    writeFileSync(`${keyFile()}.draft`, 'half')
    await start()
    expect(readFileSync(keyFile())).toHaveLength(32)
    expect(existsSync(`${keyFile()}.draft`)).toBe(false)
  })

  it('says what is wrong with itself also when a next key lies beside it', async () => {
    await start()
    chmodSync(keyFile(), 0o644)
    writeFileSync(`${keyFile()}.next`, Buffer.alloc(32, 1), { mode: 0o600 })
    await expect(start()).rejects.toThrow('chmod 600')
  })
})

describe('the rotation of the master key', () => {
  it('puts another key in its place, under which everything opens', async () => {
    const keys = await start()
    const sealed = keys.keyring.seal(CONTEXT, new SecretValue('demo-value'))
    const before = readFileSync(keyFile())
    await keys.rotate(nothingBeside)
    expect(readFileSync(keyFile()).equals(before)).toBe(false)
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600)
    expect(existsSync(`${keyFile()}.next`)).toBe(false)
    expect(keys.keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    writeFileSync(keyFile(), before)
    await expect(start()).rejects.toThrow(lockedError)
  })

  it('changes nothing when it ends before its transaction is on disk', async () => {
    const keys = await start()
    const sealed = keys.keyring.seal(CONTEXT, new SecretValue('demo-value'))
    const before = readFileSync(keyFile())
    await expect(keys.rotate(crash)).rejects.toThrow('power cut')
    expect(keys.keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect(readFileSync(keyFile()).equals(before)).toBe(true)
    expect(existsSync(`${keyFile()}.next`)).toBe(false)
    await keys.rotate(nothingBeside)
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
  })

  it('is finished by the next start when it ends between its transaction and the renaming', async () => {
    const process = endingAfterCommits()
    const keys = await start('file', process)
    const sealed = keys.keyring.seal(CONTEXT, new SecretValue('demo-value'))
    process.isEnding = true
    await expect(keys.rotate(nothingBeside)).rejects.toThrow('power cut')
    expect(existsSync(`${keyFile()}.next`)).toBe(true)
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect(existsSync(`${keyFile()}.next`)).toBe(false)
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
  })

  it('is followed by no other while nobody knows whether it was made', async () => {
    const process = endingAfterCommits(() => new UnknownOutcome(undefined))
    const keys = await start('file', process)
    const sealed = keys.keyring.seal(CONTEXT, new SecretValue('demo-value'))
    process.isEnding = true
    await expect(keys.rotate(nothingBeside)).rejects.toThrow('does not say whether it was made')
    process.isEnding = false
    await expect(keys.rotate(nothingBeside)).rejects.toThrow(expect.objectContaining({ code: 'conflict' }))
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
  })

  it('goes on after a data key was rotated', async () => {
    const keys = await start()
    await storage.transaction((tx) => keys.keyring.begin(tx))
    const sealed = keys.keyring.seal(CONTEXT, new SecretValue('demo-value'))
    expect(sealed).toMatch(/^oa3v1\.2\./)
    await keys.rotate(nothingBeside)
    await storage.transaction((tx) => keys.keyring.begin(tx))
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
  })
})

describe('the passphrase', () => {
  it('opens what it sealed, whatever its normal form and line end', async () => {
    writePassphrase('Grüße und viele Wörter'.normalize('NFC'))
    const sealed = (await start('passphrase')).keyring.seal(CONTEXT, new SecretValue('demo-value'))
    writeFileSync(join(dir, 'passphrase'), 'Grüße und viele Wörter'.normalize('NFD'))
    expect((await start('passphrase')).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect(JSON.parse((await storage.read((tx) => tx.meta.get('kdf'))) ?? '')).toMatchObject({
      memoryKib: 65_536,
      passes: 3,
      lanes: 4,
    })
    expect(existsSync(keyFile())).toBe(false)
  })

  it('is refused when it is another, too short, missing or readable by others', async () => {
    writePassphrase('four words of passphrase')
    await start('passphrase')
    writePassphrase('four words of passphrasE')
    await expect(start('passphrase')).rejects.toThrow(lockedError)
    writePassphrase('short')
    await expect(start('passphrase')).rejects.toThrow('fewer than 12')
    chmodSync(join(dir, 'passphrase'), 0o640)
    await expect(start('passphrase')).rejects.toThrow('chmod 600')
    rmSync(join(dir, 'passphrase'))
    await expect(start('passphrase')).rejects.toThrow('missing')
  })

  it('does not open a database that was made with a key file, and leaves nothing in it', async () => {
    await start()
    writePassphrase('four words of passphrase')
    await expect(start('passphrase')).rejects.toThrow('key file')
    expect(await storage.read((tx) => tx.meta.get('kdf'))).toBeUndefined()
  })

  it('is replaced by the next one, also when a crash comes before the renaming', async () => {
    writePassphrase('four words of passphrase')
    const process = endingAfterCommits()
    const keys = await start('passphrase', process)
    const sealed = keys.keyring.seal(CONTEXT, new SecretValue('demo-value'))
    await expect(keys.rotate(nothingBeside)).rejects.toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
    writePassphrase('other words of passphrase', 'passphrase.next')
    process.isEnding = true
    await expect(keys.rotate(nothingBeside)).rejects.toThrow('power cut')
    expect((await start('passphrase')).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect(readFileSync(join(dir, 'passphrase'), 'utf8')).toBe('other words of passphrase\n')
  })
})

describe('the audit key', () => {
  it('is made once and stays the same', async () => {
    const { keyring } = await start()
    const key = await openAuditKey({ storage, keyring, inUse: false })
    expect(key).toHaveLength(32)
    expect(await openAuditKey({ storage, keyring, inUse: true })).toEqual(key)
  })

  it('is not made anew for a database that was in use', async () => {
    const { keyring } = await start()
    await expect(openAuditKey({ storage, keyring, inUse: true })).rejects.toThrow(lockedError)
    expect(await storage.read((tx) => tx.meta.get('audit_key'))).toBeUndefined()
  })
})
