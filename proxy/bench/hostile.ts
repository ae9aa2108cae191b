import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type BotApiDouble, startBotApiDouble } from '../test/support/bot-api-double.ts'
import { ANN, UNHURRIED } from '../test/support/telegram-kit.ts'
import { HOSTILE_KINDS } from './hostile/kinds.ts'
import type { BareStart } from './llm-bare.ts'
import { ANSWER, KEY, REQUEST } from './llm-targets.ts'
import { startPeer } from './peers.ts'
import {
  type BenchDaemon,
  capture,
  pause,
  percentile,
  printGoal,
  startBenchDaemon,
  timed,
} from './support.ts'

/**
 * One daemon with and without eight hostile agents at full speed, in turns, so that a drift of the machine meets both:
 * how late the event loop is, and how long another agent waits for an LLM and for its approval's card.
 *
 * The hostile agents and their containers are on the same machine. What they take of its processors delays every process
 * there, so a bystander is measured beside: a relay of nothing but Node and undici, which no hostile agent talks to.
 */
const GOALS = { loopP99Ms: 20, llmRatio: 2, cardMs: 1_000 }
/** Between two cards of the other agent: its owner's chat is no faster. */
const CARD_EVERY_MS = 2_000

const probe = fileURLToPath(new URL('./hostile/probe.ts', import.meta.url))
const hostileAgents = fileURLToPath(new URL('./hostile/agents.ts', import.meta.url))

interface Figures {
  readonly loopP99: number[]
  readonly loopMax: number[]
  readonly busy: number[]
  readonly llm: number[]
  readonly cards: number[]
  readonly bystanderLoopP99: number[]
  readonly bystanderLlm: number[]
}

/** Whom the other agent asks, in turn, and where each tells of its event loop. */
interface Measured {
  readonly daemon: BenchDaemon
  readonly telegram: BotApiDouble
  readonly socket: string
  readonly bystander: { readonly url: string; readonly socket: string }
}

