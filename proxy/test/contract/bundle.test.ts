/** What `npm run build` makes works as the sources do, from a folder with the packages alone. */
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { patience } from '../support/pace.ts'

const ROOT = join(import.meta.dirname, '../../..')
const START = { givesWay: false }
let installed: string
let dist: string

beforeAll(() => {
  installed = mkdtempSync(join(tmpdir(), 'oauth3-installed-'))
  dist = join(installed, 'proxy/dist')
  mkdirSync(dist, { recursive: true })
  for (const link of ['node_modules', 'proxy/node_modules', 'sandbox-images']) {
    symlinkSync(join(ROOT, link), join(installed, link))
  }
  for (const file of ['package.json', 'proxy/package.json']) cpSync(join(ROOT, file), join(installed, file))
  const built = spawnSync(process.execPath, [join(ROOT, 'proxy/scripts/compile.ts'), dist], {
    encoding: 'utf8',
  })
  expect(built).toMatchObject({ status: 0, stderr: '' })
}, patience(60_000))
afterAll(() => rmSync(installed, { recursive: true, force: true }))

const main = (): string => join(dist, 'main.js')
const { PATH = '', HOME = '' } = process.env

function cli(args: readonly string[], env: Record<string, string> = {}): string {
  const options = { encoding: 'utf8', cwd: installed, env: { PATH, HOME, ...env } } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [main(), ...args], options)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

it('says its version', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'proxy/package.json'), 'utf8')) as {
    version: string
  }
  expect(cli(['--version']).trim()).toBe(version)
})

it('holds nothing outside of ASCII, for which its text would take two bytes a character in memory', () => {
  const files = readdirSync(dist).filter((name) => name.endsWith('.js'))
  expect(files).toContain('main.js')
  expect(files.filter((name) => !/^[\0-\x7f]*$/.test(readFileSync(join(dist, name), 'utf8')))).toEqual([])
})

it('runs a program that was read, asked for and approved; what it compiled is kept for the next start', {
  timeout: patience(120_000),
}, async () => {
  const data = join(installed, 'data')
  const env = { PORT: '0', OAUTH3_SANDBOX: 'embedded', DB_PATH: join(data, 'proxy.db'), LOG_LEVEL: 'info' }
  const daemon = spawn(process.execPath, [main(), 'daemon'], { cwd: installed, env: { PATH, HOME, ...env } })
  const ended = once(daemon, 'exit')
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let log = ''
      const take = (chunk: Buffer): void => {
        log += chunk
        const ready = log.split('\n').find((line) => line.includes('oauth3 is ready'))
        if (ready !== undefined) resolve((JSON.parse(ready) as { url: string }).url)
      }
      daemon.stdout.on('data', take)
      daemon.stderr.on('data', take)
      daemon.once('exit', (code) => reject(new Error(`the daemon ended with ${code}: ${log}`)))
    })
    const { token } = JSON.parse(cli(['agent', 'add', 'bundled', '--json'], env)) as { token: string }
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const code = 'console.log([1, 2, 3].map((one: number) => one * 2).join())'
    const asked = await fetch(`${url}/execute`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ skill_id: 'bundle/check', code }),
    })
    expect(asked.status).toBe(202)
    const { request_id: id } = (await asked.json()) as { request_id: string }
    // A process of the bundle's own has read it.
    expect(cli(['show', id], env)).not.toMatch(/cannot be read|takes too long|beyond the limits/)
    cli(['approve', id, '--once'], env)
    const answer = await fetch(`${url}/execute/${id}?wait=30`, { headers })
    expect(await answer.json()).toMatchObject({ status: 'success', stdout: '2,4,6\n' })
    expect((await fetch(`${url}/metrics`)).status).toBe(200)
    expect(cli(['doctor'], env)).toMatch(/ok +sandbox/)
  } finally {
    daemon.kill('SIGTERM')
  }
  expect(await ended).toEqual([0, null])
  const cache = join(data, 'compile-cache')
  expect(statSync(cache).mode & 0o777).toBe(0o700)
  expect(readdirSync(cache, { recursive: true }).length).toBeGreaterThan(5)
})

it('its threads and processes find their entries', async () => {
  const thread = new Worker(pathToFileURL(join(dist, 'workers/background/worker.js')), { workerData: START })
  expect(await once(thread, 'message')).toEqual([{ state: 'ready' }])
  await thread.terminate()
  const entries = [
    'workers/background/parser.js',
    'workers/background/database.js',
    'executions/program-reader/worker.js',
    'claude-runs/schema/worker.js',
  ]
  for (const entry of entries) {
    const child = fork(join(dist, entry), [JSON.stringify(START)], { env: {}, serialization: 'advanced' })
    expect((await once(child, 'message'))[0]).toEqual({ state: 'ready' })
    child.kill('SIGKILL')
  }
})

/** A file of the bundle and all that it could load, however late. */
function loadedBy(file: string, seen = new Map<string, string>()): Map<string, string> {
  if (seen.has(file)) return seen
  const text = readFileSync(file, 'utf8')
  seen.set(file, text)
  for (const [, own] of text.matchAll(/(?:from|import\()\s*["'](\.[^"']+)["']/g))
    loadedBy(join(dirname(file), own as string), seen)
  return seen
}

it('threads load no native code and no WebAssembly, which may end the daemon with them', () => {
  const dangers = /better-sqlite3|\.node["']|WebAssembly\.|dlopen/
  const inThread = loadedBy(join(dist, 'workers-background-worker.js'))
  expect(inThread.size).toBeGreaterThan(1)
  for (const [file, text] of inThread) expect(text, file).not.toMatch(dangers)
  const inProcess = loadedBy(join(dist, 'workers-background-database.js'))
  expect([...inProcess.values()].some((text) => dangers.test(text))).toBe(true)
})

it('a stack trace names the file and the line of the source', () => {
  const chunk = readdirSync(dist)
    .filter((name) => name.endsWith('.js'))
    .find((name) => readFileSync(join(dist, name), 'utf8').includes('function lazily(')) as string
  const code = `
    process.argv[2] = '--version'
    await import(${JSON.stringify(pathToFileURL(main()).href)})
    const kernel = await import(${JSON.stringify(pathToFileURL(join(dist, chunk)).href)})
    const lazily = Object.values(kernel).find(({ name }) => name === 'lazily')
    try { lazily(() => { throw new Error('of a test') })() } catch (error) { console.log(error.stack) }`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env: { PATH, HOME },
  })
  const lines = readFileSync(join(ROOT, 'proxy/src/kernel/lazily.ts'), 'utf8').split('\n')
  const line = lines.findIndex((one) => one.includes('make() }')) + 1
  expect(stdout).toContain('Error: of a test\n')
  expect(stdout).toMatch(new RegExp(`/src/kernel/lazily\\.ts:${line}:\\d+`))
})

it('holds the licences of what it is made of, and text that V8 keeps in one byte a character', () => {
  const licences = readFileSync(join(dist, 'THIRD-PARTY-LICENCES.txt'), 'utf8')
  for (const name of ['zod', 'undici', 'express', 'libsodium-wrappers']) {
    expect(licences).toMatch(new RegExp(`^${name} \\d[^\\n]*\\(\\w[^\\n]*\\)\\n\\n\\S`, 'm'))
  }
  for (const name of readdirSync(dist).filter((one) => one.endsWith('.js'))) {
    expect(/[^\0-\xff]/.test(readFileSync(join(dist, name), 'utf8')), name).toBe(false)
  }
})
