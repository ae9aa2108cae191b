import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { ApprovalSummary, ApprovalView } from '../../../src/contracts/admin/index.ts'
import { views } from '../state/approvals.ts'
import { Alarms, Fact, SecretFacts } from './card-facts.tsx'
import { counted } from './counted.ts'
import { ShortDecision } from './decision-buttons.tsx'
import { Link } from './link.tsx'
import { RequirementNotes } from './requirements.tsx'
import { ShownText, WholeText } from './shown-line.tsx'
import { Ago, Left, Reminded } from './time.tsx'

const HELD_MS = 400

/**
 * Clickjacking by layout: whoever can ask can time a card to appear under a finger that is on its way to another. Buttons take nothing
 * for a moment after cards have moved; the first card of an empty list moves none.
 */
export function useHold(list: readonly ApprovalSummary[]): boolean {
  const isHeld = useSignal(false)
  const before = useRef<readonly string[]>([])
  // A card that was not read yet grows when it is, and moves those below.
  const ids = list.map(({ id }) => (views.value.has(id) ? id : `${id} unread`))
  const order = ids.join()
  const hasMoved = before.current.some((id, index) => ids[index] !== id)
  before.current = ids
  useEffect(() => {
    if (!hasMoved) return
    isHeld.value = true
    const timer = setTimeout(() => {
      isHeld.value = false
    }, HELD_MS)
    return () => clearTimeout(timer)
  }, [order])
  return isHeld.value || hasMoved
}

/** A request in a list: what matters of it, and the answers that need no more. */
export function CompactCard({
  summary,
  view,
  isHeld,
}: {
  readonly summary: ApprovalSummary
  readonly view: ApprovalView | undefined
  readonly isHeld: boolean
}) {
  const card = view?.shown.form === 'program' ? view.shown.card : undefined
  return (
    <article aria-label={`${summary.summary}, asked by ${summary.agent}`}>
      <header>
        <Link to={`/requests/${summary.id}`} class="title">
          <bdi>{summary.summary}</bdi>
        </Link>
        <span class="soft meta">
          <bdi>{summary.agent}</bdi> · <Ago at={summary.created_at} /> · <Left until={summary.expires_at} />
          <Reminded at={summary.reminded_at} />
        </span>
      </header>
      {view && <RequirementNotes view={view} />}
      {card && (
        <>
          <Alarms card={card} isShort />
          {card.description !== '' && (
            <p class="says">
              <bdi>{card.description}</bdi>
            </p>
          )}
          <dl class="facts">
            <SecretFacts card={card} />
            <Fact name="Sends">
              <bdi class="mono">{card.sends}</bdi>
            </Fact>
            {card.args !== null && (
              <Fact name="Args">
                <bdi class="mono">{card.args}</bdi>
              </Fact>
            )}
            {card.imports !== null && (
              <Fact name="Imports">
                <bdi class="mono">{card.imports}</bdi>
              </Fact>
            )}
          </dl>
          {card.cut && <p class="note">Something was cut here: review all of it before you say yes.</p>}
        </>
      )}
      {view?.shown.form === 'lines' && (
        <div class="lines">
          {view.shown.lines.map((line) => (
            <p key={JSON.stringify(line)}>
              <ShownText line={line} />
            </p>
          ))}
          <WholeText of={view.shown.text} />
        </div>
      )}
      {view?.awaited && <p class="note">{view.awaited}</p>}
      <footer>
        {view && <ShortDecision view={view} isHeld={isHeld} />}
        <Link to={`/requests/${summary.id}`} class="button">
          {card ? `Review the code (${counted(card.code.lines, 'line')})` : 'Review'}
        </Link>
      </footer>
    </article>
  )
}
