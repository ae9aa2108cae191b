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
import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSodiumCipher } from './adapters/crypto/index.ts'
import {
  createDataKeyStore,
  createMetaStore,
  createTransactor,
  openDatabase,
} from './adapters/storage/index.ts'
import { type MasterKeys, openAuditKey, openMasterKeys } from './daemon-keys.ts'
import { SecretValue } from './kernel/index.ts'

const lockedError = expect.objectContaining({ code: 'locked' })
const CONTEXT = 'secret:DEMO_KEY:1'

let dir: string
let db: Database
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-keys-'))
  db = openDatabase(join(dir, 'proxy.db'))
})
afterEach(() => {
  db.close()
  rmSync(dir, { recursive: true })
})

const keyFile = (): string => join(dir, 'master.key')
const transact = (work: () => void): void => createTransactor(db).transact(work)
const meta = () => createMetaStore(db)

async function start(kind: 'file' | 'passphrase' = 'file'): Promise<MasterKeys> {
  const source = { kind, path: kind === 'file' ? keyFile() : join(dir, 'passphrase') }
  return openMasterKeys({
    source,
    meta: meta(),
    dataKeys: createDataKeyStore(db),
    cipher: await createSodiumCipher(),
    clock: { now: () => 1 },
  })
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
    openAuditKey({ meta: meta(), keyring, inUse: false })
    db.exec('DELETE FROM data_keys')
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
    await keys.rotate(transact)
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
    const crash = (work: () => void): void =>
      transact(() => {
        work()
        throw new Error('power cut')
      })
    await expect(keys.rotate(crash)).rejects.toThrow('power cut')
    expect(keys.keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect(readFileSync(keyFile()).equals(before)).toBe(true)
    expect(existsSync(`${keyFile()}.next`)).toBe(false)
    await keys.rotate(transact)
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
  })

  it('is finished by the next start when it ends between its transaction and the renaming', async () => {
    const keys = await start()
    const sealed = keys.keyring.seal(CONTEXT, new SecretValue('demo-value'))
    const crash = (work: () => void): void => {
      transact(work)
      throw new Error('power cut')
    }
    await expect(keys.rotate(crash)).rejects.toThrow('power cut')
    expect(existsSync(`${keyFile()}.next`)).toBe(true)
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect(existsSync(`${keyFile()}.next`)).toBe(false)
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
  })

  it('goes on after a data key was rotated', async () => {
    const keys = await start()
    transact(() => keys.keyring.begin()())
    const sealed = keys.keyring.seal(CONTEXT, new SecretValue('demo-value'))
    await keys.rotate(transact)
    transact(() => void keys.keyring.begin())
    expect((await start()).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
  })
})

describe('the passphrase', () => {
  it('opens what it sealed, whatever its normal form and line end', async () => {
    writePassphrase('Grüße und viele Wörter'.normalize('NFC'))
    const sealed = (await start('passphrase')).keyring.seal(CONTEXT, new SecretValue('demo-value'))
    writeFileSync(join(dir, 'passphrase'), 'Grüße und viele Wörter'.normalize('NFD'))
    expect((await start('passphrase')).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect(JSON.parse(meta().get('kdf') ?? '')).toMatchObject({ memoryKib: 65_536, passes: 3, lanes: 4 })
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
    expect(meta().get('kdf')).toBeUndefined()
  })

  it('is replaced by the next one, also when a crash comes before the renaming', async () => {
    writePassphrase('four words of passphrase')
    const keys = await start('passphrase')
    const sealed = keys.keyring.seal(CONTEXT, new SecretValue('demo-value'))
    await expect(keys.rotate(transact)).rejects.toThrow(expect.objectContaining({ code: 'invalid_request' }))
    writePassphrase('other words of passphrase', 'passphrase.next')
    const crash = (work: () => void): void => {
      transact(work)
      throw new Error('power cut')
    }
    await expect(keys.rotate(crash)).rejects.toThrow('power cut')
    expect((await start('passphrase')).keyring.open(CONTEXT, sealed).open()).toBe('demo-value')
    expect(readFileSync(join(dir, 'passphrase'), 'utf8')).toBe('other words of passphrase\n')
  })
})

describe('the audit key', () => {
  it('is made once and stays the same', async () => {
    const { keyring } = await start()
    const key = openAuditKey({ meta: meta(), keyring, inUse: false })
    expect(key).toHaveLength(32)
    expect(openAuditKey({ meta: meta(), keyring, inUse: true })).toEqual(key)
  })

  it('is not made anew for a database that was in use', async () => {
    const { keyring } = await start()
    expect(() => openAuditKey({ meta: meta(), keyring, inUse: true })).toThrow(lockedError)
    expect(meta().get('audit_key')).toBeUndefined()
  })
})
