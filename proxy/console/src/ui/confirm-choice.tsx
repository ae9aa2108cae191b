import { useState } from 'preact/hooks'
import type { ApprovalChoiceView, ApprovalView } from '../../../src/contracts/admin/index.ts'
import { Choice, fieldsOf } from '../admin/form.tsx'
import { choiceText, decide } from '../state/decide.ts'
import { TermFields, termsIn } from './terms.tsx'

const HOLDS = {
  once: '.',
  '1h': ', for an hour from now.',
  '24h': ', for 24 hours from now.',
  forever: ', until you revoke it.',
  limited: ', within the limits that you set.',
} as const

/** What a yes that outlives this request gives, before it is given, and the terms that it takes; of several choices one is chosen here. */
export function ConfirmChoice({
  view,
  choices,
  close,
}: {
  readonly view: ApprovalView
  readonly choices: readonly ApprovalChoiceView[]
  readonly close: () => void
}) {
  const [refusal, setRefusal] = useState('')
  const [word, setWord] = useState(choices[0]?.choice)
  const choice = choices.find((one) => one.choice === word)
  if (choice === undefined) return null
  const isOneOfMany = choices.length > 1
  const what =
    view.shown.form === 'program'
      ? `Every run of ${view.summary} that asks for no more than this card shows${choice.scope === 'any_args' ? ', with any args,' : ''} goes ahead without asking`
      : view.shown.question
  return (
    <dialog
      ref={(element) => {
        if (element?.isConnected && !element.open) element.showModal()
      }}
      onClose={close}
      aria-labelledby="confirm-title"
    >
      <h2 id="confirm-title">{isOneOfMany ? 'With limits' : choiceText(choice)}?</h2>
      <p>
        <bdi>{what}</bdi>
        {choice.holds !== null && HOLDS[choice.holds]}
      </p>
      {choice.gives !== null && (
        <p class="soft">
          It covers <bdi>{choice.gives}</bdi>.
        </p>
      )}
      <form
        method="dialog"
        onSubmit={(event) => {
          try {
            const terms = termsIn(choice, fieldsOf(event.currentTarget))
            void decide(view, choice.choice, { terms })
          } catch (error) {
            event.preventDefault()
            setRefusal((error as Error).message)
          }
        }}
      >
        {isOneOfMany && (
          <Choice
            name="choice"
            label="How long, and for what"
            value={choice.choice}
            options={choices.map((one) => [one.choice, choiceText(one)])}
            onChange={setWord}
          />
        )}
        {(isOneOfMany || choice.needs_terms) && (
          <div class="terms">
            <TermFields of={choice} />
          </div>
        )}
        <p class="refusal" role="alert">
          {refusal}
        </p>
        <div class="decision">
          <button type="button" onClick={(event) => event.currentTarget.closest('dialog')?.close()}>
            Cancel
          </button>
          <button type="submit" class="primary">
            {isOneOfMany ? 'Allow within these' : choiceText(choice)}
          </button>
        </div>
      </form>
    </dialog>
  )
}
