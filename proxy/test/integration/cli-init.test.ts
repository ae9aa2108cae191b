import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'dotenv'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from '../../src/config/index.ts'
import { startBotApiDouble } from '../support/bot-api-double.ts'
import { programEnv } from '../support/program-env.ts'
import { runCliProcess } from '../support/run-cli.ts'
import { ANN, GROUP, UNHURRIED } from '../support/telegram-kit.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Files can be made, and no byte of them written (EFBIG, and a signal that ends who does not listen), as on a full disk. */
const NO_ROOM = 'ulimit -f 0; '
const GOES_ON = { NODE_OPTIONS: "--import=data:text/javascript,process.on('SIGXFSZ',()=>{})" }
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-init-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A person at a terminal (of `script(1)`, util-linux), who answers each prompt by what it says. */
async function init(
  answers: readonly (readonly [prompt: RegExp, typed: string | (() => string | null)])[],
  env: Record<string, string> = {},
  before = '',
): Promise<{ code: number; said: string }> {
  const child = spawn('script', ['-qfec', `${before}${process.execPath} ${MAIN} init`, '/dev/null'], {
    cwd: folder,
    env: { ...programEnv(), TERM: 'dumb', ...env },
    timeout: 60_000,
  })
  let said = ''
  let at = 0
  let from = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    const [prompt, typed] = answers[at] ?? []
    if (!prompt?.test(said.slice(from))) return
    at += 1
    from = said.length
    const line = typeof typed === 'function' ? typed() : typed
    if (line !== null) child.stdin.write(`${line}\r`)
  })
  const [code] = (await once(child, 'close')) as [number]
  expect(said.slice(from), `after ${at} of ${answers.length} answers`).toBeDefined()
  expect(at, said).toBe(answers.length)
  return { code, said }
}

const written = (): Record<string, string> => parse(readFileSync(join(folder, '.env')))
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('tries a bot, finds the chat and the person out, and writes what a daemon starts with, for its owner alone', async () => {
  await using telegram = await startBotApiDouble({ flood: UNHURRIED })
  telegram.addChat({ id: GROUP, type: 'supergroup' })
  const port = await freePort()
  const { code, said } = await init(
    [
      [/HOST:PORT|Where agents reach it/, `127.0.0.1:${port}`],
      [/Token of your bot/, telegram.token],
      [
        /Now write \/id to it/,
        () => {
          telegram.say(GROUP, '/id', ANN)
          return null
        },
      ],
      [/take answers from that person alone\?/, 'y'],
    ],
    { TELEGRAM_API_ROOT: telegram.root, DOCKER_HOST: process.env.DOCKER_HOST ?? '' },
  )
  expect(code, said).toBe(0)
  expect(said).not.toContain(telegram.token)
  expect(said).toMatch(/^npm start +# /m)
  expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600)
  const config = readConfig(written())
  expect(config).toMatchObject({ host: '127.0.0.1', port, telegram: { chatId: String(GROUP) } })
  expect([...(config.telegram?.approverIds ?? [])]).toEqual([String(ANN.id)])
  expect(config.telegram?.token.open()).toBe(telegram.token)
})

test('says what is wrong and asks again: a place that is taken, a token that is none', async () => {
  await using telegram = await startBotApiDouble({ flood: UNHURRIED })
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const port = await freePort()
  const { said } = await init(
    [
      [/Where agents reach it/, `127.0.0.1:${(taken.address() as AddressInfo).port}`],
      [/is taken by another program/, 'nonsense'],
      [/It takes HOST:PORT/, '127.0.0.1:0'],
      [/It takes HOST:PORT/, `127.0.0.1:${port}`],
      [/Token of your bot/, 'no token'],
      [/no token of a bot[\s\S]*Token of your/, '1234567890:wrong-token-of-nobody'],
      [/Telegram refused[\s\S]*Token of your/, ''],
    ],
    { TELEGRAM_API_ROOT: telegram.root },
  )
  taken.close()
  expect(said).not.toContain('wrong-token-of-nobody')
  expect(written()).toMatchObject({ HOST: '127.0.0.1', PORT: String(port) })
  expect(written()).not.toHaveProperty('TELEGRAM_BOT_TOKEN')
})

test('offers the address of the environment, and the next port where that one is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as AddressInfo
  await init(
    [
      [/Where agents reach it/, ''],
      [/Token of your bot/, ''],
    ],
    { HOST: '127.0.0.1', PORT: String(port) },
  )
  taken.close()
  const offered = Number(written().PORT)
  expect([port + 1, port + 2]).toContain(offered)
})

test('never touches a file that is there, and asks nobody where nobody can answer', async () => {
  writeFileSync(join(folder, '.env'), 'PORT=1\n')
  const { code, said } = await init([])
  expect(code).toBe(5)
  expect(said).toContain('exists already')
  expect(readFileSync(join(folder, '.env'), 'utf8')).toBe('PORT=1\n')
  rmSync(join(folder, '.env'))
  const run = await runCliProcess(['init'], { cwd: folder })
  expect(run).toMatchObject({ code: 2 })
  expect(run.stderr).toContain('.env.example')
  expect(existsSync(join(folder, '.env'))).toBe(false)
})

test('a full disk leaves no half of a file, and no draft', async () => {
  const port = await freePort()
  const { code, said } = await init(
    [
      [/Where agents reach it/, `127.0.0.1:${port}`],
      [/Token of your bot/, ''],
    ],
    { DOCKER_HOST: process.env.DOCKER_HOST ?? '', ...GOES_ON },
    NO_ROOM,
  )
  expect(code, said).not.toBe(0)
  expect(said).toMatch(/\.env was not written/)
  expect(readdirSync(folder)).toEqual([])
})
