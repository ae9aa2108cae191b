import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import SqliteDatabase from 'better-sqlite3'
import { VERSION } from '../src/version.ts'
import { admin } from './console-browser.ts'
import { type BenchDaemon, capture, pause, percentile, printGoal, startBenchDaemon } from './support.ts'

const GOAL_MS = 1_000
/** Of eight places one agent gets all but one. */
const RUNS = 7
const PLACES = 8
const STREAMS = 50
const CARDS = 20
const EVENT_MS = 50
const IMAGE = `oauth3-sandbox-deno:${VERSION}`
/** It ends by itself at no time, and keeps the processor busy now and then. */
const CODE = `Deno.env.get('BENCH_SECRET')\nsetInterval(() => { for (let at = 0; at < 1e6; at++); }, 100)\n`
const CALL = { 'content-type': 'application/json' }

/** Milliseconds from the POST of the panic. */
interface Measured {
  readonly answered: number
  /** Of the last run's process, and of its container. */
  readonly died: number
  readonly removed: number
  readonly streams: number
  readonly cards: number
}

/**
 * `oauth3 panic` with runs, streams and cards under way: how long until nothing of them is left, beside `docker rm -f` of as many
 * containers in the same run. No secret is opened behind the row that says that everything is locked.
 */
export async function benchPanic({ rounds }: { readonly rounds: number }): Promise<void> {
  const vendor = await startVendor()
  try {
    await using daemon = await startBenchDaemon({
      ...{ OAUTH3_SANDBOX: 'docker', OAUTH3_POOL_SIZE: '0', OAUTH3_MAX_RUNS: String(PLACES) },
      // Three times as many may be asked in an hour.
      OAUTH3_MAX_WAITING: '100',
    })
    await daemon.cli(['secret', 'add', 'BENCH_SECRET'], 'bench-value-not-a-real-one')
    await daemon.cli(['provider', 'add', 'bench', '--url', `http://127.0.0.1:${vendor.port}/v1`, '--private'])
    await daemon.cli(['key', 'add', 'bench'], 'demo-key-for-the-panic-bench')
    const ours: Measured[] = []
    const baseline: number[] = []
    for (let round = 0; round < rounds; round++) {
      baseline.push(await removeByHand())
      ours.push(await panicOnce(daemon, round))
    }
    assertNothingOpened(daemon)
    print(ours, baseline)
  } finally {
    vendor.stop()
  }
}

async function panicOnce(daemon: BenchDaemon, round: number): Promise<Measured> {
  await daemon.cli(['grant', 'add', `bench-${new URL(daemon.url).port}`, 'bench', '--for', 'always'])
  const streams = Array.from({ length: STREAMS }, () => openStream(daemon))
  await Promise.all(streams.map(({ begun }) => begun))
  const first = await ask(daemon, `runs-${round}`, CODE)
  await daemon.cli(['approve', first, '--forever', '--yes'])
  const asked = Array.from({ length: RUNS - 1 }, () => ask(daemon, `runs-${round}`, CODE).catch(() => ''))
  for (let at = 0; at < CARDS; at++) await ask(daemon, `waits-${round}-${at}`, `console.log(${at})\n`)
  await untilRunning(daemon)
  using ends = watchContainers(instanceOf(daemon))
  await ends.ready

  const began = performance.now()
  const since = (): number => performance.now() - began
  const beganAt = performance.timeOrigin + began
  const ended = Promise.all(streams.map(({ ended }) => ended)).then(since)
  await admin(daemon, 'POST', '/v1/panic')
  const answered = since()
  const { approvals } = await admin(daemon, 'GET', '/v1/approvals')
  if (approvals.length > 0) throw new Error(`${approvals.length} cards wait behind the panic`)
  const cards = since()
  const [died, removed] = await Promise.all([ends.until('die', RUNS), ends.until('destroy', RUNS)])
  await Promise.all(asked)
  await admin(daemon, 'POST', '/v1/panic/end', { confirm: 'unlock' })
  return { answered, cards, streams: await ended, died: died - beganAt, removed: removed - beganAt }
}

async function ask(daemon: BenchDaemon, skill: string, code: string): Promise<string> {
  const response = await fetch(`${daemon.url}/execute`, {
    method: 'POST',
    headers: { ...CALL, authorization: `Bearer ${daemon.token}` },
    body: JSON.stringify({ skill_id: skill, code, secrets: [{ name: 'BENCH_SECRET', mode: 'raw' }] }),
  })
  const answer = (await response.json()) as { request_id?: string }
  if (answer.request_id === undefined)
    throw new Error(`a request was answered with ${JSON.stringify(answer)}`)
  return answer.request_id
}

async function untilRunning(daemon: BenchDaemon): Promise<void> {
  const name = `label=oauth3.instance=${instanceOf(daemon)}`
  for (;;) {
    const ids = await capture('docker', ['ps', '--quiet', '--filter', name, '--filter', 'status=running'])
    if (ids.trim().split('\n').length >= RUNS) break
    await pause(100)
  }
  // Handed their code, and in the middle of it.
  await pause(1_500)
}

