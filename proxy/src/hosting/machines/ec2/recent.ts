import type { Clock } from '../../../kernel/index.ts'
import type { MachineKey, MachineRef } from '../machine.ts'

interface Made {
  readonly ref: MachineRef
  /** Of the instance; empty for a template. */
  readonly id: string
  readonly at: number
}

/** How long a list may lack what was made. */
const BEHIND_MS = 120_000
const nameOf = ({ tenant, machine, generation }: MachineRef): string => `${tenant}/${machine}/${generation}`

/** What this process made a moment ago: lists of EC2 are behind, and may lack it. */
export function createRecent(clock: Clock) {
  const made = new Map<string, Made>()
  const isRecent = ({ at }: Made): boolean => clock.now() - at < BEHIND_MS
  return {
    note(ref: MachineRef, id = ''): void {
      for (const [name, one] of made) if (!isRecent(one)) made.delete(name)
      made.set(nameOf(ref), { ref, id, at: clock.now() })
    },
    drop(ref: MachineRef): void {
      made.delete(nameOf(ref))
    },
    idOf(ref: MachineRef): string | undefined {
      const one = made.get(nameOf(ref))
      return one !== undefined && isRecent(one) ? one.id : undefined
    },
    of: (key?: MachineKey): readonly MachineRef[] =>
      [...made.values()]
        .filter(isRecent)
        .map(({ ref }) => ref)
        .filter((ref) => key === undefined || (ref.machine === key.machine && ref.tenant === key.tenant)),
  }
}
