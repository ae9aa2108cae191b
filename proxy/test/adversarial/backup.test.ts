/** Backups that are whole, and restores that happen or do not, whatever runs and whoever interrupts. */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { type CliRun, runCliProcess } from '../support/run-cli.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

describe('a backup', () => {
  let kit: DaemonKit
  let elsewhere: string
  beforeEach(async () => {
    kit = await createDaemonKit({ environment: { OAUTH3_SANDBOX: 'embedded' } })
    elsewhere = mkdtempSync(join(tmpdir(), 'oauth3-backup-'))
  })
  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    rmSync(elsewhere, { recursive: true, force: true })
  })

  const data = () => join(kit.folder, 'data')
  const database = () => join(data(), 'proxy.db')
  const env = () => ({ DB_PATH: database() })
  const cli = (...args: string[]): Promise<CliRun> => runCliProcess(args, { env: env() })
  const backup = async (name = 'one.db'): Promise<string> => {
    const file = join(elsewhere, name)
    expect(await cli('backup', file)).toMatchObject({ code: 0, stderr: '' })
    return file
  }
  const agentsIn = (file: string): string[] => {
    const db = new SqliteDatabase(file)
    const names = db.prepare<[], string>('SELECT name FROM agents ORDER BY name').pluck().all()
    db.close()
    return names
  }
  const add = async (name: string) =>
    expect((await kit.admin('POST', '/v1/agents', { name })).status).toBe(200)
  /** Names and contents of everything beside the database, and the database. */
  const fingerprints = () =>
    readdirSync(data(), { withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith('proxy.db.lock'))
      .map(({ name }) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(data(), name)))
          .digest('hex'),
      ])

  it('is one whole file while the daemon writes, its owner’s alone, without the key', async () => {
    let isOver = false
    let written = 0
    const load = (async () => {
      while (!isOver) {
        written += 1
        await kit.admin('PUT', `/v1/secrets/LOAD_${written % 50}`, { value: `demo-value-${written}` })
      }
    })()
    const file = await backup()
    const at = written
    isOver = true
    await load
    expect(at).toBeGreaterThan(2)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(elsewhere)).toEqual(['one.db'])
    const key = readFileSync(join(data(), 'master.key'))
    const bytes = readFileSync(file)
    expect(bytes.includes(key)).toBe(false)
    expect(bytes.includes(Buffer.from(key.toString('hex')))).toBe(false)
    expect(bytes.includes(Buffer.from('demo-value-1'))).toBe(false)
    const db = new SqliteDatabase(file, { readonly: true })
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    const note = JSON.parse(
      db.prepare<[], string>("SELECT value FROM installation WHERE key = 'backup'").pluck().get() ?? '',
    )
    db.close()
    expect(note.key_fingerprint).toMatch(/^[0-9a-f]{32}$/)
    expect(key.toString('hex')).not.toContain(note.key_fingerprint)

    const again = await cli('backup', file)
    expect(again).toMatchObject({ code: 5, stderr: expect.stringContaining('is there already') })
    expect(readFileSync(file).equals(bytes)).toBe(true)
  })

  it('comes back with restore, once no daemon runs, and what was there is kept beside it', async () => {
    await add('before')
    const file = await backup()
    await add('after')
    const running = await cli('restore', file)
    expect(running).toMatchObject({ code: 5, stdout: '', stderr: expect.stringContaining('already runs') })

    await kit.daemon.stop()
    const restored = await cli('restore', file, '--json')
    expect(restored).toMatchObject({ code: 0, stderr: '' })
    const { aside } = JSON.parse(restored.stdout) as { aside: string }
    expect(readdirSync(data()).filter((name) => /draft|-wal|-shm/.test(name))).toEqual([])
    expect(agentsIn(aside)).toEqual(['after', 'before', 'claw'])
    expect(statSync(aside).mode & 0o777).toBe(0o600)
    expect(agentsIn(database())).toEqual(['before', 'claw'])
    await kit.restart()
    expect(
      (await kit.admin('GET', '/v1/agents')).body.agents.map(({ name }: { name: string }) => name).sort(),
    ).toEqual(['before', 'claw'])
    expect((await kit.admin('GET', '/v1/audit/verify')).body).toMatchObject({ ok: true })
  })

  it('is refused by a restore with another key, which changes nothing', async () => {
    const file = await backup()
    await kit.daemon.stop()
    const keyFile = join(data(), 'master.key')
    const key = readFileSync(keyFile)
    writeFileSync(keyFile, randomBytes(32))
    const before = fingerprints()
    const refused = await cli('restore', file)
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toMatch(
      /needs the master key with the fingerprint [0-9a-f]{32}: The master key does not open/,
    )
    expect(fingerprints()).toEqual(before)
    rmSync(keyFile)
    expect((await cli('restore', file)).stderr).toMatch(/master key file .+ is missing/)
    writeFileSync(keyFile, key, { mode: 0o600 })
    chmodSync(keyFile, 0o600)
    expect((await cli('restore', file)).code).toBe(0)
  })

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 8_192)],
    [
      'damaged inside',
      (bytes: Buffer) =>
        Buffer.concat([bytes.subarray(0, 8_192), randomBytes(16_384), bytes.subarray(24_576)]),
    ],
    ['no database', () => randomBytes(20_000)],
    ['empty', () => Buffer.alloc(0)],
  ])('that is %s is refused, and changes nothing', async (_what, spoil) => {
    const file = await backup()
    await kit.daemon.stop()
    writeFileSync(file, spoil(readFileSync(file)))
    const before = fingerprints()
    const refused = await cli('restore', file)
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(/^oauth3: It is not a whole database: .+\n$/)
    expect(fingerprints()).toEqual(before)
  })

  it('goes through standard output and input, and a restore that is killed in the middle leaves all as it was', async () => {
    await add('streamed')
    const bytes = await streamOut(env())
    await kit.daemon.stop()
    const before = fingerprints()
    const child = spawn(process.execPath, [MAIN, 'restore', '-'], { env: { ...env(), PATH: '' }, cwd: '/' })
    child.stdin.on('error', () => {})
    child.stdin.write(bytes.subarray(0, bytes.length / 2))
    const drafted = () => readdirSync(data()).some((name) => name.endsWith('.draft'))
    while (!drafted()) await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
    expect(fingerprints().filter(([name]) => !/\.draft/.test(name ?? ''))).toEqual(before)

    const whole = spawn(process.execPath, [MAIN, 'restore', '-'], { env: { ...env(), PATH: '' }, cwd: '/' })
    whole.stdin.end(bytes)
    expect(await new Promise((resolve) => whole.once('close', resolve))).toBe(0)
    expect(agentsIn(database())).toEqual(['claw', 'streamed'])
    expect(readdirSync(data()).filter((name) => name.includes('draft'))).toEqual([])
  })

  it('stays with its own: not of a folder without a database, not from the database itself', async () => {
    const none = await runCliProcess(['backup', join(elsewhere, 'x.db')], {
      env: { DB_PATH: join(elsewhere, 'none.db') },
    })
    expect(none).toMatchObject({ code: 4, stdout: '' })
    expect(readdirSync(elsewhere)).toEqual([])
    await kit.daemon.stop()
    expect((await cli('restore', database())).stderr).toMatch(/is the database itself/)
    expect((await cli('restore', join(elsewhere, 'y.db'))).code).toBe(4)
  })
})

async function streamOut(env: Record<string, string>): Promise<Buffer> {
  const child = spawn(process.execPath, [MAIN, 'backup', '-'], { env: { ...env, PATH: '' }, cwd: '/' })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0)
  return Buffer.concat(chunks)
}
