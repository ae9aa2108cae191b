/**
 * The embedded sandbox: a Deno process per run with Deno's own permissions as the only isolation. It speaks the same
 * protocol to the same runner. Weaker than a container, and `status` says so.
 *
 * Its requests go through the gateway like those of a container, and Deno lets it name the approved hosts only. But it
 * stands in the host's network: code may also dial an approved host by itself (`Deno.connect`), past the gateway. It
 * carries placeholders there, which are worth nothing, and values in raw mode, which a person agreed to give it; such a
 * connection is in no audit.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import {
  type EgressEndpoints,
  type EgressSession,
  GATEWAY_CA,
  GATEWAY_SOCKET,
} from '../../../egress/index.ts'
import { sha256Hex } from '../../../kernel/index.ts'
import { atUsualPriority } from '../../../workers/cpu-priority/index.ts'
import {
  type RunHooks,
  type RunOrder,
  type RunOutcome,
  type Sandbox,
  type SandboxClaim,
  type SandboxStatus,
  SandboxUnavailable,
} from '../../index.ts'
import {
  DENO,
  denoArguments,
  fileDigest,
  hostDenoBinary,
  runtimeFile,
  runVariables,
} from '../../runtimes/index.ts'
import { createOutputMeter } from '../output-meter.ts'
import { encodeRunMessage, READY_LINE, sendRunMessage } from '../run-message.ts'
import { openRelay } from './embedded-relay.ts'
import { forbidsFileWrites, withoutFileWrites } from './no-file-writes.ts'
import { killGroup, privateMemoryBytes, processesWithArgument } from './process-group.ts'

const MEMORY_WATCH_MS = 25
const READY_TIMEOUT_MS = 15_000
const DRAIN_TIMEOUT_MS = 1_000
const STDERR_TAIL_BYTES = 2_048
const MIB = 1_048_576

const NOTES = [
  "The embedded sandbox is weaker than Docker: code is held back by Deno's permissions alone, in a process of the daemon's own user.",
  'Code can reach its approved hosts past the gateway too: with placeholders instead of values, but unseen by the audit.',
  'It has no file access and no subprocesses; limits on processor time, processes and kernel memory do not apply, and memory is watched, not walled.',
]

const MAY_WRITE_FILES =
  'There is no /bin/sh to take the disk away from code, so code can fill the disk with temporary files of SQLite.'

export interface EmbeddedSandboxOptions {
  readonly instanceId: string
  /** Where each process's way out comes from; null for processes without any. */
  readonly endpoints: EgressEndpoints | null
  readonly log?: ((message: string, error?: unknown) => void) | undefined
}

