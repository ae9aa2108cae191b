import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BareStart } from './llm-bare.ts'
import { benchLlmMemory } from './llm-memory.ts'
import type { StreamsUpstreamStart } from './llm-peers.ts'
import { benchStreams } from './llm-streams.ts'
import {
  ANSWER,
  KEY,
  REQUEST,
  startLlmDaemon,
  startPortkey,
  startRewriter,
  startUpstream,
  type Target,
  targetsOf,
} from './llm-targets.ts'
import { cpuMs, hasNginx, NGINX_MISSING } from './nginx.ts'
import { startPeer } from './peers.ts'
import { type BenchDaemon, percentile, printGoal, printRatio, residentMib } from './support.ts'
import { hasWrk, runWrk, WRK_MISSING } from './wrk.ts'

/**
 * The LLM proxy of a whole daemon, accounting and limits on, beside the upstream itself, nginx with one worker that puts the same header
 * in, Portkey's gateway, a relay of Node's server and undici that does nothing else (`bare`), and a process that copies what comes on
 * its sockets (`copy`). All speak plain HTTP on this machine, so that nothing but the proxies differs; rounds are interleaved.
 */
export interface LlmBench {
  readonly rounds: number
  /** Of load, in each round and for each target. */
  readonly seconds: number
  readonly streamRounds: number
  /** Only memory, for so many minutes; null: everything else. */
  readonly memoryMinutes: number | null
  /** Where Portkey's gateway is kept between runs. */
  readonly peersFolder: string
  /** Where a processor profile of the daemon is left; null for none. */
  readonly profileFolder: string | null
}

/** `bare…`: of what Node's server and undici alone take in the same run. */
const GOALS = { ofNginx: 0.3, ofPortkey: 5, bareCpu: 0.75, bareP99: 0.8, bareAddedP50: 0.8 }
const MANY = 32
/** Of the first round: code is compiled meanwhile, the hottest of it last. */
const WARM_SECONDS = 5
const WARM_REQUESTS = 50_000

