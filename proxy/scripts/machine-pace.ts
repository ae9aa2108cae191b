import { spawnSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'

/** A started and ended Node on a quiet machine of two cores of 2024, in milliseconds. */
const USUAL_START_MS = 45
const MAX_PACE = 8
const PROBES = 3

/**
 * By how much longer than usual this machine takes, now: at least 1. Measured by starting processes, which is what tests
 * wait for most, and by how many want its processors: what is quick now is slow when they come to run.
 */
export function measurePace(): number {
  const starts = Array.from({ length: PROBES }, () => {
    const began = performance.now()
    spawnSync(process.execPath, ['-e', '0'])
    return performance.now() - began
  })
  const slow = Math.min(...starts) / USUAL_START_MS
  const [load = 0] = loadavg()
  return Math.min(MAX_PACE, Math.max(1, slow, load / availableParallelism()))
}
