import { computed } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { daemonTime } from '../state/clock.ts'

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** `4 min`, `3 d`: the largest unit that it fills. */
function formatSpan(ms: number): string {
  for (const [unit, size] of UNITS) if (ms >= size) return `${Math.floor(ms / size)} ${unit}`
  return '0 s'
}

/** Made once: to make one takes longer than all the rest of a row. */
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** Of unix milliseconds of the daemon, in the zone of the person. */
export const formatTime = (at: number): string => MOMENT.format(at)

/** How long ago something was, by the daemon's clock. Thousands may be on one page: with each second only a text that is another is drawn anew. */
export function Ago({ at }: { readonly at: number }) {
  const moment = formatTime(at)
  const text = useMemo(
    () =>
      computed(() =>
        daemonTime.value === null ? moment : `${formatSpan(Math.max(0, daemonTime.value - at))} ago`,
      ),
    [at],
  )
  return (
    <time dateTime={new Date(at).toISOString()} title={moment}>
      {text}
    </time>
  )
}

/** How long something is still good, by the daemon's clock. */
export function Left({ until }: { readonly until: number }) {
  const now = daemonTime.value
  if (now === null) return <span>…</span>
  const left = until - now
  return (
    <time
      class={left <= 0 ? 'bad' : left < SOON_MS ? 'caution' : ''}
      dateTime={new Date(until).toISOString()}
      title={formatTime(until)}
    >
      {left <= 0 ? 'expired' : `${formatSpan(left)} left`}
    </time>
  )
}

/** When something is to come, by the daemon's clock: `in 9 min`. */
export function In({ at }: { readonly at: number }) {
  const now = daemonTime.value
  return (
    <time dateTime={new Date(at).toISOString()} title={formatTime(at)}>
      {now === null ? formatTime(at) : at <= now ? 'now' : `in ${formatSpan(at - now)}`}
    </time>
  )
}

const SOON_MS = 60_000

/** That whoever is asked was reminded, behind the other times of a request. */
export function Reminded({ at }: { readonly at: number | null }) {
  if (at === null) return null
  return (
    <>
      {' · reminded '}
      <Ago at={at} />
    </>
  )
}