function openStream(daemon: BenchDaemon) {
  const begun = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const call = request(
    `${daemon.url}/llm/bench/v1/chat/completions`,
    { agent: false, method: 'POST', headers: { ...CALL, authorization: `Bearer ${daemon.token}` } },
    async (response: IncomingMessage) => {
      if (response.statusCode !== 200) {
        begun.reject(new Error(`a stream was answered with ${response.statusCode}: ${await text(response)}`))
        return
      }
      response.on('data', () => begun.resolve())
      response.once('close', ended.resolve)
      response.on('error', () => {})
    },
  )
  call.once('error', begun.reject)
  call.end(
    JSON.stringify({ model: 'bench-model', messages: [{ role: 'user', content: 'a story' }], stream: true }),
  )
  return { begun: begun.promise, ended: ended.promise }
}

const EVENT = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: ' a word' } }] })}\n\n`

/** Streams without an end. */
async function startVendor(): Promise<{ readonly port: number; stop(): void }> {
  const server = createServer((incoming, response: ServerResponse) => {
    incoming.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => response.write(EVENT), EVENT_MS)
    response.once('close', () => clearInterval(timer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = (): void => {
    server.close()
    server.closeAllConnections()
  }
  return { port: (server.address() as AddressInfo).port, stop }
}

function instanceOf({ folder }: BenchDaemon): string {
  const db = new SqliteDatabase(join(folder, 'proxy.db'), { readonly: true })
  const value = db
    .prepare<[], string>("SELECT value FROM installation WHERE key = 'instance_id'")
    .pluck()
    .get()
  db.close()
  return value ?? ''
}

/** The engine's own times of the ends of containers, in unix milliseconds. */
function watchContainers(instance: string) {
  const told: Record<string, number[]> = { die: [], destroy: [] }
  const looks = new Set<() => void>()
  const ready = Promise.withResolvers<void>()
  const child = spawn('docker', [
    'events',
    ...['--since', '1s', '--filter', 'type=container', '--filter', `label=oauth3.instance=${instance}`],
    ...['--format', '{{.TimeNano}} {{.Action}}'],
  ])
  child.once('spawn', () => setTimeout(ready.resolve, 300))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [nano = '', action = ''] = line.split(' ')
    told[action]?.push(Number(BigInt(nano) / 1_000n) / 1_000)
    for (const look of looks) look()
  })
  const until = (action: 'die' | 'destroy', count: number): Promise<number> =>
    new Promise((resolve) => {
      const look = (): void => {
        const times = told[action] ?? []
        if (times.length >= count) resolve(Math.max(...times))
      }
      looks.add(look)
      look()
    })
  return { ready: ready.promise, until, [Symbol.dispose]: () => void child.kill() }
}

/** As somebody would who has no daemon for it: from the call until it has ended. */
async function removeByHand(): Promise<number> {
  const run = (): Promise<string> =>
    capture('docker', [
      'run',
      '--detach',
      '--network',
      'none',
      '--entrypoint',
      '/bin/deno',
      IMAGE,
      'eval',
      CODE,
    ])
  const ids = (await Promise.all(Array.from({ length: RUNS }, run))).map((id) => id.trim())
  await pause(1_000)
  const began = performance.now()
  await capture('docker', ['rm', '--force', ...ids])
  return performance.now() - began
}

function assertNothingOpened({ folder }: BenchDaemon): void {
  const db = new SqliteDatabase(join(folder, 'proxy.db'), { readonly: true })
  const rows = db.prepare<[], string>('SELECT event FROM audit_log ORDER BY id').pluck().all()
  db.close()
  let isLocked = false
  for (const event of rows) {
    if (event === 'daemon.locked') isLocked = true
    else if (event === 'daemon.unlocked') isLocked = false
    else if (isLocked && (event === 'secret.opened' || event === 'execution.started'))
      throw new Error(`${event} stands behind daemon.locked`)
  }
}

function print(ours: readonly Measured[], baseline: readonly number[]): void {
  console.log(
    `${RUNS} runs, ${STREAMS} streams and ${CARDS} cards under way, ${ours.length} times; milliseconds from the POST (p50, most)`,
  )
  const figures = (samples: readonly number[]): string =>
    `${percentile(samples, 0.5).toFixed(0)}, ${Math.max(...samples).toFixed(0)}`
  for (const [what, figure] of [
    ['it is answered', ({ answered }) => answered],
    ['no card waits', ({ cards }) => cards],
    ['the last stream is cut', ({ streams }) => streams],
    ['the last process of a run is gone', ({ died }) => died],
    ['the last container is removed', ({ removed }) => removed],
  ] as readonly (readonly [string, (one: Measured) => number])[]) {
    const samples = ours.map(figure)
    printGoal(`${what}: ${figures(samples)}`, `at most ${GOAL_MS}`, Math.max(...samples) <= GOAL_MS)
  }
  console.log(`baseline, docker rm --force of ${RUNS}: ${figures(baseline)}`)
}
