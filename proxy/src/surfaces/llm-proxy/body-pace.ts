/** Of the large bodies of one agent; a body costs the event loop its reading, its memory and its sending, by its bytes. */
const BYTES_PER_SECOND = 8 * 1_048_576
/** What may come at once after a while without: one body of the longest that are read. */
const BURST_BYTES = 32 * 1_048_576

export interface BodyPace {
  /** Books what came. For so many milliseconds nothing more of the agent's large bodies is to be taken; 0 for none. */
  took(agentId: string, bytes: number): number
}

/** A token bucket for each agent (RFC 2697 has its form), which may be overdrawn by what comes in one piece. */
export function createBodyPace(now: () => number = () => performance.now()): BodyPace {
  const buckets = new Map<string, { left: number; at: number }>()
  return {
    took(agentId, bytes) {
      const at = now()
      const bucket = buckets.get(agentId) ?? { left: BURST_BYTES, at }
      const refilled = bucket.left + ((at - bucket.at) / 1_000) * BYTES_PER_SECOND
      bucket.left = Math.min(BURST_BYTES, refilled) - bytes
      bucket.at = at
      buckets.set(agentId, bucket)
      return bucket.left >= 0 ? 0 : Math.ceil((-bucket.left / BYTES_PER_SECOND) * 1_000)
    },
  }
}
