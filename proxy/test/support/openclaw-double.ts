import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/**
 * A strict stand-in for OpenClaw's gateway as far as `POST /hooks/wake` goes: same answers, same limits, same
 * forgetfulness. An agent turn reads every waiting event of its session; without a turn the events wait in memory.
 */
export interface OpenclawDouble extends AsyncDisposable {
  readonly url: string
  /** Texts that a turn of the session has read, in order. */
  seenBy(session: string): readonly string[]
  /** Texts that wait in the session. */
  waitingIn(session: string): readonly string[]
  /** Turns that began at once, and those that were put off because of too many. */
  readonly turns: { readonly begun: number; readonly deferred: number }
  /** Every call as it came, whatever the answer was. */
  readonly calls: readonly { readonly status: number; readonly body: string }[]
  /** Without it nothing reads the events until a later wake. */
  heartbeat: boolean
  /** The process ends and begins anew: everything in memory is lost. */
  restart(): Promise<void>
  stop(): Promise<void>
  startAgain(): Promise<void>
}

export const MAIN_SESSION = 'agent:main:main'

const MAX_BODY_BYTES = 256 * 1024
const MAX_EVENTS = 20
const MAX_TURNS = 5
const TURN_WINDOW_MS = 60_000
const MAX_BAD_TOKENS = 20
const LOCKOUT_MS = 60_000

export interface OpenclawDoubleOptions {
  readonly token: string
  /** Sessions that a caller may name. */
  readonly sessions?: readonly string[]
  readonly now?: () => number
}

interface Memory {
  readonly waiting: Map<string, string[]>
  turnTimes: number[]
  badTokens: number
  lockedUntil: number
}

const emptyMemory = (): Memory => ({ waiting: new Map(), turnTimes: [], badTokens: 0, lockedUntil: 0 })

type Answer = { status: number; json?: object; text?: string; headers?: Record<string, string> }

export async function createOpenclawDouble(options: OpenclawDoubleOptions): Promise<OpenclawDouble> {
  const now = options.now ?? Date.now
  const seen = new Map<string, string[]>()
  const calls: { status: number; body: string }[] = []
  const turns = { begun: 0, deferred: 0 }
  let memory = emptyMemory()
  let heartbeat = true

  const turn = (session: string): void => {
    memory.turnTimes = memory.turnTimes.filter((at) => at > now() - TURN_WINDOW_MS)
    if (memory.turnTimes.length >= MAX_TURNS) {
      turns.deferred += 1
      return
    }
    memory.turnTimes.push(now())
    turns.begun += 1
    seen.set(session, [...(seen.get(session) ?? []), ...(memory.waiting.get(session) ?? [])])
    memory.waiting.delete(session)
  }

  const wake = (body: string): Answer => {
    const bad = (error: string): Answer => ({ status: 400, json: { ok: false, error } })
    const payload = parse(body)
    if (!payload) return bad('invalid JSON')
    const { text, mode = 'now', sessionKey } = payload
    if (typeof text !== 'string' || text.trim() === '') return bad('text required')
    if (mode !== 'now' && mode !== 'next-heartbeat') return bad('mode must be now or next-heartbeat')
    if (sessionKey !== undefined && !(options.sessions ?? []).includes(String(sessionKey))) {
      return bad('sessionKey is disabled for externally supplied hook payload values')
    }
    const session = sessionKey === undefined ? MAIN_SESSION : String(sessionKey)
    const waiting = memory.waiting.get(session) ?? []
    const repeated = waiting.includes(text)
    if (!repeated) memory.waiting.set(session, [...waiting, text].slice(-MAX_EVENTS))
    if (mode === 'now' && heartbeat) turn(session)
    return { status: 200, json: { ok: true, mode, eventOutcome: repeated ? 'coalesced' : 'queued' } }
  }

  const decide = (request: IncomingMessage, body: Buffer): Answer => {
    if (request.url !== '/hooks/wake') return { status: 404, text: 'Not Found' }
    if (request.method !== 'POST')
      return { status: 405, text: 'Method Not Allowed', headers: { allow: 'POST' } }
    if (now() < memory.lockedUntil)
      return { status: 429, text: 'Too Many Requests', headers: { 'retry-after': '60' } }
    if (request.headers.authorization !== `Bearer ${options.token}`) {
      memory.badTokens += 1
      if (memory.badTokens >= MAX_BAD_TOKENS) {
        memory.badTokens = 0
        memory.lockedUntil = now() + LOCKOUT_MS
      }
      return { status: 401, text: 'Unauthorized' }
    }
    memory.badTokens = 0
    if (body.length > MAX_BODY_BYTES) return { status: 413, json: { ok: false, error: 'payload too large' } }
    return wake(body.toString('utf8'))
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const answer = decide(request, body)
    calls.push({ status: answer.status, body: body.toString('utf8') })
    response.writeHead(answer.status, {
      'content-type': answer.json ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8',
      ...answer.headers,
    })
    response.end(answer.json ? JSON.stringify(answer.json) : answer.text)
  }

  let server = await listen(handle, 0)
  const port = (server.address() as AddressInfo).port
  const stop = (): Promise<void> => {
    memory = emptyMemory()
    server.closeAllConnections()
    return new Promise((resolve) => server.close(() => resolve()))
  }
  const startAgain = async (): Promise<void> => {
    server = await listen(handle, port)
  }
  return {
    url: `http://127.0.0.1:${port}`,
    seenBy: (session) => seen.get(session) ?? [],
    waitingIn: (session) => memory.waiting.get(session) ?? [],
    turns,
    calls,
    get heartbeat() {
      return heartbeat
    },
    set heartbeat(value) {
      heartbeat = value
    },
    async restart() {
      await stop()
      await startAgain()
    },
    stop,
    startAgain,
    [Symbol.asyncDispose]: stop,
  }
}

