import type { HostedAgentView } from '../../../src/contracts/admin/index.ts'
import { In } from './time.tsx'

const NEXT = { paused: 'is paused', asleep: 'goes to sleep' } as const

/** What it is doing, and what comes next by itself. */
export function HostState({ host }: { readonly host: HostedAgentView }) {
  const { state, next, next_at, because, memory_queue_position, last_error } = host
  return (
    <div>
      {state}
      {next !== null && next_at !== null && (
        <p class="soft">
          It {NEXT[next]} <In at={next_at} />, because {because}.
        </p>
      )}
      {memory_queue_position !== null && <p class="soft">To wake, {because}.</p>}
      {last_error !== null && (
        <p class="tone-bad">
          <bdi>{last_error}</bdi>
        </p>
      )}
    </div>
  )
}
