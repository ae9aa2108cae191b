import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { ApprovalSummary, ApprovalView } from '../../../src/contracts/admin/index.ts'
import { go } from '../router.ts'
import { views, waiting } from '../state/approvals.ts'
import { byDanger } from '../state/danger.ts'
import { decide, denyChoice, onceInList } from '../state/decide.ts'
import { bindKeys } from '../state/keys.ts'
import { say } from '../state/news.ts'
import { Alarms, Fact, SecretFacts } from '../ui/card-facts.tsx'
import { counted } from '../ui/counted.ts'
import { canDecide, ShortDecision } from '../ui/decision-buttons.tsx'
import { Link } from '../ui/link.tsx'
import { RequirementNotes } from '../ui/requirements.tsx'
import { ShownText, WholeText } from '../ui/shown-line.tsx'
import { Ago, Left, Reminded } from '../ui/time.tsx'
import { FirstSteps } from './first-steps.tsx'

/** What waits for an answer: the most dangerous first. */
export function Inbox() {
  const list = waiting.value
  if (list === null) return <p class="empty">Loading …</p>
  if (list.length === 0) return <FirstSteps />
  return <Waiting list={byDanger(list, views.value)} />
}

function Waiting({ list }: { readonly list: readonly ApprovalSummary[] }) {
  const isHeld = useHold(list)
  useListKeys()
  return (
    <>
      <header class="page-head">
        <h1>Inbox</h1>
        <p class="soft">{list.length === 1 ? '1 request waits' : `${list.length} requests wait`} for you</p>
      </header>
      <ul class="cards">
        {list.map((one) => (
          <li key={one.id} data-request={one.id} class="card">
            <CompactCard summary={one} view={views.value.get(one.id)} isHeld={isHeld} />
          </li>
        ))}
      </ul>
    </>
  )
}

const HELD_MS = 400

/**
 * Clickjacking by layout: whoever can ask can time a card to appear under a finger that is on its way to another. Buttons take nothing
 * for a moment after cards have moved; the first card of an empty list moves none.
 */
function useHold(list: readonly ApprovalSummary[]): boolean {
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

function CompactCard({
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

/** Where the keyboard stands: the card that holds the focus. */
const chosenCard = (): HTMLElement | null =>
  document.activeElement?.closest<HTMLElement>('[data-request]') ?? null

const allCards = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('[data-request]')]

function choose(card: HTMLElement | undefined): void {
  card?.querySelector('a')?.focus()
  card?.scrollIntoView({ block: 'nearest' })
}

function move(by: number): void {
  const cards = allCards()
  const chosen = chosenCard()
  const at = chosen === null ? (by > 0 ? -1 : 0) : cards.indexOf(chosen)
  choose(cards[Math.min(cards.length - 1, Math.max(0, at + by))])
}

/** An answer by key goes to the card that is seen to be chosen, never to one that nobody chose. */
function answer(choiceOf: typeof onceInList, says: string): void {
  const chosen = chosenCard()
  if (chosen === null) {
    choose(allCards()[0])
    say(`Press the key again to ${says} the chosen request.`)
    return
  }
  const view = views.peek().get(chosen.dataset.request ?? '')
  const choice = view && choiceOf(view)
  if (view === undefined || choice === undefined) {
    go(`/requests/${chosen.dataset.request}`)
    return
  }
  if (!canDecide(view)) return
  const cards = allCards()
  choose(cards[cards.indexOf(chosen) + 1] ?? cards[cards.indexOf(chosen) - 1])
  void decide(view, choice.choice)
}

function useListKeys(): void {
  useEffect(
    () =>
      bindKeys([
        { key: 'j', says: 'next request', run: () => move(1) },
        { key: 'k', says: 'request before', run: () => move(-1) },
        {
          key: 'Enter',
          says: 'open the chosen request',
          run: () => chosenCard()?.querySelector('a')?.click(),
        },
        { key: 'a', says: 'approve once', run: () => answer(onceInList, 'approve') },
        { key: 'd', says: 'deny', run: () => answer(denyChoice, 'deny') },
      ]),
    [],
  )
}