function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  port: number,
): Promise<Server> {
  const server = createServer(
    (request, response) => void handle(request, response).catch(() => response.destroy()),
  )
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/**
 * Writes an executable `openclaw` into the folder. `today` knows `system event` and refuses `cron wake` in the words of
 * the real one; `older` is the other way round; `neither` knows none; `hangs` waits for a child that notes its process id in the file `child` and never ends. It
 * appends each call's arguments and environment names, as one JSON line, to `calls.jsonl`.
 */
export function writeOpenclawCli(
  folder: string,
  flavour: 'today' | 'older' | 'neither' | 'hangs' | 'down',
): string {
  const path = join(folder, 'openclaw')
  writeFileSync(
    path,
    `#!${process.execPath}
const { appendFileSync } = require('node:fs')
const { spawnSync } = require('node:child_process')
const args = process.argv.slice(2)
const flavour = ${JSON.stringify(flavour)}
appendFileSync(${JSON.stringify(join(folder, 'calls.jsonl'))}, JSON.stringify({ args, env: Object.keys(process.env) }) + '\\n')
const refuse = (text) => { console.error(text); process.exit(1) }
if (flavour === 'hangs') spawnSync(process.execPath, ['-e', 'require("node:fs").writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 60_000)', ${JSON.stringify(join(folder, 'child'))}])
const command = args.slice(0, 2).join(' ')
const knows = { today: 'system event', older: 'cron wake', down: 'system event' }[flavour]
if (command !== knows) {
  if (command === 'cron wake') refuse('OpenClaw cron has no command "wake".\\nTry: openclaw cron --help')
  refuse("error: unknown command '" + args[0] + "'")
}
if (flavour === 'down') refuse('gateway connect failed: connect ECONNREFUSED 127.0.0.1:18789')
const options = new Map()
for (let i = 2; i < args.length; i += 2) options.set(args[i], args[i + 1])
const allowed = ['--text', '--mode', ...(flavour === 'today' ? ['--session-key'] : [])]
for (const name of options.keys()) if (!allowed.includes(name)) refuse("error: unknown option '" + name + "'")
if (!options.get('--text') || options.get('--mode') !== 'now') refuse('error: --text and --mode now expected')
console.log('ok')
`,
  )
  chmodSync(path, 0o700)
  return path
}
