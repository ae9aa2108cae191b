import type { EgressSession } from '../egress/index.ts'
import { RUN_LIMITS, type SecretValue } from '../kernel/index.ts'
import type { LockedImports } from './imports/index.ts'

/** Hard limits of one run. Part of the consent, so a person saw each of them. */
export interface RunLimits {
  readonly timeoutMs: number
  readonly memoryBytes: number
  /** CPU share in thousandths of one core. */
  readonly cpuMillis: number
  readonly pids: number
  readonly tmpBytes: number
  /** What is kept of standard output and standard error together; far beyond it the run is ended. */
  readonly outputBytes: number
}

/** Of a request that asks for nothing else; warm sandboxes wait with them. */
export const RUN_DEFAULTS = {
  ...RUN_LIMITS,
  timeoutSeconds: 30,
  memoryMib: 256,
  cpuMillis: 1_000,
  pids: 64,
  tmpBytes: 64 * 1_048_576,
  outputBytes: 262_144,
} as const

/** One run, exactly as consented. Nothing in it was read from anywhere but the stored consent and the vault. */
export interface RunOrder {
  readonly requestId: string
  readonly runtime: string
  /** Digest of the runtime's image (or binary) that the consent names; another one is refused. */
  readonly image: string
  /** The consented bytes as text; UTF-8 encoding gives back exactly what was hashed. */
  readonly code: string
  /** Canonical JSON for OAUTH3_ARGS, or null when the request had no args. */
  readonly argsJson: string | null
  /** What the code finds in its environment by name: placeholders, and values in raw mode. */
  readonly secrets: ReadonlyMap<string, SecretValue>
  /** Canonical host patterns; empty means no network at all. The gateway evaluates them; a sandbox may hold code to them besides. */
  readonly network: readonly string[]
  /** Let in at the sandbox's endpoint when the code is handed over; null keeps the endpoint shut. */
  readonly egress: EgressSession | null
  /** Modules that the code may import, and no others; null for none. */
  readonly imports: LockedImports | null
  /**
   * Whether the code may make code from text (`"dynamic_code": true` of the consent). False has the runtime refuse
   * that, where it can.
   */
  readonly dynamicCode: boolean
  readonly limits: RunLimits
}

/** What a sandbox is made for, before it is known what runs in it. */
export interface RunKind extends Pick<RunOrder, 'runtime' | 'image' | 'limits' | 'dynamicCode'> {
  readonly hasImports: boolean
}

export type OutputStream = 'stdout' | 'stderr'

export interface RunHooks {
  /** Called once, right before the code is handed over: from here on the run counts as started. */
  onStarted(): void
  /** Output as it arrives, at most `limits.outputBytes` in total. */
  onOutput(stream: OutputStream, chunk: Uint8Array): void
}

type RunEnd = 'exited' | 'timeout' | 'memory_limit' | 'output_limit' | 'cancelled' | 'sandbox_lost'

export interface RunOutcome {
  readonly end: RunEnd
  /** The process's exit code; null when the sandbox ended it or was lost. */
  readonly exitCode: number | null
  readonly durationMs: number
  /** Whether output beyond the limit was dropped. */
  readonly truncated: boolean
}

export interface RuntimeInfo {
  readonly name: string
  /** `sha256:…` of the image (docker) or of the binary (embedded). */
  readonly image: string
}

export interface SandboxStatus {
  readonly kind: 'docker' | 'embedded' | 'unavailable'
  readonly runtimes: readonly RuntimeInfo[]
  /** Why it is unavailable or weaker, for a person; empty when all is well. */
  readonly notes: readonly string[]
  /** Of `unavailable`: what it runs on is being built right now, or a setting names what is not there. */
  readonly cause?: 'building' | 'misconfigured' | undefined
  /** Warm sandboxes that wait now. */
  readonly warm: number
}

/**
 * Where code runs. Implementations: Docker (isolation by the kernel) and embedded (a Deno process with Deno's permissions).
 * `run` throws SandboxUnavailable only if the code was not handed over, so the caller may try again; any
 * ending after `onStarted` is a RunOutcome.
 */
export interface Sandbox extends AsyncDisposable {
  readonly kind: 'docker' | 'embedded'
  /** Removes what an earlier, crashed daemon left behind; resolves to how many things it removed. */
  sweep(): Promise<number>
  /** Begins to fill the warm pool; returns at once. */
  start(): void
  /** A view at most `maxAgeMs` old, by default a few seconds; never throws. An older one is renewed either way. */
  status(maxAgeMs?: number): Promise<SandboxStatus>
  /** Keeps a sandbox that waits for one run of this kind; undefined where none does. Waits for nothing. */
  claim(kind: RunKind): SandboxClaim | undefined
  run(order: RunOrder, hooks: RunHooks, signal: AbortSignal): Promise<RunOutcome>
}

/** Disposed of without a run, the sandbox waits for another one: it was told nothing. `run` is as `Sandbox.run`, once. */
export interface SandboxClaim extends Disposable {
  readonly run: Sandbox['run']
}

/** Nothing was started; `message` says why, for a person. */
export class SandboxUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SandboxUnavailable'
  }
}
