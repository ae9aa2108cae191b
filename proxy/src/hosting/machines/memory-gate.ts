import { createFairQueue, type MachineId, type TenantId } from '../../kernel/index.ts'

/**
 * Admission by memory: what is awake or paused has its memory from here, so that a storm of wakes waits instead of making the host
 * swap. Tenants take turns; who is next waits for enough and is passed by nobody smaller.
 */
export interface MemoryGate {
  /** Whether it has its memory now; otherwise it is in the queue, and `granted` tells. */
  take(id: MachineId, tenant: TenantId, bytes: number): boolean
  /** Counted whether or not it fits: it is there. */
  force(id: MachineId, bytes: number): void
  /** Gives it back, or leaves the queue. */
  drop(id: MachineId): void
  /** Which of those that wait it is, from 1, as things stand; undefined: it waits for none. */
  turnOf(id: MachineId): number | undefined
  readonly heldBytes: number
  /** What those that wait lack. */
  readonly lackingBytes: number
}

interface Waiting {
  readonly id: MachineId
  readonly tenant: TenantId
  readonly bytes: number
}

/** Rows are bounded by quotas; this is beyond any of them. */
const MAX_WAITING = 100_000

export function createMemoryGate(capacityBytes: number, granted: (id: MachineId) => void): MemoryGate {
  const held = new Map<MachineId, number>()
  const waiting = new Map<MachineId, Waiting>()
  const queue = createFairQueue<Waiting>({ perOwner: MAX_WAITING, total: MAX_WAITING })
  let heldBytes = 0
  let waitingBytes = 0
  let next: Waiting | undefined

  const hold = (id: MachineId, bytes: number): void => {
    heldBytes += bytes - (held.get(id) ?? 0)
    held.set(id, bytes)
  }
  const leaveQueue = (id: MachineId): void => {
    const one = waiting.get(id)
    if (one === undefined) return
    waiting.delete(id)
    waitingBytes -= one.bytes
    if (next === one) next = undefined
    else queue.remove(one.tenant, one)
  }
  /** `asking` has its answer without being told. */
  const pump = (asking?: MachineId): void => {
    for (;;) {
      next ??= queue.shift()?.item
      if (next === undefined || heldBytes + next.bytes > capacityBytes) return
      const { id, bytes } = next
      leaveQueue(id)
      hold(id, bytes)
      if (id !== asking) granted(id)
    }
  }

  return {
    take(id, tenant, bytes) {
      if (held.has(id)) return true
      if (waiting.has(id)) return false
      const one = { id, tenant, bytes }
      if (!queue.push(tenant, one)) return false
      waiting.set(id, one)
      waitingBytes += bytes
      pump(id)
      return held.has(id)
    },
    force(id, bytes) {
      leaveQueue(id)
      hold(id, bytes)
    },
    drop(id) {
      leaveQueue(id)
      heldBytes -= held.get(id) ?? 0
      held.delete(id)
      pump()
    },
    turnOf(id) {
      const one = waiting.get(id)
      if (one === undefined) return undefined
      if (one === next) return 1
      return (next === undefined ? 1 : 2) + (queue.ahead(one.tenant, one) ?? 0)
    },
    get heldBytes() {
      return heldBytes
    },
    get lackingBytes() {
      return Math.max(0, waitingBytes - Math.max(0, capacityBytes - heldBytes))
    },
  }
}
