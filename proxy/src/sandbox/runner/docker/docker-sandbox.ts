/**
 * The Docker sandbox: every run in a container of its own that had nothing to do with any other run. Waits for an
 * engine that is away; what it left behind in an earlier life is found by label.
 */
import { availableParallelism } from 'node:os'
import type Docker from 'dockerode'
import type { EgressEndpoints } from '../../../egress/index.ts'
import { createEngineCheck, type EngineCheck } from '../../doctor/index.ts'
import { answered, engineStatus, type SeccompChoice } from '../../engine/index.ts'
import {
  type RunHooks,
  type RunKind,
  type RunOrder,
  type RunOutcome,
  type Sandbox,
  type SandboxClaim,
  type SandboxStatus,
  SandboxUnavailable,
} from '../../index.ts'
import { DENO, imageTag, RUNTIMES, type Runtime } from '../../runtimes/index.ts'
import { createSlots } from '../slots.ts'
import { containerConfig, IMAGE_BUILD } from './container-config.ts'
import { SandboxContainer } from './docker-container.ts'
import { hasPoolResources, isPooled, POOL_LIMITS } from './pool-limits.ts'
import { createRemovals } from './removals.ts'
import { createSandboxEndpoints, type SandboxEndpoints } from './sandbox-endpoints.ts'
import { sweepLeftovers } from './sweep.ts'
import { createWarmPool, type WarmPool } from './warm-pool.ts'

export interface DockerSandboxOptions {
  readonly docker: Docker
  readonly instanceId: string
  /** Waiting containers a runtime that is in use. */
  readonly poolSize: number
  /** Where each container's way out comes from; null for containers without any. */
  readonly endpoints: EgressEndpoints | null
  readonly ociRuntime?: string | undefined
  readonly seccomp?: SeccompChoice | undefined
  readonly launchTimeoutMs?: number | undefined
  /** The tag of a runtime's image, where it is not the one that `npm run images` builds. */
  readonly tagOf?: ((runtime: Runtime) => string) | undefined
  readonly log?: ((message: string, error?: unknown) => void) | undefined
}

/** What a container is created for. */
type Kind = Pick<RunOrder, 'limits' | 'imports' | 'dynamicCode'>

const STATUS_TTL_MS = 2_000
const LOOK_TIMEOUT_MS = 3_000
/** How long a dispose waits for the next thing to go. */
const DISPOSE_PATIENCE_MS = 5_000
/** While the engine or an image is missing. */
const LOOK_AGAIN_MS = 2_000
/** A look is five calls of the engine: whoever is told an older view mostly begins a run with it, which goes first. */
const RENEW_AFTER_MS = 250
/** Starting a container is work for the engine and the processor: more at once only makes each slower. */
const STARTS_AT_ONCE = Math.min(3, availableParallelism())
const REMOVALS_AT_ONCE = 2

interface Ready {
  readonly runtime: Runtime
  readonly image: string
  readonly pool: WarmPool
}

export class DockerSandbox implements Sandbox {
  readonly kind = 'docker'
  readonly #options: DockerSandboxOptions
  readonly #containers = new Set<SandboxContainer>()
  readonly #ready = new Map<string, Ready>()
  /** Names of the runtimes that had a run. */
  readonly #used = new Set<string>()
  readonly #background = new Set<Promise<unknown>>()
  readonly #inspections = new Map<string, Promise<{ readonly Id: string }>>()
  readonly #closing = new AbortController()
  readonly #startSlot = createSlots(STARTS_AT_ONCE)
  readonly #removals = createRemovals(createSlots(REMOVALS_AT_ONCE), this.#closing.signal)
  readonly #endpoints: SandboxEndpoints
  readonly #engine: EngineCheck
  #notes: readonly string[] = []
  #cause: SandboxStatus['cause']
  #seenAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined
  #filling = false
  #wasAway = false
  #nextLook: NodeJS.Timeout | undefined

