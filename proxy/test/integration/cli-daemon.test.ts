import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFront } from '../../src/compose/daemon-front.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { patience } from '../support/pace.ts'
import { programEnv } from '../support/program-env.ts'
import { runCliProcess } from '../support/run-cli.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/oauth3.js', import.meta.url))
const docker = await dockerOrSkip({ images: false })
let folder: string
let child: ChildProcess | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-daemon-'))
  writeFileSync(join(folder, '.env'), 'PORT=0\nOAUTH3_SANDBOX=embedded\nDB_PATH=./state/proxy.db\n', {
    mode: 0o600,
  })
})
afterEach(async () => {
  await endGroup(child)
  child = undefined
  rmSync(folder, { recursive: true, force: true })
})

/** A launcher that is killed cannot end the daemon that it began: both are of one process group, which ends as a whole. */
async function endGroup(launcher: ChildProcess | undefined): Promise<void> {
  if (launcher?.pid === undefined) return
  const group = -launcher.pid
  const isThere = (): boolean => {
    try {
      return process.kill(group, 'SIGKILL')
    } catch {
      return false
    }
  }
  await expect.poll(isThere, { timeout: patience(10_000) }).toBe(false)
}

/** Starts `oauth3 daemon` through the launcher and waits until it says that it is ready. */
async function startDaemonProcess(): Promise<{ exited: Promise<number | null> }> {
  const running = spawn(process.execPath, [LAUNCHER, 'daemon'], {
    cwd: folder,
    env: programEnv(),
    detached: true,
  })
  child = running
  const exited = new Promise<number | null>((resolve) => running.once('exit', resolve))
  await new Promise<void>((resolve, reject) => {
    let log = ''
    const take = (chunk: Buffer): void => {
      log += chunk
      if (log.includes('oauth3 is ready')) resolve()
    }
    running.stdout.on('data', take)
    running.stderr.on('data', take)
    running.once('exit', (code) => reject(new Error(`the daemon ended with ${code}: ${log}`)))
  })
  return { exited }
}

test('the daemon reads .env, is found from the same folder, refuses a second one, and drains on SIGTERM', async () => {
  const { exited } = await startDaemonProcess()
  const status = await runCliProcess(['status', '--json'], { cwd: folder })
  expect(JSON.parse(status.stdout)).toMatchObject({ sandbox: 'embedded', waiting: 0 })
  expect((await runCliProcess(['doctor'], { cwd: folder })).stdout).toMatch(/ok +sandbox/)

  const second = await runCliProcess(['daemon'], { cwd: folder })
  expect(second.code).toBe(5)
  expect(second.stderr).toMatch(/^oauth3: A daemon already runs on the database .+\n$/)

  child?.kill('SIGTERM')
  expect(await exited).toBe(0)
  expect(existsSync(join(folder, 'state', 'admin.sock'))).toBe(false)
  expect((await runCliProcess(['status'], { cwd: folder })).code).toBe(3)
})

test('a wrong setting stops the start with one line that names it and what it takes', async () => {
  const run = await runCliProcess(['daemon'], { cwd: folder, env: { OAUTH3_SANDBOX: 'cardboard' } })
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toMatch(/^oauth3: OAUTH3_SANDBOX is not valid: it takes docker, embedded or auto\.\n$/)
})

test('a taken port stops the start with one line', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  const run = await runCliProcess(['daemon'], {
    cwd: folder,
    env: { PORT: String(port), LOG_LEVEL: 'silent' },
  })
  taken.close()
  expect(run).toMatchObject({ code: 2, stdout: '' })
  expect(run.stderr).toMatch(/^oauth3: HOST:PORT is taken .+\n$/)
})

test('the launcher passes exit codes and standard input on', async () => {
  const run = await new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const launched = spawn(process.execPath, [LAUNCHER, 'pending'], { cwd: folder })
    let stderr = ''
    launched.stderr.on('data', (chunk: Buffer) => (stderr += chunk))
    launched.once('close', (code) => resolve({ code, stderr }))
  })
  expect(run.code).toBe(3)
  expect(run.stderr).toContain('No daemon answers')
})

test('commands that come while the daemon loads are told that it is starting', async () => {
  const state = join(folder, 'state')
  const front = await openFront({
    dbPath: join(state, 'proxy.db'),
    databaseUrl: null,
    adminSocketPath: join(state, 'admin.sock'),
  })
  try {
    const status = await runCliProcess(['status'], { cwd: folder })
    expect(status).toMatchObject({ code: 0, stderr: '' })
    expect(status.stdout).toMatch(new RegExp(`^starting +oauth3 .+, pid ${process.pid}\n$`))
    const asked = JSON.parse((await runCliProcess(['status', '--json'], { cwd: folder })).stdout)
    expect(asked).toMatchObject({ status: 'starting', pid: process.pid })
    expect(await runCliProcess(['pending'], { cwd: folder })).toMatchObject({
      code: 1,
      stderr: 'oauth3: The daemon is starting; ask again in a moment.\n',
    })
    expect((await runCliProcess(['daemon'], { cwd: folder })).stderr).toMatch(/already runs/)
  } finally {
    await front[Symbol.asyncDispose]()
  }
  expect((await runCliProcess(['status'], { cwd: folder })).code).toBe(3)
})

