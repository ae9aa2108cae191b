import { computed, signal } from '@preact/signals'

/**
 * Clock skew: the browser's time of day is never asked. The daemon tells its own, and the browser's monotonic clock counts on from
 * there, so that a wrong clock neither kills a request nor keeps one alive.
 */
const heard = signal<{ readonly now: number; readonly at: number } | null>(null)
const beats = signal(0)

/** The daemon's time as an answer told it; what took longer on its way does not set the clock back by more than it took. */
export function setDaemonTime(now: number): void {
  heard.value = { now, at: performance.now() }
}

/** The daemon's time now, in unix milliseconds; null until it has told any. */
export const daemonTime = computed(() => {
  beats.value
  return heard.value === null ? null : heard.value.now + (performance.now() - heard.value.at)
})

const BEAT_MS = 1_000

export function startClock(): void {
  setInterval(() => {
    beats.value++
  }, BEAT_MS)
}
