/** Counts a run's output: passes on what its limit allows, and says when the run has to end for it. */
import type { OutputStream, RunHooks } from '../../domain/executions/index.ts'

export interface OutputMeter {
  take(stream: OutputStream, bytes: Uint8Array): void
  readonly truncated: boolean
  /** Far beyond the limit: the run is to be ended. */
  readonly flooded: boolean
}

const FLOOD_FACTOR = 8
const FLOOD_FLOOR_BYTES = 16 * 1_048_576

export function createOutputMeter(outputBytes: number, hooks: Pick<RunHooks, 'onOutput'>): OutputMeter {
  const floodBytes = Math.max(outputBytes * FLOOD_FACTOR, FLOOD_FLOOR_BYTES)
  let seenBytes = 0
  let keptBytes = 0
  return {
    take(stream, bytes) {
      if (bytes.length === 0) return
      seenBytes += bytes.length
      const room = outputBytes - keptBytes
      if (room <= 0) return
      const kept = bytes.length > room ? bytes.subarray(0, room) : bytes
      keptBytes += kept.length
      hooks.onOutput(stream, kept)
    },
    get truncated() {
      return seenBytes > keptBytes
    },
    get flooded() {
      return seenBytes > floodBytes
    },
  }
}