test('without an engine the start says so in one line, and not that it is ready', async () => {
  child = spawn(process.execPath, [LAUNCHER, 'daemon'], {
    cwd: folder,
    detached: true,
    env: { ...programEnv(), OAUTH3_SANDBOX: 'docker', DOCKER_HOST: `unix://${folder}/none.sock` },
  })
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child?.stdout?.on('data', (chunk: Buffer) => {
      log += chunk
      if (log.includes('oauth3 has started') || log.includes('oauth3 is ready')) resolve()
    })
    child?.once('exit', () => reject(new Error(log)))
  })
  expect(log).not.toContain('oauth3 is ready')
  const said = log.split('\n').filter((line) => line.includes('engine'))
  expect(said).toHaveLength(1)
  expect(JSON.parse(said[0] ?? '').msg).toMatch(
    /^oauth3 has started, but no code can run yet: The Docker engine does not answer: /,
  )
})

test.each(['docker', 'auto'])(
  'with OAUTH3_SANDBOX=%s an OCI runtime that the engine does not know stops the start',
  async (kind) => {
    if (!docker.available) return
    const env = { OAUTH3_SANDBOX: kind, OAUTH3_SANDBOX_RUNTIME: 'demo-runtime' }
    const run = await runCliProcess(['daemon'], { cwd: folder, env })
    expect(run).toMatchObject({ code: 2, stdout: expect.not.stringContaining('ready') })
    expect(run.stderr).toMatch(
      /^oauth3: OAUTH3_SANDBOX_RUNTIME is not valid: .+ does not know the runtime demo-runtime .+\n$/,
    )
  },
)

test('a .env that others can read stops the start, and every other wrong setting is named with it', async () => {
  chmodSync(join(folder, '.env'), 0o640)
  const open = '.env can be read by others (mode 640); run: chmod 600 .env'
  const run = await runCliProcess(['daemon'], { cwd: folder })
  expect(run).toMatchObject({ code: 2, stdout: '', stderr: `oauth3: ${open}\n` })
  const env = { OAUTH3_SANDBOX: 'cardboard', OAUTH3_POOL_SIZE: '-1' }
  const many = await runCliProcess(['daemon'], { cwd: folder, env })
  expect(many.stderr.split('\n')).toEqual([
    `oauth3: ${open}`,
    'oauth3: OAUTH3_SANDBOX is not valid: it takes docker, embedded or auto.',
    expect.stringMatching(/^oauth3: OAUTH3_POOL_SIZE is not valid: /),
    '',
  ])
  expect(existsSync(join(folder, 'state'))).toBe(false)
  chmodSync(join(folder, '.env'), 0o600)
})

test('a line of .env that sets nothing stops the start, by its number and without its text', async () => {
  const path = join(folder, '.env')
  const before = readFileSync(path, 'utf8')
  try {
    writeFileSync(path, `${before.trimEnd()}\nTELEGRAM_BOT_TOKEN 12345:demo-token-demo-token-demo\n`)
    const run = await runCliProcess(['daemon'], { cwd: folder })
    const line = before.trimEnd().split('\n').length + 1
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toBe(
      `oauth3: .env: line ${line} sets nothing; a setting is NAME=value, a comment begins with #.\n`,
    )
  } finally {
    writeFileSync(path, before)
  }
})

test('a value in .env that Docker Compose reads in another way stops the start, in the same words', async () => {
  const path = join(folder, '.env')
  const before = readFileSync(path, 'utf8')
  try {
    writeFileSync(path, `OPENCLAW_HOOK_TOKEN=demo#token\nOAUTH3_NOTHING 1\n${before}`)
    const run = await runCliProcess(['daemon'], { cwd: folder })
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain('.env: line 1 has a value that others read in another way;')
    expect(run.stderr).not.toContain('demo#token')
  } finally {
    writeFileSync(path, before)
  }
})

test('uninstall lists, removes nothing where nobody can be asked, the state only when told, and says what stayed', async () => {
  const state = join(folder, 'state')
  mkdirSync(state)
  writeFileSync(join(state, 'master.key'), 'demo')
  const env = { DOCKER_HOST: `unix://${folder}/none.sock` }
  const run = (...args: string[]) => runCliProcess(['uninstall', ...args], { cwd: folder, env })
  const unasked = await run('--state')
  expect(unasked).toMatchObject({ code: 2, stdout: '' })
  expect(unasked.stderr).toContain(join(state, 'master.key'))
  expect(unasked.stderr).toMatch(/nothing was removed; say --yes if you mean it\.\n$/)
  const without = await run('--yes')
  expect(without).toMatchObject({ code: 1, stdout: '' })
  expect(without.stderr).toContain('state, which stays without --state')
  expect(without.stderr).toContain('Nothing was removed')
  expect(existsSync(join(state, 'master.key'))).toBe(true)
  const removed = await run('--yes', '--state')
  expect(removed.code).toBe(0)
  expect(removed.stdout).toMatch(/^Removed, but for:\n.*the engine does not answer/)
  expect(existsSync(join(state, 'master.key'))).toBe(false)
})
