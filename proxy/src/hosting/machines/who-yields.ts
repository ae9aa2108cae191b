import type { UnixMs } from '../../kernel/index.ts'
import { isOpen, type LiveMachine } from './live-machine.ts'
import { holdsMemory } from './transitions.ts'

/** Whoever was used so lately is not put to sleep for others. */
const SPARED_MS = 30_000

/** The least recently used give their memory to those that wait for some: first who is paused, then who is idle. */
export function whoYields(
  lives: Iterable<LiveMachine>,
  lackingBytes: number,
  now: UnixMs,
): readonly LiveMachine[] {
  if (lackingBytes === 0) return []
  const all = [...lives].sort((a, b) => a.activeAt - b.activeAt)
  let lacking = lackingBytes
  for (const { row, yielding } of all)
    if (yielding || (row.desired === 'asleep' && holdsMemory(row.observed))) lacking -= row.spec.memoryBytes
  const idle = (live: LiveMachine): boolean =>
    live.calls === 0 && live.waiters.size === 0 && live.row.spec.sleepAfterMs !== null && !live.yielding
  const victims = [
    ...all.filter((live) => live.row.observed === 'paused' && live.row.desired === 'paused' && idle(live)),
    ...all.filter((live) => isOpen(live) && idle(live) && now - live.activeAt >= SPARED_MS),
  ]
  return victims.filter(({ row }) => {
    const isNeeded = lacking > 0
    if (isNeeded) lacking -= row.spec.memoryBytes
    return isNeeded
  })
}
