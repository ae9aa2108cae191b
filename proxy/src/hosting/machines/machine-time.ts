import { DAY_MS, type UnixMs, utcDay } from '../../kernel/index.ts'
import type { Machine, MachineDay, MachineState, MachineTime } from './machine.ts'
import { holdsMemory } from './transitions.ts'

/** A span in one state, by the days in UTC that it touches; nothing where the clock was set back meanwhile. */
export function timeByDay(state: MachineState, from: UnixMs, until: UnixMs): readonly MachineDay[] {
  if (!holdsMemory(state)) return []
  const days: MachineDay[] = []
  for (let at = from; at < until; ) {
    const end = Math.min(until, (Math.floor(at / DAY_MS) + 1) * DAY_MS)
    days.push({ day: utcDay(at), heldMs: end - at, awakeMs: state === 'running' ? end - at : 0 })
    at = end
  }
  return days
}

/** What was counted already, and what the state that it is in adds until now. */
export function timeSince(
  { observed, changedAt }: Machine,
  counted: readonly MachineDay[],
  sinceDay: string,
  now: UnixMs,
): MachineTime {
  const open = timeByDay(observed, changedAt, now).filter(({ day }) => day >= sinceDay)
  return [...counted, ...open].reduce(
    (sum, { awakeMs, heldMs }) => ({ awakeMs: sum.awakeMs + awakeMs, heldMs: sum.heldMs + heldMs }),
    { awakeMs: 0, heldMs: 0 },
  )
}
