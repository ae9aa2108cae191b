import { signal } from '@preact/signals'
import type { AdminRoutes, ApprovalChoiceView, ApprovalView } from '../../../src/contracts/admin/index.ts'
import type { RouteCall } from '../../../src/contracts/route.ts'
import { api } from '../api/client.ts'
import { ApiError } from '../api/transport.ts'
import { proveDecision } from '../passkey.ts'
import { readView, remember, waiting } from './approvals.ts'
import { say } from './news.ts'

/** Ids of what is being answered: a second press is none. */
export const deciding = signal<ReadonlySet<string>>(new Set())

const setDeciding = (id: string, isDeciding: boolean): void => {
  const next = new Set(deciding.peek())
  if (isDeciding) next.add(id)
  else next.delete(id)
  deciding.value = next
}

/** What is given in place of what was asked, by the names that its choice has for it. */
export type Terms = RouteCall<AdminRoutes['decideApproval']>['body']['terms'] & object

/** Answers by the hash of the very card that the page drew: what changed since is refused, and shown anew. */
export async function decide(
  view: ApprovalView,
  choice: string,
  { reason = '', terms }: { readonly reason?: string; readonly terms?: Terms | undefined } = {},
): Promise<void> {
  if (deciding.peek().has(view.id)) return
  setDeciding(view.id, true)
  try {
    const answer = { choice, consent_hash: view.consent_hash, ...(terms && { terms }) }
    const isYes = view.choices.some((offered) => offered.choice === choice && offered.holds !== null)
    // A passkey signs this very answer to this very card, right before it is sent.
    const proof =
      isYes && view.risk === 'high' ? await proveDecision({ approval: view.id, ...answer }) : undefined
    const body = { ...answer, ...(reason === '' ? {} : { reason }), ...(proof && { proof }) }
    const decided = await api.call('decideApproval', { params: { id: view.id }, body })
    remember([decided])
    if (!decided.waiting && waiting.value !== null)
      waiting.value = waiting.value.filter(({ id }) => id !== view.id)
    say(`${view.summary}: ${decided.message}`)
  } catch (error) {
    say(`${view.summary}: ${(error as Error).message}`, 'bad')
    if (error instanceof ApiError && error.status !== 401) await readView(view.id).catch(() => undefined)
  } finally {
    setDeciding(view.id, false)
  }
}

/** The least that a yes can give: just this, once. */
export const onceChoice = ({ choices }: ApprovalView): ApprovalChoiceView | undefined =>
  choices.find(({ holds, scope }) => holds === 'once' && scope === null)

/** In a list, where a card is short: what was cut is answered where all of it stands. */
export const onceInList = (view: ApprovalView): ApprovalChoiceView | undefined =>
  view.shown.form === 'program' && view.shown.card.cut ? undefined : onceChoice(view)

export const denyChoice = ({ choices }: ApprovalView): ApprovalChoiceView | undefined =>
  choices.find(({ holds }) => holds === null)

/** Labels and lines begin with a picture for chats. */
export const withoutPicture = (text: string): string =>
  text.replace(/^(?:\p{Extended_Pictographic}|\ufe0f|\s)+/u, '')

export const choiceText = ({ label }: ApprovalChoiceView): string => withoutPicture(label)
