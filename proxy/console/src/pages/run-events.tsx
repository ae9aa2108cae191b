import { useEffect, useState } from 'preact/hooks'
import type { RunEvents } from '../../../src/contracts/admin/index.ts'
import { Section } from '../admin/section.tsx'
import { api } from '../api/client.ts'

type Event = RunEvents['events'][number]

/** As many as a page holds well: of a long run the last ones. */
const MOST_SHOWN = 1_000
const BETWEEN_MS = 150
const AGAIN_MS = 2_000

const LABELS: Readonly<Record<string, string>> = {
  started: 'Started',
  text: 'Answer',
  thinking: 'Thinking',
  tool_use: 'Tool',
  tool_result: 'Of the tool',
  repair: 'Repair',
}

/** Pieces of one text that came in several answers stand as one. */
function added(shown: readonly Event[], news: readonly Event[]): Event[] {
  const all = [...shown]
  for (const one of news) {
    const last = all.at(-1)
    if (last !== undefined && last.event === one.event && (one.event === 'text' || one.event === 'thinking'))
      all[all.length - 1] = { ...last, shown: last.shown + one.shown }
    else all.push(one)
  }
  return all.slice(-MOST_SHOWN)
}

/** What a run tells, as it tells it. */
export function RunEventsOf({
  id,
  isOpen,
  over,
}: {
  readonly id: string
  readonly isOpen: boolean
  /** It has ended: the rest of the page is old. */
  readonly over: () => void
}) {
  const [events, setEvents] = useState<readonly Event[]>([])
  const [isCut, setCut] = useState(false)
  useEffect(() => {
    let isHere = true
    const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
    const follow = async (): Promise<void> => {
      for (let after = 0; isHere; ) {
        try {
          const news = await api.call('followRun', { params: { id }, query: { after: String(after) } })
          if (!isHere) return
          if (news.lost_up_to !== null) setCut(true)
          after = Math.max(after, news.lost_up_to ?? 0, news.last)
          if (news.events.length > 0) setEvents((shown) => added(shown, news.events))
          if (news.over) {
            if (isOpen) over()
            return
          }
          await pause(BETWEEN_MS)
        } catch {
          await pause(AGAIN_MS)
        }
      }
    }
    void follow()
    return () => {
      isHere = false
    }
  }, [id])
  if (events.length === 0) return null
  return (
    <Section title="What it tells">
      {isCut && <p class="soft">Its first events are not kept any more.</p>}
      <ol class="told" aria-label="Events of the run">
        {events.map(({ id: number, event, shown }) => (
          <li key={number}>
            <span class="soft">{LABELS[event] ?? event}</span>
            <bdi class="told-text">{shown}</bdi>
          </li>
        ))}
      </ol>
    </Section>
  )
}
