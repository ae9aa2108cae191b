/** Counts a run's output: passes on what its limit allows, and says when the run has to end for it. */
import type { OutputStream, RunHooks } from '../index.ts'

const FLOOD_FACTOR = 8
const FLOOD_FLOOR_BYTES = 16 * 1_048_576

export function createOutputMeter(outputBytes: number, hooks: Pick<RunHooks, 'onOutput'>) {
  const floodBytes = Math.max(outputBytes * FLOOD_FACTOR, FLOOD_FLOOR_BYTES)
  let seenBytes = 0
  let keptBytes = 0
  return {
    take(stream: OutputStream, bytes: Uint8Array): void {
      if (bytes.length === 0) return
      seenBytes += bytes.length
      const room = outputBytes - keptBytes
      if (room <= 0) return
      const kept = bytes.length > room ? bytes.subarray(0, room) : bytes
      keptBytes += kept.length
      hooks.onOutput(stream, kept)
    },
    get truncated(): boolean {
      return seenBytes > keptBytes
    },
    /** Far beyond the limit: the run is to be ended. */
    get flooded(): boolean {
      return seenBytes > floodBytes
    },
  }
}
