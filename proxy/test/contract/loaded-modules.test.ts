/** What a start and a command load: what is not needed costs memory for as long as the daemon runs, and time at each start. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { patience } from '../support/pace.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
/** Writes every module that is loaded into a file, whichever way it is loaded. */
const LISTING = `
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
registerHooks({ load(url, context, next) {
  appendFileSync(process.env.LOADED, url + '\\n')
  return next(url, context)
} })`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-loaded-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a command until it ends, or until its output has the text. */
async function loadedBy(args: readonly string[], until: string | null): Promise<readonly string[]> {
  const list = join(folder, 'loaded')
  const hook = join(folder, 'listing.mjs')
  writeFileSync(hook, LISTING)
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, ['--import', hook, MAIN, ...args], {
    cwd: folder,
    env: {
      PATH,
      HOME,
      LOADED: list,
      PORT: '0',
      OAUTH3_SANDBOX: 'embedded',
      DB_PATH: join(folder, 'data/proxy.db'),
    },
  })
  let said = ''
  let isEnding = false
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (isEnding || until === null || !said.includes(until)) return
      // Once: a second signal ends a daemon at once.
      isEnding = true
      child.kill('SIGTERM')
    })
  }
  const [code] = await once(child, 'exit')
  expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining(until ?? '') })
  return readFileSync(list, 'utf8')
    .split('\n')
    .map((url) => url.replace(/^.*\/(?=(?:src|node_modules)\/)/, ''))
}

/** Package names, and folders of the sources. */
const among = (loaded: readonly string[], names: readonly string[]): string[] =>
  names.filter((name) =>
    loaded.some((one) => `${one}/`.startsWith(`node_modules/${name}/`) || one.startsWith(`src/${name}`)),
  )

it('a command that asks the daemon nothing loads no routes, no schemas and no other command', async () => {
  const loaded = await loadedBy(['--version'], null)
  const unneeded = [
    'zod',
    'express',
    'undici',
    'pg',
    'kysely',
    'pino',
    'better-sqlite3',
    'dockerode',
    'telegraf',
  ]
  expect(among(loaded, [...unneeded, 'contracts', 'config', 'domain', 'cli/commands'])).toEqual([])
  // Of the compile cache.
  expect(loaded.filter((one) => one.startsWith('src/storage/'))).toEqual(['src/storage/folder.ts'])
  expect(among(loaded, ['commander'])).toEqual(['commander'])
})

it('a command loads its own module', async () => {
  const loaded = await loadedBy(['secret', '--help'], null)
  const modules = loaded.filter((one) => /^src\/cli\/commands\/(?!shared|limits|asks)/.test(one))
  expect(modules).toEqual(['src/cli/commands/secrets.ts'])
})

it('a start loads nothing of bots, other databases, sessions with engines and certificates before it is asked for', {
  timeout: patience(60_000),
}, async () => {
  const loaded = await loadedBy(['daemon'], 'oauth3 is ready')
  const later = [
    'telegraf',
    'pg',
    '@grpc/grpc-js',
    'protobufjs',
    'ssh2',
    '@peculiar/asn1-schema',
    '@modelcontextprotocol/sdk',
    '@inquirer/password',
    'prom-client',
    'rate-limiter-flexible/index.js',
  ]
  expect(among(loaded, [...later, 'demo', 'init', 'cli/commands'])).toEqual([])
  expect(among(loaded, ['express', 'better-sqlite3'])).toEqual(['express', 'better-sqlite3'])
})
