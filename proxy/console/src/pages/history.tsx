import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import type { ApprovalSummary, ApprovalView } from '../../../src/contracts/admin/index.ts'
import { api } from '../api/client.ts'
import { oneAtATime } from '../state/one-at-a-time.ts'
import { onEvent } from '../state/stream.ts'
import { AskAgain, Kin } from '../ui/ask-again.tsx'
import { Link } from '../ui/link.tsx'
import { useSeen } from '../ui/seen.tsx'
import { Ago } from '../ui/time.tsx'
import { StateBadge } from './request.tsx'

/** The newest that no longer wait; null before they are read. */
const settled = signal<readonly ApprovalSummary[] | null>(null)

const read = oneAtATime(async () => {
  const { approvals } = await api.call('listApprovals', { query: { all: '1' } })
  settled.value = approvals.filter(({ waiting }) => !waiting)
})

const isOfLists = (type: string): boolean =>
  type === 'reset' || type.startsWith('approval.') || type === 'execution.changed'

/** What was answered or is over: who, when, by which channel, and what came of it. */
export default function History() {
  useEffect(() => {
    read()
    return onEvent(({ type }) => {
      if (isOfLists(type)) read()
    })
  }, [])
  const list = settled.value
  return (
    <>
      <header class="page-head">
        <h1>History</h1>
      </header>
      {list === null && <p class="empty">Loading …</p>}
      {list?.length === 0 && <p class="empty">Nothing has been answered yet.</p>}
      <ul class="rows">
        {list?.map((one) => (
          <li key={one.id}>
            <Row summary={one} />
          </li>
        ))}
      </ul>
    </>
  )
}

type Decided = NonNullable<ApprovalView['outcome']['decided']>

/** By id and state: what has ended stays as it is. */
const answers = new Map<string, Decided | null>()

function useAnswer({ id, status }: ApprovalSummary, isSeen: boolean): Decided | null {
  const key = `${id} ${status}`
  const [, drawAgain] = useState(0)
  useEffect(() => {
    if (!isSeen || answers.has(key)) return
    api.call('readApproval', { params: { id } }).then(
      ({ outcome }) => {
        answers.set(key, outcome.decided)
        drawAgain((count) => count + 1)
      },
      () => undefined,
    )
  }, [id, key, isSeen])
  return answers.get(key) ?? null
}

function Row({ summary }: { readonly summary: ApprovalSummary }) {
  const [ref, isSeen] = useSeen<HTMLDivElement>()
  const decided = useAnswer(summary, isSeen)
  const channels = [...new Set(summary.approvals.map(({ channel }) => channel))]
  return (
    <div ref={ref}>
      <Link to={`/requests/${summary.id}`} class="row">
        <StateBadge view={summary} />
        <bdi class="title">{summary.summary}</bdi>
        <span class="soft meta">
          {decided === null ? (
            <>
              <bdi>{summary.agent}</bdi> asked <Ago at={summary.created_at} />
            </>
          ) : (
            <>
              <bdi>{summary.agent}</bdi> · {decided.answer} by <bdi>{decided.by}</bdi>
              {channels.length > 0 && ` (${channels.join(', ')})`} · <Ago at={decided.at} />
            </>
          )}
        </span>
      </Link>
      {(summary.can_ask_again || summary.superseded_by !== null || summary.again_of !== null) && (
        <div class="row-acts">
          <AskAgain view={summary} />
          <Kin view={summary} />
        </div>
      )}
    </div>
  )
}