export async function benchHostile(options: {
  readonly rounds: number
  readonly seconds: number
  /** Places in the table of kinds; all when null. */
  readonly kinds: readonly number[] | null
  /** Where processor profiles of the daemon's threads are left; null for none. */
  readonly profileFolder: string | null
}): Promise<void> {
  const { rounds, seconds, profileFolder } = options
  const socket = join(tmpdir(), `oauth3-probe-${process.pid}.sock`)
  const telegram = await startBotApiDouble({ flood: UNHURRIED })
  telegram.addChat({ id: ANN.id, type: 'private' })
  const upstream = createServer((incoming, response) => {
    incoming.resume()
    incoming.on('end', () => response.setHeader('content-type', 'application/json').end(ANSWER))
    incoming.on('error', () => {})
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const daemon = await startBenchDaemon(
    {
      OAUTH3_SANDBOX: await sandboxKind(),
      OAUTH3_RATE_LIMIT: '120',
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_CHAT_ID: String(ANN.id),
      TELEGRAM_API_ROOT: telegram.root,
      BENCH_PROBE_SOCKET: socket,
      LOG_LEVEL: 'fatal',
    },
    undefined,
    [
      ...['--import', probe],
      ...(profileFolder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]),
    ],
  )
  const bystanderSocket = `${socket}.bystander`
  const bare = startPeer(new URL('llm-bare.ts', import.meta.url), 'bare', {
    execArgv: ['--import', probe],
    env: { ...process.env, BENCH_PROBE_SOCKET: bystanderSocket },
  })
  const child = fork(hostileAgents, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  try {
    const { port } = upstream.address() as AddressInfo
    await setUp(daemon, port, child, options.kinds)
    const start: BareStart = { port, authorization: `Bearer ${KEY}` }
    const url = `http://127.0.0.1:${await bare.ask(start)}/v1/chat/completions`
    const measured: Measured = { daemon, telegram, socket, bystander: { url, socket: bystanderSocket } }
    const figures = { calm: emptyFigures(), hostile: emptyFigures() }
    await measure(measured, emptyFigures(), 2)
    for (let round = 0; round < rounds; round += 1) {
      await measure(measured, figures.calm, seconds)
      child.send('on')
      await measure(measured, figures.hostile, seconds)
      child.send('off')
      await pause(3_000)
    }
    print(figures, await countsOf(child))
  } finally {
    child.kill('SIGKILL')
    await bare.stop()
    await daemon[Symbol.asyncDispose]()
    await telegram[Symbol.asyncDispose]()
    upstream.closeAllConnections()
    upstream.close()
  }
}

const emptyFigures = (): Figures => ({
  loopP99: [],
  loopMax: [],
  busy: [],
  llm: [],
  cards: [],
  bystanderLoopP99: [],
  bystanderLlm: [],
})

const sandboxKind = (): Promise<'docker' | 'embedded'> =>
  capture('docker', ['info', '--format', '{{.ID}}']).then(
    () => 'docker',
    () => 'embedded',
  )

async function setUp(
  daemon: BenchDaemon,
  port: number,
  child: ChildProcess,
  kinds: readonly number[] | null,
): Promise<void> {
  await daemon.cli(['provider', 'add', 'bench', '--url', `http://127.0.0.1:${port}/v1`, '--private'])
  await daemon.cli(['key', 'add', 'bench'], KEY)
  await daemon.cli(['grant', 'add', `bench-${new URL(daemon.url).port}`, 'bench', '--for', 'always'])
  const tokens: (string | null)[] = []
  for (const [index, kind] of HOSTILE_KINDS.entries()) {
    if (kinds !== null && !kinds.includes(index)) {
      tokens.push(null)
      continue
    }
    const name = `hostile-${index}`
    const { token } = JSON.parse(await daemon.cli(['agent', 'add', name, '--json'])) as { token: string }
    tokens.push(token)
    await kind.setUp?.(daemon, { name, token })
  }
  child.send({ url: daemon.url, tokens })
}

/** The other agent asks its LLM without a pause, and for a card now and then, while the daemon tells of its loop. */
async function measure(measured: Measured, figures: Figures, seconds: number): Promise<void> {
  const { daemon, telegram, socket, bystander } = measured
  const headers = { authorization: `Bearer ${daemon.token}`, 'content-type': 'application/json' }
  const end = performance.now() + seconds * 1_000
  const ask = (url: string): Promise<number> =>
    timed(async () => {
      const answer = await fetch(url, { method: 'POST', headers, body: REQUEST })
      if (answer.status !== 200) throw new Error(`the LLM answered ${answer.status}: ${await answer.text()}`)
      await answer.arrayBuffer()
    })
  const llm = async (): Promise<void> => {
    while (performance.now() < end) {
      figures.llm.push(await ask(`${daemon.url}/llm/bench/v1/chat/completions`))
      figures.bystanderLlm.push(await ask(bystander.url))
      await pause(5)
    }
  }
  const cards = async (): Promise<void> => {
    while (performance.now() < end) {
      const began = performance.now()
      figures.cards.push(await card(daemon, telegram, headers))
      await pause(Math.max(0, CARD_EVERY_MS - (performance.now() - began)))
    }
  }
  await Promise.all([socket, bystander.socket].map((at) => probed(at, '/reset')))
  await Promise.all([llm(), cards()])
  const [{ p99, max, busy }, beside] = await Promise.all([probed(socket, '/'), probed(bystander.socket, '/')])
  figures.bystanderLoopP99.push(beside.p99)
  figures.loopP99.push(p99)
  figures.loopMax.push(max)
  figures.busy.push(busy)
}

let cardCount = 0

/** From the request to its card in the chat; it is withdrawn then. */
async function card(
  daemon: BenchDaemon,
  telegram: BotApiDouble,
  headers: Record<string, string>,
): Promise<number> {
  cardCount += 1
  const skill = `other-agent/card-${cardCount}`
  const shown = telegram.waitForMessage(
    ({ text: said, buttons }) => buttons.length > 0 && said.includes(skill),
    60_000,
  )
  const began = performance.now()
  const body = JSON.stringify({ skill_id: skill, code: `console.log(${cardCount})\n` })
  const answer = await fetch(`${daemon.url}/execute`, { method: 'POST', headers, body })
  const { request_id } = (await answer.json()) as { request_id?: string }
  if (request_id === undefined) throw new Error(`the card's request was refused: ${answer.status}`)
  await shown
  const took = performance.now() - began
  await fetch(`${daemon.url}/execute/${request_id}`, { method: 'DELETE', headers })
  return took
}

async function probed(socketPath: string, path: string): Promise<{ p99: number; max: number; busy: number }> {
  const call = request({ socketPath, path })
  call.end()
  const [response] = await once(call, 'response')
  return JSON.parse(await text(response))
}

async function countsOf(child: ChildProcess): Promise<readonly number[]> {
  const counts = once(child, 'message')
  child.send('counts')
  const [told] = await counts
  return told as number[]
}

function print(
  figures: { readonly calm: Figures; readonly hostile: Figures },
  counts: readonly number[],
): void {
  const { calm, hostile } = figures
  const row = (name: string, of: (figures: Figures) => number): void =>
    console.log(`${name.padEnd(34)}${of(calm).toFixed(1).padStart(10)}${of(hostile).toFixed(1).padStart(10)}`)
  const worst = (samples: readonly number[]): number => Math.max(...samples)
  const middle = (samples: readonly number[]): number => percentile(samples, 0.5)
  console.log(`\n${''.padEnd(34)}${'without'.padStart(10)}${'with'.padStart(10)}`)
  row('event loop, p99 late (ms)', ({ loopP99 }) => middle(loopP99))
  row('event loop, latest (ms)', ({ loopMax }) => worst(loopMax))
  row('event loop, busy (%)', ({ busy }) => 100 * middle(busy))
  row("another's LLM, p50 (ms)", ({ llm }) => middle(llm))
  row("another's LLM, p99 (ms)", ({ llm }) => percentile(llm, 0.99))
  row('a bystander: its event loop, p99', ({ bystanderLoopP99 }) => middle(bystanderLoopP99))
  row('a bystander: its LLM, p50 (ms)', ({ bystanderLlm }) => middle(bystanderLlm))
  row("another's card, p50 (ms)", ({ cards }) => middle(cards))
  row("another's card, slowest (ms)", ({ cards }) => worst(cards))
  console.log('\nwhat the hostile agents got done:')
  for (const [index, { name }] of HOSTILE_KINDS.entries())
    console.log(`  ${String(counts[index]).padStart(7)}  ${name}`)
  console.log()
  const loop = middle(hostile.loopP99)
  const ratio = middle(hostile.llm) / middle(calm.llm)
  const slowest = worst(hostile.cards)
  printGoal(`event loop p99 ${loop.toFixed(1)} ms`, `≤ ${GOALS.loopP99Ms} ms`, loop <= GOALS.loopP99Ms)
  printGoal(`another's LLM p50 ${ratio.toFixed(2)}×`, `≤ ${GOALS.llmRatio}×`, ratio <= GOALS.llmRatio)
  printGoal(
    `another's slowest card ${slowest.toFixed(0)} ms`,
    `≤ ${GOALS.cardMs} ms`,
    slowest <= GOALS.cardMs,
  )
}
