/**
 * Runs prompts with the Claude Code CLI, each in a container of its own that had nothing to do with any other run. Containers
 * whose CLI has started and loaded wait for one run each.
 */
import type Docker from 'dockerode'
import type { EgressEndpoints } from '../../egress/index.ts'
import { answered, createEngineClient, engineStatus, type SeccompChoice } from '../../sandbox/engine/index.ts'
import type { RunLimits } from '../../sandbox/index.ts'
import {
  containerConfig,
  createRemovals,
  createSandboxEndpoints,
  createSlots,
  createWarmPool,
  SandboxContainer,
  sweepLeftovers,
  type WarmPool,
} from '../../sandbox/runner/index.ts'
import { CLAUDE_IMAGE, claudeVersion, imageTag } from '../../sandbox/runtimes/index.ts'
import { WAITING_ARGUMENTS } from '../cli/index.ts'
import {
  type RunHooks,
  type RunnerStatus,
  RunnerUnavailable,
  type RunOrder,
  type RunOutcome,
  type RunRunner,
  type UnavailableReason,
} from '../index.ts'
import type { SchemaChecker } from '../schema/index.ts'
import { type ModelSocket, openModelSocket } from './model-socket.ts'
import { NO_OUTCOME } from './outcome.ts'
import { runPrompt } from './prompt-run.ts'

export interface ClaudeRunnerOptions {
  readonly docker?: Docker | undefined
  /** The daemon's; its sandboxes and these containers are told apart by what is put behind it. */
  readonly instanceId: string
  readonly endpoints: EgressEndpoints
  readonly schemas: SchemaChecker
  readonly ociRuntime?: string | undefined
  readonly seccomp?: SeccompChoice | undefined
  /** Containers that wait; none: each run starts its own. */
  readonly poolSize: number
  readonly resources?: Partial<ContainerResources> | undefined
  readonly log?: ((message: string, error?: unknown) => void) | undefined
}

/** Of one container. The CLI takes about 200 MB, its supervisor 45. */
interface ContainerResources {
  readonly memoryBytes: number
  readonly cpuMillis: number
  readonly pids: number
  /** Of /tmp, which holds files, the conversation and what tools write; its bytes count as memory. */
  readonly tmpBytes: number
}

const DEFAULT_RESOURCES: ContainerResources = {
  memoryBytes: 1_024 * 1_048_576,
  cpuMillis: 2_000,
  pids: 256,
  tmpBytes: 256 * 1_048_576,
}

const LOOK_TIMEOUT_MS = 3_000
const STATUS_TTL_MS = 2_000
const STARTS_AT_ONCE = 2
const REMOVALS_AT_ONCE = 2
/** Each that waits takes some 150 MB: a burst may keep twice as many. */
const MOST_TIMES = 2
const DISPOSE_PATIENCE_MS = 10_000

interface Ready {
  readonly image: string
  readonly pool: WarmPool
}