  constructor(options: DockerSandboxOptions) {
    this.#options = options
    this.#endpoints = createSandboxEndpoints(options.docker, options.endpoints)
    this.#engine = createEngineCheck(options.docker, options.ociRuntime)
  }

  sweep(): Promise<number> {
    return sweepLeftovers(this.#options.docker, this.#options.instanceId, {
      names: () => new Set([...this.#containers].map(({ name }) => name)),
      removeSlot: this.#removals.now,
    })
  }

  start(): void {
    this.#filling = true
    this.#inBackground(this.#look())
  }

  async status(maxAgeMs = STATUS_TTL_MS): Promise<SandboxStatus> {
    const ageMs = performance.now() - this.#seenAt
    if (ageMs > maxAgeMs || this.#ready.size === 0) await this.#look()
    else if (ageMs > STATUS_TTL_MS) this.#lookIn(RENEW_AFTER_MS)
    const ready = RUNTIMES.flatMap(({ name }) => this.#ready.get(name) ?? [])
    return {
      kind: ready.length > 0 ? 'docker' : 'unavailable',
      runtimes: ready.map(({ runtime, image }) => ({ name: runtime.name, image })),
      notes: [...this.#notes, ...this.#endpoints.notes],
      cause: ready.length > 0 ? undefined : this.#cause,
      warm: ready.reduce((sum, { pool }) => sum + pool.warm, 0),
    }
  }

  /** Asks the engine which images it has, and keeps a pool for each. Never throws. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#seenAt = performance.now()
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookNow(): Promise<void> {
    const missing: Runtime[] = []
    let away: string | undefined
    const asked = this.#engine.trouble(LOOK_TIMEOUT_MS)
    const found = await Promise.all(
      RUNTIMES.map(async (runtime) => {
        try {
          return {
            runtime,
            image: (
              await answered(LOOK_TIMEOUT_MS, () => this.#inspect((this.#options.tagOf ?? imageTag)(runtime)))
            ).Id,
          }
        } catch (error) {
          if (engineStatus(error) === 404) missing.push(runtime)
          else away = `The Docker engine does not answer: ${reason(error)}`
          return { runtime, image: null }
        }
      }),
    )
    const unknown = await asked
    const isBuilding = missing.length > 0 && away === undefined && (await this.#imagesAreBuilt())
    if (this.#closing.signal.aborted) return
    for (const { runtime, image } of found) this.#keepPool(runtime, unknown === undefined ? image : null)
    if (away !== undefined) this.#engine.askAgain()
    const trouble = away ?? unknown
    this.#notes = [...(trouble === undefined ? [] : [trouble]), ...notBuilt(missing, isBuilding)]
    this.#cause =
      unknown !== undefined && away === undefined ? 'misconfigured' : isBuilding ? 'building' : undefined
    const isAway = away !== undefined || this.#ready.size === 0
    // What could not be removed while the engine was away is removed when it is back.
    if (this.#filling && this.#wasAway && !isAway) this.#inBackground(this.sweep())
    this.#wasAway = isAway
    // An image that is missing beside others is looked for when somebody asks for its runtime.
    if (this.#filling && isAway) this.#lookIn(LOOK_AGAIN_MS)
  }

  /** Whether a container of docker-compose's is at it. */
  async #imagesAreBuilt(): Promise<boolean> {
    const filters = { label: [IMAGE_BUILD], status: ['running'] }
    return await answered(LOOK_TIMEOUT_MS, (abortSignal) =>
      this.#options.docker.listContainers({ filters, abortSignal }),
    ).then(
      ({ length }) => length > 0,
      () => false,
    )
  }

  /** Containers wait for Deno from the start, and for another runtime from its first run on. */
  #keepPool(runtime: Runtime, image: string | null): void {
    if (this.#ready.get(runtime.name)?.image !== image) this.#forget(runtime)
    if (image === null) return
    const ready = this.#ready.get(runtime.name) ?? { runtime, image, pool: this.#newPool(runtime, image) }
    this.#ready.set(runtime.name, ready)
    if (this.#filling && (runtime === DENO || this.#used.has(runtime.name))) ready.pool.fill()
  }

  /** This call cannot be broken off, so one that hangs is asked after again rather than joined by another. */
  #inspect(tag: string): Promise<{ readonly Id: string }> {
    const asked =
      this.#inspections.get(tag) ??
      this.#options.docker
        .getImage(tag)
        .inspect()
        .finally(() => this.#inspections.delete(tag))
    this.#inspections.set(tag, asked)
    return asked
  }

  /** Where a look is due already, that one will do. */
  #lookIn(ms: number): void {
    if (this.#closing.signal.aborted) return
    this.#nextLook ??= setTimeout(() => {
      this.#nextLook = undefined
      this.#inBackground(this.#look())
    }, ms)
    this.#nextLook.unref()
  }

  #forget(runtime: Runtime): void {
    const known = this.#ready.get(runtime.name)
    if (known === undefined) return
    this.#ready.delete(runtime.name)
    this.#inBackground(known.pool.close())
  }

  #newPool(runtime: Runtime, image: string): WarmPool {
    return createWarmPool({
      size: this.#options.poolSize,
      launch: () => this.#launch(runtime, image, { limits: POOL_LIMITS, imports: null, dynamicCode: false }),
      onFailure: (error) => {
        if (this.#closing.signal.aborted) return
        this.#options.log?.('a sandbox could not be started', error)
        this.#inBackground(this.#look())
      },
    })
  }

  async #launch(
    runtime: Runtime,
    image: string,
    { limits, imports, dynamicCode }: Kind,
  ): Promise<SandboxContainer> {
    const { docker, instanceId, ociRuntime, seccomp } = this.#options
    const opened = await this.#endpoints.open(imports)
    const config = containerConfig({
      image,
      instanceId,
      limits,
      endpoint: opened.enginePath,
      ociRuntime,
      seccomp,
      sysctls: this.#engine.sysctls,
      sharedMemory: runtime.sharedMemory,
      arguments: runtime.command({ imports: imports !== null, dynamicCode }),
      environment: imports === null ? [] : (runtime.importsEnvironment ?? []),
    })
    const log = this.#options.log ?? (() => {})
    const { endpoint } = opened
    const container = new SandboxContainer({ docker, config, removals: this.#removals, endpoint, log })
    this.#containers.add(container)
    void container.whenRemoved.then(() => this.#containers.delete(container))
    await this.#startSlot(() => {
      this.#closing.signal.throwIfAborted()
      return container.start(this.#options.launchTimeoutMs)
    }).catch((error: unknown) => {
      this.#endpoints.launched(opened, error)
      void container.remove()
      throw error
    })
    this.#endpoints.launched(opened)
    return container
  }

  claim(kind: RunKind): SandboxClaim | undefined {
    const ready = this.#ready.get(kind.runtime)
    if (this.#closing.signal.aborted || ready?.image !== kind.image || !isPooled(ready.runtime, kind))
      return undefined
    let claimed = ready.pool.take()
    if (claimed === undefined) return undefined
    const give = (): SandboxContainer | undefined => {
      const container = claimed
      claimed = undefined
      return container
    }
    return {
      run: async (order, hooks, signal) => {
        const container = give()
        try {
          return await this.#run(order, hooks, signal, container)
        } finally {
          // Whatever kept it from its run, nobody else shall have it.
          void container?.remove()
        }
      },
      [Symbol.dispose]: () => {
        const container = give()
        if (container !== undefined) ready.pool.giveBack(container)
      },
    }
  }

  run(order: RunOrder, hooks: RunHooks, signal: AbortSignal): Promise<RunOutcome> {
    return this.#run(order, hooks, signal)
  }

  async #run(
    order: RunOrder,
    hooks: RunHooks,
    signal: AbortSignal,
    claimed?: SandboxContainer,
  ): Promise<RunOutcome> {
    const anySignal = AbortSignal.any([signal, this.#closing.signal])
    let started = false
    const watched: RunHooks = {
      onStarted: () => {
        started = true
        hooks.onStarted()
      },
      onOutput: (stream, chunk) => hooks.onOutput(stream, chunk),
    }
    try {
      const ready = await this.#readyFor(order)
      this.#used.add(order.runtime)
      return await this.#runOn(ready, order, watched, anySignal, claimed)
    } catch (error) {
      if (started || error instanceof SandboxUnavailable) throw error
      if (signal.aborted) return { end: 'cancelled', exitCode: null, durationMs: 0, truncated: false }
      this.#seenAt = Number.NEGATIVE_INFINITY
      throw new SandboxUnavailable(`The sandbox could not be started: ${reason(error)}`, error)
    }
  }

  async #readyFor(order: RunOrder): Promise<Ready> {
    const known = () => {
      const ready = this.#ready.get(order.runtime)
      return ready?.image === order.image ? ready : undefined
    }
    if (this.#closing.signal.aborted) throw new SandboxUnavailable('The sandbox is closing.')
    if (known() === undefined) await this.#look()
    const ready = known()
    if (ready !== undefined) return ready
    throw new SandboxUnavailable(
      this.#ready.has(order.runtime)
        ? `The image of the runtime ${order.runtime} is not the one that was approved any more.`
        : (this.#notes[0] ?? `There is no runtime ${order.runtime}.`),
    )
  }

  async #runOn(
    ready: Ready,
    order: RunOrder,
    hooks: RunHooks,
    signal: AbortSignal,
    claimed: SandboxContainer | undefined,
  ): Promise<RunOutcome> {
    if (!isPooled(ready.runtime, { ...order, hasImports: order.imports !== null })) {
      const fresh = await this.#launch(ready.runtime, ready.image, order)
      if (signal.aborted) void fresh.remove()
      signal.throwIfAborted()
      return fresh.run(order, hooks, signal)
    }
    // A container that died while it waited is no reason to fail: the next one may live.
    for (let next = claimed; ; next = undefined) {
      const container = next ?? (await ready.pool.claim(signal))
      try {
        if (!hasPoolResources(order.limits)) await container.updateLimits(order.limits)
      } catch (error) {
        void container.remove()
        throw error
      }
      if (signal.aborted) void container.remove()
      signal.throwIfAborted()
      if (container.alive) return await container.run(order, hooks, signal).finally(() => ready.pool.ended())
      void container.remove()
    }
  }

  #inBackground(work: Promise<unknown>): void {
    const tracked = work.catch((error: unknown) => this.#options.log?.('sandbox clean-up failed', error))
    this.#background.add(tracked)
    void tracked.finally(() => this.#background.delete(tracked))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the sandbox is closing'))
    clearTimeout(this.#nextLook)
    for (const { runtime } of this.#ready.values()) this.#forget(runtime)
    while (this.#containers.size + this.#background.size > 0) {
      const before = this.#containers.size + this.#background.size
      const work = [...[...this.#containers].map((container) => container.remove()), ...this.#background]
      const inTime = await answered(DISPOSE_PATIENCE_MS, () => Promise.all(work)).then(
        () => true,
        () => false,
      )
      if (inTime || this.#containers.size + this.#background.size < before) continue
      this.#options.log?.('the engine does not answer; the next start removes what is left in it')
      return
    }
  }
}

function notBuilt(missing: readonly Runtime[], isBuilding: boolean): string[] {
  const tags = missing.map(imageTag).join(', ')
  if (missing.length === 0) return []
  const images = missing.length === 1 ? `image ${tags} is` : `images ${tags} are`
  return [`The ${images} ${isBuilding ? 'being built' : 'not built; run: npm run images'}`]
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