export class EmbeddedSandbox implements Sandbox {
  readonly kind = 'embedded'
  readonly #log: (message: string, error?: unknown) => void
  readonly #endpoints: EgressEndpoints | null
  /** Every folder of this instance starts with it, and a process is known by it. */
  readonly #folderPrefix: string
  readonly #folders = new Set<string>()
  readonly #runs = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  constructor(options: EmbeddedSandboxOptions) {
    this.#log = options.log ?? (() => {})
    this.#endpoints = options.endpoints
    this.#folderPrefix = join(tmpdir(), `oauth3-run-${sha256Hex(options.instanceId).slice(0, 16)}-`)
  }

  async sweep(): Promise<number> {
    const mine = [...this.#folders]
    const leftover = (path: string) => !mine.some((folder) => path.startsWith(folder))
    const ours = basename(this.#folderPrefix)
    const folders = (await readdir(dirname(this.#folderPrefix)))
      .filter((name) => name.startsWith(ours))
      .map((name) => join(dirname(this.#folderPrefix), name))
      .filter(leftover)
    let removed = 0
    for (const folder of folders) {
      for (const pid of processesWithArgument(`${folder}/`)) if (killGroup(pid)) removed += 1
      await rm(folder, { recursive: true, force: true })
      removed += 1
    }
    return removed
  }

  start(): void {
    const binary = hostDenoBinary()
    // Read once ahead, so that the first request does not wait for it.
    if (binary !== undefined) void fileDigest(binary).catch(() => {})
  }

  async status(): Promise<SandboxStatus> {
    try {
      const { image } = await this.#deno()
      return {
        kind: 'embedded',
        runtimes: [{ name: DENO.name, image }],
        notes: forbidsFileWrites ? NOTES : [...NOTES, MAY_WRITE_FILES],
        warm: 0,
      }
    } catch (error) {
      return { kind: 'unavailable', runtimes: [], notes: [(error as Error).message], warm: 0 }
    }
  }

  async #deno(): Promise<{ binary: string; image: string }> {
    const binary = hostDenoBinary()
    if (binary === undefined) {
      throw new SandboxUnavailable(
        'Deno is not installed for this platform; run npm ci with optional dependencies.',
      )
    }
    return { binary, image: await fileDigest(binary) }
  }

  /** Each run makes a process of its own: there is one for whoever asks. */
  claim(): SandboxClaim {
    return { run: (order, hooks, signal) => this.run(order, hooks, signal), [Symbol.dispose]() {} }
  }

  async run(order: RunOrder, hooks: RunHooks, signal: AbortSignal): Promise<RunOutcome> {
    if (this.#closing.signal.aborted) throw new SandboxUnavailable('The sandbox is closing.')
    const { binary, image } = await this.#deno()
    if (order.runtime !== DENO.name) throw new SandboxUnavailable(`There is no runtime ${order.runtime}.`)
    if (order.image !== image) {
      throw new SandboxUnavailable('The Deno binary is not the one that was approved any more.')
    }
    const work = this.#runIn(binary, order, hooks, AbortSignal.any([signal, this.#closing.signal]))
    this.#runs.add(work)
    try {
      return await work
    } finally {
      this.#runs.delete(work)
    }
  }

  async #runIn(binary: string, order: RunOrder, hooks: RunHooks, signal: AbortSignal): Promise<RunOutcome> {
    const folder = await mkdtemp(this.#folderPrefix)
    this.#folders.add(folder)
    const wayOut = await this.#openWayOut(order).catch(async (error: unknown) => {
      await this.#removeFolder(folder)
      throw new SandboxUnavailable('The way to the gateway could not be opened.', error)
    })
    try {
      // The code stands beside the working directory, which stays empty.
      const mainModule = join(folder, 'main.ts')
      const cwd = join(folder, 'empty')
      await Promise.all([writeFile(mainModule, order.code), mkdir(cwd)])
      const heapMib = Math.max(16, Math.floor(order.limits.memoryBytes / MIB))
      const child = atUsualPriority(() =>
        spawn(
          ...withoutFileWrites(
            binary,
            'run',
            ...denoArguments(
              {
                isolation: 'permissions',
                env: runVariables(order.secrets.keys()),
                network: wayOut === null ? [] : order.network,
                proxy: wayOut?.proxy ?? null,
                v8Flags: [`--max-old-space-size=${heapMib}`],
                dynamicCode: order.dynamicCode,
              },
              runtimeFile(DENO, 'runner.js'),
              mainModule,
            ),
          ),
          {
            cwd,
            env: {
              DENO_DIR: join(folder, 'cache'),
              DENO_NO_UPDATE_CHECK: '1',
              NO_COLOR: '1',
              ...wayOut?.env,
            },
            detached: true,
            stdio: 'pipe',
          },
        ),
      )
      return await superviseProcess(child, order, hooks, signal, () => wayOut?.bindSession())
    } finally {
      await wayOut?.close()
      await this.#removeFolder(folder)
    }
  }

  /** Null where the run has no network or there is no gateway: the process then may connect to nothing. */
  async #openWayOut({ network, egress }: RunOrder): Promise<WayOut | null> {
    if (this.#endpoints === null || egress === null || network.length === 0) return null
    return await openWayOut(this.#endpoints, egress)
  }

  async #removeFolder(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
      this.#log('a folder of a run could not be removed', error)
    })
    this.#folders.delete(folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#runs)
  }
}

interface WayOut {
  readonly proxy: string
  readonly env: Readonly<Record<string, string>>
  bindSession(): void
  close(): Promise<void>
}

async function openWayOut(endpoints: EgressEndpoints, egress: EgressSession): Promise<WayOut> {
  const endpoint = await endpoints.open()
  try {
    const relay = await openRelay(join(endpoint.directory, GATEWAY_SOCKET))
    return {
      proxy: relay.address,
      env: {
        HTTP_PROXY: relay.proxyUrl,
        HTTPS_PROXY: relay.proxyUrl,
        NODE_USE_ENV_PROXY: '1',
        DENO_CERT: join(endpoint.directory, GATEWAY_CA),
      },
      bindSession: () => endpoint.bindSession(egress),
      async close() {
        relay.close()
        await endpoint.close()
      },
    }
  } catch (error) {
    await endpoint.close()
    throw error
  }
}

/** Code can send signals to its own process, so only SIGKILL counts as coming from outside. */
function classifyExit(
  code: number | null,
  by: NodeJS.Signals | null,
  stderrTail: Buffer,
): Pick<RunOutcome, 'end' | 'exitCode'> {
  if (by === null) return { end: 'exited', exitCode: code }
  if (stderrTail.includes('heap out of memory')) return { end: 'memory_limit', exitCode: null }
  if (by === 'SIGKILL') return { end: 'sandbox_lost', exitCode: null }
  return { end: 'exited', exitCode: 128 + constants.signals[by] }
}

/** Takes one process from its birth to its end. */
async function superviseProcess(
  child: ChildProcessWithoutNullStreams,
  order: RunOrder,
  hooks: RunHooks,
  signal: AbortSignal,
  bindSession: () => void,
): Promise<RunOutcome> {
  const meter = createOutputMeter(order.limits.outputBytes, hooks)
  const exited = Promise.withResolvers<{ code: number | null; by: NodeJS.Signals | null }>()
  const drained = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const ready = Promise.withResolvers<void>()
  const stopped = Promise.withResolvers<RunOutcome['end']>()
  let startedAt: number | undefined
  let boot = Buffer.alloc(0)
  let stderrTail = Buffer.alloc(0)
  const elapsedMs = () => (startedAt === undefined ? 0 : performance.now() - startedAt)
  const kill = () => {
    if (child.pid !== undefined) killGroup(child.pid)
  }

  child.once('exit', (code, by) => exited.resolve({ code, by }))
  child.once('error', (error) => ready.reject(error))
  child.stdin.on('error', () => {})
  child.stdout.on('data', (bytes: Buffer) => {
    if (startedAt !== undefined) meter.take('stdout', bytes)
    else {
      boot = Buffer.concat([boot, bytes])
      if (boot.equals(READY_LINE)) ready.resolve()
    }
    if (meter.flooded) stopped.resolve('output_limit')
  })
  child.stderr.on('data', (bytes: Buffer) => {
    stderrTail = Buffer.concat([stderrTail, bytes]).subarray(-STDERR_TAIL_BYTES)
    if (startedAt !== undefined) meter.take('stderr', bytes)
    if (meter.flooded) stopped.resolve('output_limit')
  })

  const cancel = () => stopped.resolve('cancelled')
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  const timers: NodeJS.Timeout[] = []
  try {
    const bootTimer = setTimeout(
      () => ready.reject(new Error('Deno did not become ready in time')),
      READY_TIMEOUT_MS,
    )
    timers.push(bootTimer)
    void exited.promise.then(() =>
      ready.reject(new Error(`Deno did not boot: ${stderrTail.toString('utf8')}`)),
    )
    const early = await Promise.race([ready.promise, stopped.promise])
    if (early !== undefined) return { end: early, exitCode: null, durationMs: 0, truncated: false }

    const message = encodeRunMessage(order, { placed: true })
    bindSession()
    hooks.onStarted()
    startedAt = performance.now()
    sendRunMessage(child.stdin, message)
    timers.push(setTimeout(() => stopped.resolve('timeout'), order.limits.timeoutMs))
    timers.push(
      setInterval(() => {
        const bytes = child.pid === undefined ? null : privateMemoryBytes(child.pid)
        if (bytes !== null && bytes > order.limits.memoryBytes) stopped.resolve('memory_limit')
      }, MEMORY_WATCH_MS),
    )
    const ending = await Promise.race([stopped.promise, exited.promise])
    if (typeof ending === 'string') {
      return { end: ending, exitCode: null, durationMs: elapsedMs(), truncated: meter.truncated }
    }
    await Promise.race([
      drained,
      new Promise((resolve) => timers.push(setTimeout(resolve, DRAIN_TIMEOUT_MS))),
    ])
    const { end, exitCode } = classifyExit(ending.code, ending.by, stderrTail)
    return { end, exitCode, durationMs: elapsedMs(), truncated: meter.truncated }
  } catch (error) {
    if (startedAt !== undefined) throw error
    throw new SandboxUnavailable(`The embedded sandbox could not start: ${(error as Error).message}`, error)
  } finally {
    for (const timer of timers) clearTimeout(timer)
    signal.removeEventListener('abort', cancel)
    kill()
    if (child.pid !== undefined) await exited.promise
    child.stdout.destroy()
    child.stderr.destroy()
  }
}