export async function benchLlm(bench: LlmBench): Promise<void> {
  const missing = [...(hasNginx() ? [] : [NGINX_MISSING]), ...(hasWrk() ? [] : [WRK_MISSING])]
  if (missing.length > 0) {
    console.error(`\n${missing.join('\n')}`)
    process.exitCode = 1
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-llm-'))
  // nginx's worker is another user where the master is root.
  chmodSync(folder, 0o755)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const upstream = await startUpstream(folder)
  stack.defer(upstream.stop)
  const streamsUpstream = startPeer(new URL('llm-peers.ts', import.meta.url), 'upstream')
  stack.defer(streamsUpstream.stop)
  const start: StreamsUpstreamStart = { authorization: `Bearer ${KEY}` }
  const ports = { port: upstream.port, streamsPort: await streamsUpstream.ask<number>(start) }
  const { profileFolder } = bench
  if (profileFolder !== null) mkdirSync(profileFolder, { recursive: true })
  const daemon = stack.use(
    await startLlmDaemon(
      ports,
      profileFolder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`],
    ),
  )
  if (bench.memoryMinutes !== null) {
    await benchLlmMemory({ folder, daemon, minutes: bench.memoryMinutes })
    return
  }
  const nginx = await startRewriter(folder, ports)
  stack.defer(nginx.stop)
  const portkey = await startPortkey(bench.peersFolder)
  if (portkey) stack.defer(portkey.stop)
  const bare = startPeer(new URL('llm-bare.ts', import.meta.url), 'bare')
  stack.defer(bare.stop)
  const bareStart: BareStart = { port: upstream.port, authorization: `Bearer ${KEY}` }
  const copy = startPeer(new URL('llm-copy.ts', import.meta.url), 'copy')
  stack.defer(copy.stop)
  const targets = targetsOf({
    ...{ upstreamPort: upstream.port, nginx, portkey, daemon },
    bare: { port: await bare.ask<number>(bareStart), pid: bare.pid },
    copy: { port: await copy.ask<number>(bareStart), pid: copy.pid },
  })
  for (const target of targets) await assertAnswers(target)

  const idleMib = residentMib(daemon.pid)
  const many = await rounds({ ...bench, folder, targets, connections: MANY })
  reportMany(many)
  const one = await rounds({ ...bench, folder, targets, connections: 1 })
  reportOne(one)
  await reportUsageBuffer(daemon, [many, one])
  await benchStreams({ rounds: bench.streamRounds, nginx, daemon, upstreamPort: ports.streamsPort })
  console.log(
    `\nresident memory of the daemon: ${idleMib.toFixed(0)} MiB before, ${residentMib(daemon.pid).toFixed(0)} MiB after all this (its course: npm run bench -- llm --memory)`,
  )
}

/** A peer that answers with an error is fast too. */
async function assertAnswers({ name, url, headers }: Target): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers, body: REQUEST })
  const body = await response.text()
  const whole = name === 'portkey' ? body.includes('chatcmpl-bench') : body === ANSWER
  if (response.status !== 200 || !whole) {
    throw new Error(`${name} answered ${response.status}: ${body.slice(0, 500)}`)
  }
}

interface Sample {
  readonly requests: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of the proxy for one request. */
  readonly cpuMs: number
}

type Samples = ReadonlyMap<string, readonly Sample[]>

/** The first round of each does not count; who begins changes from round to round. */
async function rounds(job: {
  readonly rounds: number
  readonly seconds: number
  readonly folder: string
  readonly targets: readonly Target[]
  readonly connections: number
}): Promise<Samples> {
  const samples = new Map<string, Sample[]>(job.targets.map(({ name }) => [name, []]))
  for (let round = -1; round < job.rounds; round++) {
    const first = (round + 1) % job.targets.length
    for (const target of [...job.targets.slice(first), ...job.targets.slice(0, first)]) {
      const sample = await measure(job, target, round < 0 ? WARM_SECONDS : job.seconds)
      // On one connection they are warm from many.
      for (let warm = sample.requests; round < 0 && job.connections === MANY && warm < WARM_REQUESTS; )
        warm += (await measure(job, target, WARM_SECONDS)).requests
      if (round >= 0) samples.get(target.name)?.push(sample)
    }
  }
  return samples
}

async function measure(
  job: { readonly folder: string; readonly connections: number },
  target: Target,
  seconds: number,
): Promise<Sample> {
  const before = cpuMs(target.pids())
  const { requests, ms, p50Ms, p99Ms } = await runWrk(job.folder, {
    ...target,
    ...{ body: REQUEST, connections: job.connections, seconds },
  })
  const cpu = (cpuMs(target.pids()) - before) / requests
  return { requests, perSecond: requests / (ms / 1_000), p50Ms, p99Ms, cpuMs: cpu }
}

function middle(samples: Samples, name: string, figure: keyof Sample): number {
  return percentile(
    (samples.get(name) ?? []).map((sample) => sample[figure]),
    0.5,
  )
}

function printTable(title: string, samples: Samples): void {
  const count = samples.get('oauth3')?.length ?? 0
  console.log(`\n${title} (medians of ${count} rounds each)`)
  console.log(
    `${''.padEnd(10)}${['requests/s', 'p50 ms', 'p99 ms', 'own CPU µs/request'].map((label, at) => label.padStart(at === 3 ? 20 : 12)).join('')}`,
  )
  for (const name of samples.keys()) {
    const cpu = middle(samples, name, 'cpuMs') * 1_000
    console.log(
      [
        name.padEnd(10),
        middle(samples, name, 'perSecond').toFixed(0).padStart(12),
        middle(samples, name, 'p50Ms').toFixed(3).padStart(12),
        middle(samples, name, 'p99Ms').toFixed(3).padStart(12),
        (name === 'direct' ? '' : cpu.toFixed(1)).padStart(20),
      ].join(''),
    )
  }
}

function reportMany(samples: Samples): void {
  printTable(`POST of ${REQUEST.length} bytes, answer of ${ANSWER.length}, ${MANY} connections`, samples)
  const ours = middle(samples, 'oauth3', 'perSecond')
  const ofNginx = ours / middle(samples, 'nginx', 'perSecond')
  printGoal(
    `of nginx's requests/s: ${ofNginx.toFixed(2)}`,
    `at least ${GOALS.ofNginx}`,
    ofNginx >= GOALS.ofNginx,
  )
  if (samples.has('portkey')) {
    const ofPortkey = ours / middle(samples, 'portkey', 'perSecond')
    printGoal(
      `of Portkey's requests/s: ${ofPortkey.toFixed(1)}×`,
      `at least ${GOALS.ofPortkey}×`,
      ofPortkey >= GOALS.ofPortkey,
    )
  }
  console.log(`of the bare relay's requests/s: ${(ours / middle(samples, 'bare', 'perSecond')).toFixed(2)}`)
  const ofBare = (figure: keyof Sample, name = 'oauth3'): number =>
    middle(samples, name, figure) / middle(samples, 'bare', figure)
  printRatio("of the bare relay's CPU per request", ofBare('cpuMs'), GOALS.bareCpu)
  console.log(`the same of a process that only copies: ${ofBare('cpuMs', 'copy').toFixed(2)}`)
  printRatio("of the bare relay's p99", ofBare('p99Ms'), GOALS.bareP99)
}

function reportOne(samples: Samples): void {
  printTable('the same on 1 connection', samples)
  const added = (name: string): number => middle(samples, name, 'p50Ms') - middle(samples, 'direct', 'p50Ms')
  const others = ['nginx', 'bare', 'copy', 'portkey'].filter((name) => samples.has(name))
  const beside = others.map((name) => `${name} ${added(name).toFixed(3)} ms`).join(', ')
  console.log(`added to the p50: ${added('oauth3').toFixed(3)} ms (${beside})`)
  printRatio('of what the bare relay adds to the p50', added('oauth3') / added('bare'), GOALS.bareAddedP50)
}

/** Shows that the accounting was on: what the daemon booked beside what the client counted. */
async function reportUsageBuffer(daemon: BenchDaemon, all: readonly Samples[]): Promise<void> {
  const counted = all
    .flatMap((samples) => samples.get('oauth3') ?? [])
    .reduce((sum, { requests }) => sum + requests, 0)
  const { groups } = JSON.parse(await daemon.cli(['usage', '--json'])) as {
    groups: { requests: number; input_tokens: number; output_tokens: number; micro_usd: number }[]
  }
  const booked = groups.reduce((sum, { requests }) => sum + requests, 0)
  const tokens = groups.reduce((sum, group) => sum + group.input_tokens + group.output_tokens, 0)
  console.log(
    `\nbooked: ${booked} requests with ${tokens} tokens; ${counted} were counted in the rounds above, the others are of rounds that do not count`,
  )
  if (booked < counted) throw new Error('the daemon booked fewer requests than it answered')
}
