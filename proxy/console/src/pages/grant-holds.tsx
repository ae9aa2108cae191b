import type { GrantView } from '../../../src/contracts/admin/index.ts'
import { Time } from '../admin/time.tsx'

type Holding = Pick<GrantView, 'level' | 'any_args' | 'expires_at' | 'uses_left' | 'ended_why'>

/** How long, how often, and for which args. */
export const grantHolds = ({ level, any_args, expires_at, uses_left, ended_why }: Holding) => {
  if (ended_why !== null) return <span class="soft">{ended_why === 'used' ? 'used up' : ended_why}</span>
  return (
    <>
      {uses_left !== null && <>{uses_left} uses left </>}
      {expires_at !== null ? (
        <Time at={expires_at} />
      ) : (
        uses_left === null && (level === 'forever' ? 'until revoked' : level)
      )}
      {any_args && <span class="tone-caution"> any args</span>}
    </>
  )
}
