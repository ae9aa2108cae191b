import { describe, expect, it } from 'vitest'
import { type DesiredState, MACHINE_STATES, type MachineState } from './machine.ts'
import { type Cause, canBecome, holdsMemory, mayAsk, TRANSIENT } from './transitions.ts'

const CAUSES: readonly Cause[] = ['asked', 'done', 'drift', 'fault']
const nextOf = (from: MachineState, causes = CAUSES): MachineState[] =>
  MACHINE_STATES.filter((to) => causes.some((cause) => canBecome(from, to, cause)))

describe('the states of a machine', () => {
  it('are all reached from a new one', () => {
    const reached = new Set<MachineState>(['creating'])
    for (const state of reached) for (const next of nextOf(state)) reached.add(next)
    expect([...reached].sort()).toEqual([...MACHINE_STATES].sort())
  })

  it('lead from each but deleted to deletion, and out of failed to life, sleep and deletion', () => {
    for (const state of MACHINE_STATES)
      if (state !== 'deleted' && state !== 'deleting')
        expect([state, canBecome(state, 'deleting', 'asked')]).toEqual([state, true])
    expect(nextOf('failed')).toEqual(['asleep', 'waking', 'deleting'])
    expect(nextOf('deleted')).toEqual([])
  })

  it('that are passed through have a deadline and fail by it, and no others have one', () => {
    for (const state of MACHINE_STATES) {
      const isPassed = nextOf(state, ['done']).length > 0 && state !== 'failed'
      expect([state, TRANSIENT[state] !== undefined]).toEqual([state, isPassed])
      if (isPassed) expect([state, canBecome(state, 'failed', 'fault')]).toEqual([state, true])
    }
  })

  it('with a process in them take memory', () => {
    expect(MACHINE_STATES.filter(holdsMemory)).toEqual([
      'starting',
      'running',
      'pausing',
      'paused',
      'stopping',
      'waking',
    ])
  })

  it('are wanted by whoever may: an access wakes, the ladder lowers, the owner does all, deletion is for good', () => {
    const all: readonly DesiredState[] = ['awake', 'paused', 'asleep', 'deleted']
    const may = (asker: 'owner' | 'access' | 'ladder', from: DesiredState) =>
      all.filter((to) => mayAsk(asker, from, to))
    expect(may('owner', 'awake')).toEqual(all)
    expect(may('access', 'asleep')).toEqual(['awake'])
    expect(may('ladder', 'awake')).toEqual(['paused', 'asleep'])
    for (const asker of ['owner', 'access', 'ladder'] as const)
      expect([asker, may(asker, 'deleted')]).toEqual([asker, asker === 'owner' ? ['deleted'] : []])
  })
})
