import { RUN_DEFAULTS, type RunKind, type RunLimits } from '../../index.ts'
import type { Runtime } from '../../runtimes/index.ts'

/** What a container of the warm pool is created with; the limits of a request that asks for nothing special. */
export const POOL_LIMITS: RunLimits = {
  timeoutMs: RUN_DEFAULTS.timeoutSeconds * 1_000,
  memoryBytes: RUN_DEFAULTS.memoryMib * 1_048_576,
  cpuMillis: RUN_DEFAULTS.cpuMillis,
  pids: RUN_DEFAULTS.pids,
  tmpBytes: RUN_DEFAULTS.tmpBytes,
  outputBytes: RUN_DEFAULTS.outputBytes,
}

/** Whether one of the pool will do: all else of a container that waits already can still be changed. */
export const isPooled = (
  runtime: Runtime,
  { limits, hasImports, dynamicCode }: Omit<RunKind, 'image' | 'runtime'>,
): boolean =>
  limits.tmpBytes === POOL_LIMITS.tmpBytes && !hasImports && !(dynamicCode && runtime.wallsDynamicCode)

/** Whether a container of the pool has these resources as it is. */
export const hasPoolResources = ({ memoryBytes, cpuMillis, pids }: RunLimits): boolean =>
  memoryBytes === POOL_LIMITS.memoryBytes && cpuMillis === POOL_LIMITS.cpuMillis && pids === POOL_LIMITS.pids
