import { createRef } from 'preact'
import { useState } from 'preact/hooks'
import type { ApprovalChoiceView, ApprovalView } from '../../../src/contracts/admin/index.ts'
import { isExpired } from '../state/approvals.ts'
import { choiceText, decide, deciding, denyChoice, onceChoice, onceInList } from '../state/decide.ts'
import { ConfirmChoice } from './confirm-choice.tsx'

/** Whether an answer would be taken now, as far as the page knows. */
export const canDecide = (view: ApprovalView): boolean =>
  view.waiting && !isExpired(view) && !deciding.value.has(view.id)

/** Approve once and deny, for a card in a list; what has no such choice is answered on its page. */
export function ShortDecision({ view, isHeld }: { readonly view: ApprovalView; readonly isHeld: boolean }) {
  const isDead = !canDecide(view) || isHeld
  const once = view.state === 'pending' ? onceInList(view) : undefined
  const deny = denyChoice(view)
  return (
    <div class={`decision ${isHeld ? 'held' : ''}`}>
      {once && (
        <button
          type="button"
          class="primary"
          disabled={isDead}
          onClick={() => void decide(view, once.choice)}
        >
          {choiceText(once)}
        </button>
      )}
      {deny && (
        <button type="button" class="danger" disabled={isDead} onClick={() => void decide(view, deny.choice)}>
          {choiceText(deny)}
        </button>
      )}
    </div>
  )
}

/** A yes that outlives the request, or that takes terms, is given in a dialog of its own. */
const isConfirmed = ({ holds, needs_terms }: ApprovalChoiceView): boolean =>
  needs_terms || holds === 'forever' || holds === '24h'

/** What is given with terms of one's own: where several choices take some, one button leads to all of them. */
const withTerms = (yes: readonly ApprovalChoiceView[]): readonly ApprovalChoiceView[] =>
  yes.filter(
    ({ terms, needs_terms, scope }) =>
      needs_terms || (terms.length > 0 && (scope === null || scope === 'model')),
  )

/** Every choice of a request, and the reason that goes with its denial. */
export function Decision({ view }: { readonly view: ApprovalView }) {
  const [asked, setAsked] = useState<readonly ApprovalChoiceView[] | null>(null)
  const [reason, setReason] = useState('')
  const isDead = !canDecide(view)
  const deny = denyChoice(view)
  const yes = view.state === 'pending' ? view.choices.filter(({ holds }) => holds !== null) : []
  const once = onceChoice(view)
  const termed = withTerms(yes)
  const isGathered = termed.length > 1
  const field = createRef<HTMLInputElement>()
  return (
    <section class="decide" aria-label="Decision">
      <div class="decision">
        {(isGathered ? yes.filter(({ needs_terms }) => !needs_terms) : yes).map((choice) => (
          <button
            key={choice.choice}
            type="button"
            class={choice === once ? 'primary' : ''}
            disabled={isDead}
            title={choice.gives ?? undefined}
            onClick={() => (isConfirmed(choice) ? setAsked([choice]) : void decide(view, choice.choice))}
          >
            {choiceText(choice)}
          </button>
        ))}
        {isGathered && (
          <button type="button" disabled={isDead} onClick={() => setAsked(termed)}>
            With limits …
          </button>
        )}
      </div>
      {deny && (
        <form
          class="joined"
          onSubmit={(event) => {
            event.preventDefault()
            if (!isDead) void decide(view, deny.choice, { reason: reason.trim() })
          }}
        >
          {deny.takes_reason && (
            <input
              ref={field}
              aria-label="Reason of a denial, which who asks is told"
              placeholder="Reason, told to who asks (optional)"
              maxLength={500}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          )}
          <button type="submit" class="danger" disabled={isDead}>
            {choiceText(deny)}
          </button>
        </form>
      )}
      {asked && <ConfirmChoice view={view} choices={asked} close={() => setAsked(null)} />}
    </section>
  )
}
