import { daemonTime } from '../state/clock.ts'
import { Ago, Left } from '../ui/time.tsx'

/** The page hears the daemon's time once in a while: what was just now is not still to come. */
const TOLERANCE_MS = 1_000

/** A moment that may lie on either side of now. */
export const Time = ({ at }: { readonly at: number }) =>
  at - (daemonTime.value ?? Date.now()) > TOLERANCE_MS ? <Left until={at} /> : <Ago at={at} />

/** Names that somebody chose: what reorders text in one reorders nothing beside it. */
export function Names({ of, none = '–' }: { readonly of: readonly string[] | null; readonly none?: string }) {
  if (of === null || of.length === 0) return <span class="soft">{none}</span>
  return (
    <ul class="names">
      {of.map((name) => (
        <li key={name}>
          <bdi>{name}</bdi>
        </li>
      ))}
    </ul>
  )
}