export function createClaudeRunner(options: ClaudeRunnerOptions): RunRunner {
  const docker = options.docker ?? createEngineClient()
  const instanceId = `${options.instanceId}-claude`
  const log = options.log ?? (() => {})
  const tag = imageTag(CLAUDE_IMAGE)
  const limits: RunLimits = { timeoutMs: 0, outputBytes: 0, ...DEFAULT_RESOURCES, ...options.resources }
  const closing = new AbortController()
  const endpoints = createSandboxEndpoints(docker, options.endpoints)
  const startSlot = createSlots(STARTS_AT_ONCE)
  const removals = createRemovals(createSlots(REMOVALS_AT_ONCE), closing.signal)
  const containers = new Set<SandboxContainer>()
  const sockets = new WeakMap<SandboxContainer, ModelSocket>()
  const background = new Set<Promise<unknown>>()
  let ready: Ready | undefined
  let isFilling = false
  /** Why no run can be begun, as of the last look; null where one can. */
  let lack: { readonly reason: UnavailableReason; readonly note: string } | null = null
  let seenAt = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | undefined
  let running = 0

  function inBackground(work: Promise<unknown>): void {
    const tracked = work.catch((error: unknown) => log('clean-up of a run failed', error))
    background.add(tracked)
    void tracked.finally(() => background.delete(tracked))
  }

  async function launch(image: string): Promise<SandboxContainer> {
    const opened = await endpoints.open(null)
    const { endpoint, enginePath } = opened
    if (endpoint === null || enginePath === null) throw new Error('a run needs an endpoint')
    const socket = await openModelSocket(endpoint.directory)
    const config = containerConfig({
      image,
      instanceId,
      limits,
      endpoint: enginePath,
      ociRuntime: options.ociRuntime,
      seccomp: options.seccomp,
      arguments: [...WAITING_ARGUMENTS],
    })
    const container = new SandboxContainer({ docker, config, removals, endpoint, log })
    sockets.set(container, socket)
    containers.add(container)
    void container.whenRemoved.then(() => {
      containers.delete(container)
      inBackground(socket.close())
    })
    try {
      await startSlot(() => {
        closing.signal.throwIfAborted()
        return container.start()
      })
    } catch (error) {
      endpoints.launched(opened, error)
      void container.remove()
      throw error
    }
    endpoints.launched(opened)
    return container
  }

  function poolFor(image: string): WarmPool {
    return createWarmPool({
      size: options.poolSize,
      mostTimes: MOST_TIMES,
      launch: () => launch(image),
      onFailure: (error) => {
        if (closing.signal.aborted) return
        log('a container for runs could not be started', error)
        inBackground(look())
      },
    })
  }

  function keep(image: string | undefined): void {
    if (ready?.image !== image && ready !== undefined) {
      inBackground(ready.pool.close())
      ready = undefined
    }
    if (image === undefined) return
    ready ??= { image, pool: poolFor(image) }
    if (isFilling) ready.pool.fill()
  }

  async function lookNow(): Promise<void> {
    try {
      const { Id } = await answered(LOOK_TIMEOUT_MS, () => docker.getImage(tag).inspect())
      if (closing.signal.aborted) return
      keep(Id)
      lack = null
    } catch (error) {
      const isMissing = engineStatus(error) === 404
      if (isMissing) keep(undefined)
      lack = isMissing
        ? {
            reason: 'image_missing',
            note: `The image ${tag} is not built; run: npm run images -- --only claude`,
          }
        : {
            reason: 'engine_away',
            note: `The Docker engine does not answer: ${(error as Error).message}`,
          }
    }
    seenAt = performance.now()
  }

  function look(): Promise<void> {
    looking ??= lookNow().finally(() => {
      looking = undefined
    })
    return looking
  }

  async function readyNow(): Promise<Ready> {
    if (closing.signal.aborted) throw new RunnerUnavailable('The daemon is stopping.')
    if (ready === undefined) await look()
    if (ready === undefined)
      throw new RunnerUnavailable(lack?.note ?? 'There is no image for runs.', lack?.reason)
    return ready
  }

  /** A container that died while it waited is no reason to fail: the next one may live. */
  async function claim({ pool }: Ready, signal: AbortSignal): Promise<SandboxContainer> {
    for (;;) {
      const container = await pool.claim(signal)
      if (container.alive && !signal.aborted) return container
      void container.remove()
      signal.throwIfAborted()
    }
  }

  async function runIn(
    pool: WarmPool,
    container: SandboxContainer,
    order: RunOrder,
    hooks: RunHooks,
    signal: AbortSignal,
  ): Promise<RunOutcome> {
    const socket = sockets.get(container)
    if (socket === undefined) throw new Error('a container without an endpoint')
    try {
      return await runPrompt(
        {
          order,
          hooks,
          schemas: options.schemas,
          traffic: () => socket.traffic,
          converse: (onBytes) => {
            // While the model thinks, nobody needs the processor.
            socket.bind(hooks.model, () => pool.ended())
            return container.converse(onBytes, order.egress)
          },
        },
        signal,
      )
    } finally {
      // First of all: no call is made any more.
      inBackground(socket.close())
      void container.remove()
    }
  }

  return {
    sweep: () =>
      sweepLeftovers(docker, instanceId, {
        names: () => new Set([...containers].map(({ name }) => name)),
        removeSlot: removals.now,
      }),
    start() {
      isFilling = true
      inBackground(look())
    },
    async status(): Promise<RunnerStatus> {
      if (performance.now() - seenAt > STATUS_TTL_MS || ready === undefined) await look()
      return {
        version: ready === undefined ? null : claudeVersion(),
        available: ready !== undefined,
        notes: [...(lack === null ? [] : [lack.note]), ...endpoints.notes],
        warm: ready?.pool.warm ?? 0,
        running,
      }
    },
    async run(order, hooks, signal) {
      let isStarted = false
      const watched: RunHooks = {
        onStarted: () => {
          isStarted = true
          hooks.onStarted()
        },
        onEvent: (event) => hooks.onEvent(event),
        onToolRequest: (request, over) => hooks.onToolRequest(request, over),
        onOwnTool: (call, over) => hooks.onOwnTool(call, over),
        onToolAnswered: (id) => hooks.onToolAnswered(id),
        model: hooks.model,
      }
      const anySignal = AbortSignal.any([signal, closing.signal])
      running += 1
      try {
        const now = await readyNow()
        const container = await claim(now, anySignal)
        return await runIn(now.pool, container, order, watched, anySignal).finally(() => now.pool.ended())
      } catch (error) {
        if (isStarted || error instanceof RunnerUnavailable) throw error
        if (signal.aborted) return { ...NO_OUTCOME, code: 'cancelled', message: 'The run was cancelled.' }
        // The engine was stopped, or the image removed, since the last look.
        await look()
        if (lack !== null) throw new RunnerUnavailable(lack.note, lack.reason, error)
        const why = `The run could not be started: ${(error as Error).message}`
        throw new RunnerUnavailable(why, 'not_started', error)
      } finally {
        running -= 1
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('the daemon is stopping'))
      keep(undefined)
      await answered(DISPOSE_PATIENCE_MS, async () => {
        await Promise.all([...containers].map((container) => container.remove()))
        await Promise.all(background)
      }).catch(() => log('the engine does not answer; the next start removes what is left in it'))
    },
  }
}
