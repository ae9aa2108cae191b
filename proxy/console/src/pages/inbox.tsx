import { useEffect } from 'preact/hooks'
import type { ApprovalSummary } from '../../../src/contracts/admin/index.ts'
import { go } from '../router.ts'
import { views, waiting } from '../state/approvals.ts'
import { byDanger } from '../state/danger.ts'
import { decide, denyChoice, onceInList } from '../state/decide.ts'
import { bindKeys } from '../state/keys.ts'
import { say } from '../state/news.ts'
import { CompactCard, useHold } from '../ui/compact-card.tsx'
import { canDecide } from '../ui/decision-buttons.tsx'
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
