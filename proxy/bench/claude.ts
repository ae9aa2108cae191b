import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Docker from 'dockerode'
import { createClaudeRunner } from '../src/claude-runs/container/index.ts'
import type { RunRunner } from '../src/claude-runs/index.ts'
import { createSchemaChecker } from '../src/claude-runs/schema/index.ts'
import { buildImages, fetchPackages } from '../src/sandbox/images/index.ts'
import { CLAUDE_IMAGE } from '../src/sandbox/runtimes/index.ts'
import { ORDER } from '../test/support/claude-kit.ts'
import { createTestEndpoints } from '../test/support/egress-endpoints.ts'
import { createMessagesApi, type MessagesApi, say } from '../test/support/messages-api-double.ts'
import { percentile, printGoal } from './support.ts'

interface ClaudeBenchOptions {
  /** Of the time to the first byte, one run after the other. */
  readonly rounds: number
  /** Two at once. */
  readonly sustained: number
}

/**
 * What a model takes to answer. With none the processor is the limit, and a container costs what a process does not; with a second the
 * model is: more than (1,000 + a spawned CLI's own time) ÷ 1,000 cannot be had. The goal is read in between.
 */
const MODEL_MS = [0, 250, 500, 1_000] as const
const GOAL_AT_MS = 500
const AT_ONCE = 2

/**
 * Runs of the waiting CLI beside `claude -p` spawned for each call, as the seed's service does: same CLI, same Messages API, in turns. The
 * model answers at once where the time to the first byte is measured, so that this is what a call adds.
 */
export async function benchClaude({ rounds, sustained }: ClaudeBenchOptions): Promise<void> {
  const docker = new Docker()
  await buildImages({ docker, only: [CLAUDE_IMAGE.name], log: () => {} })
  const packages = await fetchPackages(CLAUDE_IMAGE, (await docker.version()).Arch, console.log)
  const binary = join(packages, 'node_modules/@anthropic-ai/claude-code-linux-x64/claude')
  const home = mkdtempSync(join(tmpdir(), 'oauth3-bench-claude-'))
  let modelMs = 0
  await using api = createMessagesApi(async () => {
    await delay(modelMs)
    return say('Hello.')
  })
  const url = await api.listen()
  await using endpoints = await createTestEndpoints()
  await using schemas = createSchemaChecker()
  const instanceId = `bench-${process.pid}`
  await using runner = createClaudeRunner({
    instanceId,
    endpoints,
    schemas,
    poolSize: Number(process.env.BENCH_POOL ?? 1),
    log: console.error,
  })
  runner.start()
  try {
    const spawned = () => spawnedCall(binary, url, home)
    const waiting = () => waitingRun(runner, api)
    const times = { spawned: [] as number[], waiting: [] as number[] }
    for (let round = -1; round < rounds; round += 1) {
      await warm(runner)
      const [ours, theirs] = [await waiting(), await spawned()]
      // The first fills the file cache.
      if (round < 0) continue
      times.waiting.push(ours)
      times.spawned.push(theirs)
    }
    print('added to the first byte, claude -p spawned', times.spawned)
    print('added to the first byte, a waiting CLI', times.waiting)
    const faster = percentile(times.spawned, 0.5) / percentile(times.waiting, 0.5)
    printGoal(`spawned ÷ waiting, p50: ${faster.toFixed(1)}×`, '≥ 5', faster >= 5)

    await warm(runner)
    console.log(`one that waits: ${(await waitingMib(docker, instanceId)).toFixed(0)} MiB without file cache`)

    for (const ms of MODEL_MS) {
      modelMs = ms
      const theirs = await perSecond(sustained, spawned)
      const ours = await perSecond(sustained, waiting)
      const text = `${AT_ONCE} at once, model ${ms} ms: ${ours.toFixed(2)} runs a second, spawned ${theirs.toFixed(2)}: ${(ours / theirs).toFixed(2)}×`
      if (ms === GOAL_AT_MS) printGoal(text, '≥ 1.5', ours / theirs >= 1.5)
      else console.log(text)
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Milliseconds to the first text; resolves when the run is over. */
async function waitingRun(runner: RunRunner, api: MessagesApi): Promise<number> {
  const began = performance.now()
  let first: number | undefined
  const outcome = await runner.run(
    ORDER,
    {
      onStarted: () => {},
      onEvent: ({ type }) => {
        if (type === 'text') first ??= performance.now() - began
      },
      onToolRequest: async () => ({ behavior: 'deny', message: '' }),
      onOwnTool: async () => ({ isError: true, text: 'none' }),
      onToolAnswered() {},
      model: { connection: (socket) => api.connection(socket), refusal: () => null },
    },
    new AbortController().signal,
  )
  if (outcome.code !== 'ok' || first === undefined) throw new Error(`${outcome.code}: ${outcome.message}`)
  return first
}

/** Likewise, of a process of its own. It streams too, or nothing would come before its end. */
async function spawnedCall(binary: string, url: string, home: string): Promise<number> {
  const began = performance.now()
  const child = spawn(
    binary,
    [
      '-p',
      ORDER.prompt,
      '--model',
      ORDER.model,
      '--output-format',
      'stream-json',
      '--verbose',
      '--include-partial-messages',
    ],
    {
      cwd: home,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        ANTHROPIC_BASE_URL: url,
        ANTHROPIC_API_KEY: 'bench',
        // It would dial hosts that a bench cannot reach, and wait for them.
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let first: number | undefined
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (first === undefined && output.includes('"text_delta"')) first = performance.now() - began
  })
  await once(child, 'close')
  if (first === undefined) throw new Error(`claude -p gave no text: ${output.slice(-500)}`)
  return first
}

async function warm(runner: RunRunner): Promise<void> {
  while ((await runner.status()).warm === 0) await delay(50)
  // What else its start left to do is done by then.
  await delay(500)
}

async function perSecond(runs: number, run: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  let left = runs
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await run()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return runs / ((performance.now() - began) / 1_000)
}

async function waitingMib(docker: Docker, instanceId: string): Promise<number> {
  const [container] = await docker.listContainers({
    filters: { label: [`oauth3.instance=${instanceId}-claude`] },
  })
  const { memory_stats: memory } = await docker.getContainer(container?.Id ?? '').stats({ stream: false })
  const cached = memory.stats as unknown as Readonly<Record<string, number>>
  return (memory.usage - (cached.total_cache ?? cached.file ?? 0)) / 1_048_576
}

const print = (what: string, times: readonly number[]): void =>
  console.log(
    `${what}: p50 ${percentile(times, 0.5).toFixed(0)} ms, p95 ${percentile(times, 0.95).toFixed(0)} ms (${times.length} runs)`,
  )
