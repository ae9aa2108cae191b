/**
 * A hosted agent that wakes from its files, until its gateway has answered: a real OpenClaw that was ready before, and a workspace of 200 MB.
 * Beside it what is done without us: `rclone copy`, and then a container; of the same image, and of OpenClaw as npm has it, which is started by
 * its own command without anything that was compiled for it.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createEngineFiles, openObjectStore } from '../src/hosting/persistence/index.ts'
import { DEFAULT_TENANT } from '../src/kernel/index.ts'
import { createEngineClient } from '../src/sandbox/engine/index.ts'
import { imageTag, OPENCLAW_IMAGE } from '../src/sandbox/runtimes/index.ts'
import { createOpenclawMachine, type OpenclawMachine } from '../test/support/openclaw-machine.ts'
import { createPersistenceKit, PLACE } from '../test/support/persistence-kit.ts'
import { makeWorkspace } from './persistence-workspace.ts'
import { capture, percentile, printComparison, printGoal, timed } from './support.ts'

const NEVER = new AbortController().signal
const QUOTA = { bytes: 4_000_000_000, files: 100_000 }
const CONFIGURATION = {
  do: 'configure',
  token: null,
  model: 'anthropic/claude-sonnet-5-5',
  providers: [
    { id: 'anthropic', path: '', api: 'anthropic-messages', models: [{ id: 'claude-sonnet-5-5' }] },
  ],
}
const none = (socket: { destroy(): unknown }): void => void socket.destroy()
/** With what it has, or with the files of a folder of this host. */
export const openMachine = (state?: string): Promise<OpenclawMachine> =>
  createOpenclawMachine({ model: none, agent: none }, state)

/** Of one that was started: configured as soon as it asks, and answered by its gateway. */
export async function answers(machine: OpenclawMachine, from = 0): Promise<void> {
  await machine.until(({ state }) => state === 'waiting', from)
  machine.tell(CONFIGURATION)
  const { state } = await machine.until((told) => told.state === 'ready' || told.state === 'failed', from)
  if (state === 'failed') throw new Error('OpenClaw did not start: this machine is too busy')
  await machine.http('/')
}

export async function benchWake({
  rounds,
  scale,
}: {
  readonly rounds: number
  readonly scale: number
}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-wake-'))
  const kept = join(folder, 'kept')
  const copy = join(folder, 'copy')
  const engine = createEngineClient()
  let container = ''
  const files = createEngineFiles({ docker: engine, containerOf: () => container, mount: PLACE.mount })
  try {
    await using kit = await createPersistenceKit()
    const objects = openObjectStore({ url: join(folder, 'objects') })
    await using persistence = await kit.open({ objects, files, quota: QUOTA })
    const ref = { tenant: DEFAULT_TENANT, machine: 'bench', generation: 1 }
    {
      await using first = await openMachine()
      container = first.container
      await first.start()
      await answers(first)
      await first.stop(30)
      await putWorkspace(first, folder, scale)
      await persistence.save(ref, NEVER)
      await take(await files.read(ref, PLACE.home, NEVER), kept)
    }
    await capture('rclone', [...RCLONE, 'sync', kept, join(folder, 'rclone')])

    const copied = async (): Promise<void> => {
      await capture('rclone', [...RCLONE, 'copy', join(folder, 'rclone'), copy])
      // Of folders rclone keeps no owner.
      await capture('chown', ['-R', `${PLACE.owner}:${PLACE.owner}`, copy])
    }
    const ours: number[] = []
    const sameImage: number[] = []
    const stock: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      ours.push(
        await woken(async () => {
          const machine = await openMachine()
          container = machine.container
          const up = Promise.withResolvers<void>()
          await persistence.restore({ ...ref, generation: round + 2 }, NEVER, async () => {
            await machine.start().then(up.resolve, up.reject)
          })
          await up.promise
          await answers(machine)
          return machine
        }),
      )
      sameImage.push(
        await woken(async () => {
          await copied()
          const machine = await openMachine(copy)
          await machine.start()
          await answers(machine)
          return machine
        }),
      )
      rmSync(copy, { recursive: true })
      stock.push(
        await woken(async () => {
          await copied()
          return startStock(copy)
        }),
      )
      rmSync(copy, { recursive: true })
    }
    const name = 'a wake from files; baseline: rclone copy and a container'
    printComparison({ name: `${name} of OpenClaw as npm has it`, ours, baseline: stock, unit: 'ms' })
    printComparison({ name: `${name} of the same image`, ours, baseline: sameImage, unit: 'ms' })
    const ratio = percentile(stock, 0.5) / percentile(ours, 0.5)
    printGoal(`a wake from files is ${ratio.toFixed(2)} × as fast`, 'at least 3', ratio >= 3)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const RCLONE = ['--config', '/dev/null', '--log-level', 'ERROR', '--metadata', '--links']

async function woken(wake: () => Promise<AsyncDisposable>): Promise<number> {
  let machine: AsyncDisposable | undefined
  const ms = await timed(async () => {
    machine = await wake()
  })
  await machine?.[Symbol.asyncDispose]()
  return ms
}

async function putWorkspace(machine: OpenclawMachine, folder: string, scale: number): Promise<void> {
  const root = join(folder, 'workspace')
  mkdirSync(join(root, 'home/workspace'), { recursive: true })
  makeWorkspace(join(root, 'home/workspace'), scale)
  const owner = [`--owner=${PLACE.owner}`, `--group=${PLACE.owner}`]
  const tar = spawn('tar', ['-c', '-C', root, ...owner, 'home/workspace'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await machine.put(tar.stdout)
  rmSync(root, { recursive: true })
}

async function take(archive: AsyncIterable<Uint8Array> | undefined, to: string): Promise<void> {
  if (archive === undefined) throw new Error('it has no files')
  mkdirSync(to)
  const tar = spawn('tar', ['-xp', '--same-owner', '-C', to], { stdio: ['pipe', 'inherit', 'inherit'] })
  const over = new Promise((resolve) => tar.once('close', resolve))
  await pipeline(Readable.from(archive), tar.stdin)
  await over
}

/** By its own command, as its own page says it is started, until it prints that it is ready. */
async function startStock(state: string): Promise<AsyncDisposable> {
  const engine = createEngineClient()
  const container = await engine.createContainer({
    Image: imageTag(OPENCLAW_IMAGE),
    User: `${PLACE.owner}:${PLACE.owner}`,
    Entrypoint: ['node', '/opt/openclaw/node_modules/openclaw/openclaw.mjs', 'gateway'],
    Env: [
      ...['HOME=/state/home', 'OAUTH3_URL=http://127.0.0.1:3737', 'OAUTH3_TOKEN=none'],
      ...['OPENCLAW_GATEWAY_TOKEN=of-the-gateway-0123456789', 'OAUTH3_HOOK_TOKEN=of-the-hook-0123456789'],
    ],
    HostConfig: { NetworkMode: 'none', Mounts: [{ Type: 'bind', Source: state, Target: PLACE.mount }] },
  })
  await container.start()
  const log = (await container.logs({ follow: true, stdout: true, stderr: true })) as unknown as Readable
  let said = ''
  for await (const piece of log) {
    said += String(piece)
    if (/\[gateway\] ready/.test(said)) break
  }
  if (!/\[gateway\] ready/.test(said)) throw new Error(`OpenClaw did not start: ${said.slice(-500)}`)
  return { [Symbol.asyncDispose]: async () => void (await container.remove({ force: true })) }
}
