import type { RunKind, Sandbox } from '../sandbox/index.ts'
import type { HeldPlace, QueuedRun } from './run-places.ts'

/** A place and a sandbox that waits in it, kept for one run until the unit that begins it has its end. */
export interface HeldRun {
  /** Gives the sandbox to `work`, which never rejects; false where both were given back before. */
  start(work: (runIn: Sandbox['run'], ending: AbortSignal) => Promise<void>): boolean
  /** Code was not handed over: another run may have both. */
  release(): void
}

/** Undefined where the run would have to wait for either. */
export function holdRun(
  places: { hold(run: QueuedRun): HeldPlace | undefined },
  sandbox: Pick<Sandbox, 'claim'>,
  run: QueuedRun,
  kind: RunKind,
): HeldRun | undefined {
  const place = places.hold(run)
  if (place === undefined) return undefined
  const claim = sandbox.claim(kind)
  if (claim === undefined) {
    place.release()
    return undefined
  }
  let isHeld = true
  const take = (): boolean => {
    const was = isHeld
    isHeld = false
    return was
  }
  return {
    start(work) {
      if (!take()) return false
      place.start(async (ending) => {
        using _claimed = claim
        await work(claim.run, ending)
      })
      return true
    },
    release() {
      if (!take()) return
      claim[Symbol.dispose]()
      place.release()
    },
  }
}
