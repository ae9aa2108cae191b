/**
 * One container of the Docker sandbox, from its creation to its removal. It is started with nothing to run and
 * says when its runner waits; then it takes exactly one run.
 */

import type { Duplex, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type Docker from 'dockerode'
import type { EgressEndpoint, EgressSession } from '../../../egress/index.ts'
import { answered, CALL_TIMEOUT_MS, EngineTimeout, engineStatus, resourceLimits } from '../../engine/index.ts'
import type { OutputStream, RunHooks, RunOrder, RunOutcome } from '../../index.ts'
import { createOutputMeter } from '../output-meter.ts'
import { encodeRunMessage, newEndMarker, READY_LINE, sendRunMessage } from '../run-message.ts'
import { createFrameReader } from './docker-frames.ts'
import { createMarkerScanner } from './end-marker.ts'
import type { Removals } from './removals.ts'

const READY_TIMEOUT_MS = 20_000
/** From the first call to the waiting runner. */
const LAUNCH_TIMEOUT_MS = 30_000
/** How long the engine may take to notice that a process has ended. */
const SETTLE_TIMEOUT_MS = 5_000
/** The exit code of a process that was killed, by the memory's end or otherwise (128 + SIGKILL). */
const KILLED = 137
const MEMORY_TOLD_MS = 400
/** How long a process that announced its end may live on. */
const EXIT_GRACE_MS = 100
const REMOVE_ATTEMPTS = 4

const STDERR_TAIL_BYTES = 2_048
const HEAP_EXHAUSTED = 'JavaScript heap out of memory'

/** A waiting process that was handed over to a caller with a protocol of its own. The caller removes the container in the end. */
export interface Conversation {
  readonly input: Writable
  /** The process has ended, or the engine let go of it. */
  readonly ended: Promise<void>
  /** Resolves when the engine has been told, or did not answer. */
  kill(): Promise<void>
  /** How it ended; null when the engine cannot tell. */
  finalState(): Promise<{ readonly ExitCode: number; readonly OOMKilled: boolean } | null>
}

export class SandboxContainer implements AsyncDisposable {
  readonly #docker: Docker
  readonly #config: Docker.ContainerCreateOptions
  readonly #removals: Removals
  readonly #endpoint: EgressEndpoint | null
  readonly #log: (message: string, error?: unknown) => void
  #creating: Promise<Docker.Container> | undefined
  #container: Docker.Container | undefined
  #stream: Duplex | undefined
  #onBytes: (stream: OutputStream, bytes: Buffer) => void = () => {}
  #removal: Promise<void> | undefined
  #closed = false
  #ended = false
  #isStopped = false
  #handedOver = false
  readonly #whenClosed = Promise.withResolvers<void>()
  readonly #whenRemoved = Promise.withResolvers<void>()

  constructor(deps: {
    readonly docker: Docker
    readonly config: Docker.ContainerCreateOptions
    readonly removals: Removals
    /** This container's own; closed when the container goes. */
    readonly endpoint: EgressEndpoint | null
    readonly log: (message: string, error?: unknown) => void
  }) {
    this.#docker = deps.docker
    this.#config = deps.config
    this.#removals = deps.removals
    this.#endpoint = deps.endpoint
    this.#log = deps.log
  }

  /** Known before the engine knows the container, so that a sweep never takes it for a leftover. */
  get name(): string {
    return this.#config.name ?? ''
  }

  /** Whether the runner still waits, as far as the open connection tells. */
  get alive(): boolean {
    return this.#stream !== undefined && !this.#closed && this.#removal === undefined
  }

  get whenClosed(): Promise<void> {
    return this.#whenClosed.promise
  }

  get whenRemoved(): Promise<void> {
    return this.#whenRemoved.promise
  }

  /** Creates, attaches, starts, and resolves once the runner waits for its message. */
  async start(timeoutMs = LAUNCH_TIMEOUT_MS): Promise<void> {
    try {
      await answered(timeoutMs, (abortSignal) => this.#boot(abortSignal))
    } catch (error) {
      void this.remove()
      throw error
    }
  }

  async #boot(abortSignal: AbortSignal): Promise<void> {
    // Without the signal: what the engine creates too late has to be known to be removed.
    this.#creating = this.#docker.createContainer(this.#config)
    this.#container = await this.#creating
    if (this.#removal !== undefined) throw new Error('the sandbox is closing')
    // Attached before the start, so that not a byte can be missed.
    const stream = (await this.#container.attach({
      stream: true,
      stdin: true,
      stdout: true,
      stderr: true,
      hijack: true,
      abortSignal,
    })) as Duplex
    this.#stream = stream
    const close = () => {
      this.#closed = true
      this.#whenClosed.resolve()
    }
    stream.on('end', close).on('close', close).on('error', close)
    stream.on(
      'data',
      createFrameReader((name, bytes) => this.#onBytes(name, bytes)),
    )
    const ready = this.#readyLine()
    await this.#container.start({ abortSignal })
    await ready
  }

  #readyLine(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(
      () => reject(new Error('the sandbox did not become ready in time')),
      READY_TIMEOUT_MS,
    )
    let seen = Buffer.alloc(0)
    this.#onBytes = (_name, bytes) => {
      seen = Buffer.concat([seen, bytes])
      if (seen.length < READY_LINE.length) return
      if (seen.equals(READY_LINE)) resolve()
      else reject(new Error(`the sandbox did not boot: ${seen.toString('utf8').slice(0, 300)}`))
    }
    void this.#whenClosed.promise.then(() =>
      reject(new Error(`the sandbox ended before it was ready: ${seen.toString('utf8').slice(0, 300)}`)),
    )
    const ready = promise.finally(() => clearTimeout(timer))
    // Nobody waits for it when the engine fails the start itself.
    ready.catch(() => {})
    return ready
  }

  /** Gives a waiting container other limits than it was created with. */
  async updateLimits(limits: RunOrder['limits']): Promise<void> {
    await answered(CALL_TIMEOUT_MS, async (abortSignal) =>
      this.#container?.update({ ...resourceLimits(limits), abortSignal }),
    )
  }

  /** Hands the run over and stays until it has ended. Never throws once `onStarted` was called. */
  async run(order: RunOrder, hooks: RunHooks, signal: AbortSignal): Promise<RunOutcome> {
    const stream = this.#stream
    if (stream === undefined || !this.alive) throw new Error('the sandbox is gone')
    const meter = createOutputMeter(order.limits.outputBytes, hooks)
    const end = newEndMarker()
    const scanners = { stdout: createMarkerScanner(end), stderr: createMarkerScanner(end) }
    const stopped = Promise.withResolvers<RunOutcome['end']>()
    const announced = Promise.withResolvers<number>()
    let stderrTail = Buffer.alloc(0)

    this.#onBytes = (name, bytes) => {
      const output = scanners[name].push(bytes)
      meter.take(name, output)
      if (name === 'stderr') stderrTail = Buffer.concat([stderrTail, output]).subarray(-STDERR_TAIL_BYTES)
      if (meter.flooded) stopped.resolve('output_limit')
      const code = scanners.stdout.exitCode
      if (code !== null && scanners.stderr.exitCode !== null) announced.resolve(code)
    }

    const message = encodeRunMessage(order, { end })
    if (order.egress !== null) this.#endpoint?.bindSession(order.egress)
    this.#handedOver = true
    hooks.onStarted()
    const startedAt = performance.now()
    sendRunMessage(stream, message)
    const timer = setTimeout(() => stopped.resolve('timeout'), order.limits.timeoutMs)
    const cancel = () => stopped.resolve('cancelled')
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })

    const outcome = (ending: RunOutcome['end'], exitCode: number | null): RunOutcome => ({
      end: ending,
      exitCode,
      durationMs: performance.now() - startedAt,
      truncated: meter.truncated,
    })
    try {
      const first = await Promise.race([
        announced.promise.then((exitCode) => ({ exitCode })),
        stopped.promise.then((ending) => ({ ending })),
        this.#whenClosed.promise.then(() => null),
      ])
      if (first !== null && 'ending' in first) {
        this.#isStopped = first.ending === 'cancelled'
        await (this.#isStopped ? this.remove() : this.#kill())
        return outcome(first.ending, null)
      }
      if (first !== null) {
        this.#ended = true
        return outcome('exited', first.exitCode)
      }
      for (const name of ['stdout', 'stderr'] as const) meter.take(name, scanners[name].flush())
      const state = await this.#finalState()
      if (state === null) return outcome('sandbox_lost', null)
      if (state.OOMKilled) return outcome('memory_limit', null)
      if (state.ExitCode >= 128 && stderrTail.includes(HEAP_EXHAUSTED)) return outcome('memory_limit', null)
      // Code that chooses such a code announces it. The first process of a namespace takes no deadly signal from
      // within, so it was killed from outside; 255 is what an engine says of a process that it lost.
      if (state.ExitCode >= 128) return outcome('sandbox_lost', null)
      return outcome('exited', state.ExitCode)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
      this.#onBytes = () => {}
      void this.remove()
    }
  }

  /** Once, instead of `run`. Throws where the process does not wait any more. */
  converse(
    onBytes: (stream: OutputStream, bytes: Buffer) => void,
    egress: EgressSession | null,
  ): Conversation {
    const stream = this.#stream
    if (stream === undefined || !this.alive || this.#handedOver) throw new Error('the sandbox is gone')
    if (egress !== null) this.#endpoint?.bindSession(egress)
    this.#handedOver = true
    this.#onBytes = onBytes
    return {
      input: stream,
      ended: this.#whenClosed.promise,
      kill: () => this.#kill(),
      finalState: () => this.#finalState(),
    }
  }

  /** Sends one message and passes on what comes back, until the process has ended or the signal aborts. */
  async exchange(
    message: Buffer,
    onBytes: (stream: OutputStream, bytes: Buffer) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const stream = this.#stream
    if (stream === undefined || !this.alive) throw new Error('the sandbox is gone')
    const aborted = Promise.withResolvers<never>()
    const abort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      signal.throwIfAborted()
      this.#onBytes = onBytes
      stream.end(message)
      await Promise.race([this.#whenClosed.promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
      this.#onBytes = () => {}
      void this.remove()
    }
  }

  async #kill(): Promise<void> {
    await answered(CALL_TIMEOUT_MS, async (abortSignal) =>
      this.#container?.kill({ signal: 'SIGKILL', abortSignal }),
    ).catch(() => {})
  }

  /** The state after the process has ended; null when the engine cannot tell. */
  async #finalState(): Promise<{ ExitCode: number; OOMKilled: boolean } | null> {
    const deadline = performance.now() + SETTLE_TIMEOUT_MS
    let stopped: number | undefined
    while (performance.now() < deadline) {
      const state = await answered(SETTLE_TIMEOUT_MS, async (abortSignal) =>
        this.#container?.inspect({ abortSignal }),
      ).then(
        (info) => info?.State,
        () => null,
      )
      if (state === null || state === undefined) return null
      stopped ??= state.Running ? undefined : performance.now()
      // Engines may tell of the memory's end only after they have told of the process's.
      const mayBeMemory = state.ExitCode === KILLED && !state.OOMKilled
      if (stopped !== undefined && !(mayBeMemory && performance.now() - stopped < MEMORY_TOLD_MS))
        return state
      await delay(20)
    }
    await this.#kill()
    return null
  }

  /** Removes the container, running or not. Resolves when it is gone or the engine could not be reached. */
  remove(): Promise<void> {
    this.#removal ??= this.#remove().finally(() => this.#whenRemoved.resolve())
    return this.#removal
  }

  async #remove(): Promise<void> {
    // First of all after a run, and whatever the engine does: nothing goes out any more.
    const shut = this.#handedOver ? this.#closeEndpoint() : undefined
    const removed = this.#removeCreated()
    // A launch that is given up may still be mounting its endpoint; an engine that hangs is not waited for without end.
    if (!this.#handedOver) {
      await Promise.race([removed, delay(CALL_TIMEOUT_MS, undefined, { ref: false })])
      await this.#closeEndpoint()
    }
    await Promise.all([removed, shut])
    this.#stream?.destroy()
  }

  async #closeEndpoint(): Promise<void> {
    await this.#endpoint
      ?.close()
      .catch((error: unknown) => this.#log('an egress endpoint could not be closed', error))
  }

  async #removeCreated(): Promise<void> {
    // Takes no slot while it waits: an engine that never answers is not to keep others from their removal.
    const container = await this.#creating?.catch(() => undefined)
    if (container === undefined) return
    // What a person stopped runs still: it waits for no removal of what has ended, and the engine kills what it removes.
    if (this.#isStopped) return await this.#removeNow(container)
    // After an announced end the process is about to be gone: quicker to let it than to kill it.
    if (!this.#closed && this.#ended) await Promise.race([this.#whenClosed.promise, delay(EXIT_GRACE_MS)])
    // Only what has ended may wait for others.
    await this.#removals[this.#closed ? 'later' : 'now'](() => this.#removeNow(container))
  }

  async #removeNow(container: Docker.Container): Promise<void> {
    for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt += 1) {
      try {
        await answered(CALL_TIMEOUT_MS, (abortSignal) =>
          container.remove({ force: true, v: true, abortSignal }),
        )
        return
      } catch (error) {
        // A sweep finds it when the engine answers again.
        if (engineStatus(error) === 404 || error instanceof EngineTimeout) return
        await delay(100 * 4 ** attempt)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove()
  }
}
