import { afterEach, expect, it } from 'vitest'
import { type StopSignals, watchStopSignals } from './stop-signals.ts'

let now = 0
let ended = 0
let watched: StopSignals | undefined
const watch = (): StopSignals => {
  now = 1_000
  ended = 0
  const endNow = (): void => {
    ended += 1
  }
  watched = watchStopSignals({ endNow, now: () => now })
  return watched
}
afterEach(() => watched?.[Symbol.dispose]())

it('what comes within two seconds of the first signal is the same one, whichever it is and however often', () => {
  const { stopped } = watch()
  expect(stopped.aborted).toBe(false)
  process.emit('SIGINT')
  expect(stopped.aborted).toBe(true)
  for (const [signal, at] of [
    ['SIGINT', 1_000],
    ['SIGTERM', 1_050],
    ['SIGHUP', 2_000],
    ['SIGTERM', 3_000],
  ] as const) {
    now = at
    process.emit(signal)
  }
  expect(ended).toBe(0)
})

it('a later one ends the process at once', () => {
  watch()
  process.emit('SIGTERM')
  now = 3_001
  process.emit('SIGTERM')
  expect(ended).toBe(1)
})

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s stops', (signal) => {
  const { stopped } = watch()
  process.emit(signal)
  expect(stopped.aborted).toBe(true)
})
