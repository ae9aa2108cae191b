/** Runs code in a sandbox and collects what came of it. */
import type { EgressSession } from '../../src/egress/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import type { LockedImports } from '../../src/sandbox/imports/index.ts'
import { RUN_DEFAULTS, type RunLimits, type RunOutcome, type Sandbox } from '../../src/sandbox/index.ts'

export const TEST_LIMITS: RunLimits = {
  timeoutMs: 20_000,
  memoryBytes: RUN_DEFAULTS.memoryMib * 1_048_576,
  cpuMillis: RUN_DEFAULTS.cpuMillis,
  pids: RUN_DEFAULTS.pids,
  tmpBytes: RUN_DEFAULTS.tmpBytes,
  outputBytes: RUN_DEFAULTS.outputBytes,
}

export interface RunOptions {
  readonly args?: string
  readonly secrets?: Readonly<Record<string, string>>
  readonly network?: readonly string[]
  readonly limits?: Partial<RunLimits>
  readonly egress?: EgressSession
  readonly imports?: LockedImports
  readonly dynamicCode?: boolean
  readonly runtime?: string
  readonly image?: string
  readonly signal?: AbortSignal
  readonly onOutput?: (text: string) => void
}

export interface CollectedRun extends RunOutcome {
  readonly stdout: string
  readonly stderr: string
  readonly stdoutBytes: Buffer
  readonly starts: number
}

export async function runIn(
  sandbox: Pick<Sandbox, 'run' | 'status'>,
  code: string,
  options: RunOptions = {},
): Promise<CollectedRun> {
  const runtime = options.runtime ?? 'deno'
  const { runtimes } = await sandbox.status()
  const image = options.image ?? runtimes.find(({ name }) => name === runtime)?.image ?? 'none'
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  let starts = 0
  const outcome = await sandbox.run(
    {
      requestId: 'req_test',
      runtime,
      image,
      code,
      argsJson: options.args ?? null,
      secrets: new Map(
        Object.entries(options.secrets ?? {}).map(([name, value]) => [name, new SecretValue(value)]),
      ),
      network: options.network ?? [],
      egress: options.egress ?? null,
      imports: options.imports ?? null,
      dynamicCode: options.dynamicCode ?? false,
      limits: { ...TEST_LIMITS, ...options.limits },
    },
    {
      onStarted: () => {
        starts += 1
      },
      onOutput: (stream, chunk) => {
        chunks[stream].push(Uint8Array.from(chunk))
        options.onOutput?.(Buffer.from(chunk).toString('utf8'))
      },
    },
    options.signal ?? new AbortController().signal,
  )
  const stdoutBytes = Buffer.concat(chunks.stdout)
  return {
    ...outcome,
    stdoutBytes,
    stdout: stdoutBytes.toString('utf8'),
    stderr: Buffer.concat(chunks.stderr).toString('utf8'),
    starts,
  }
}
