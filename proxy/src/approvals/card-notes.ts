import type { TextLine } from './approval-card.ts'
import { highRiskText } from './ballot.ts'
import type { ApprovalView } from './kind.ts'
import { type Requirement, tooFewText } from './quorum/index.ts'

/** Of those who have said yes. */
const NAMED = 5

/** What a yes takes beyond one person's word, and what of it is there: empty where that is enough. */
export function cardNotes(
  requirement: Requirement,
  { approvals, approvalsGiven }: Pick<ApprovalView, 'approvals' | 'approvalsGiven'>,
  page: string | null,
): readonly TextLine[] {
  const { approvals: needed, deciders } = requirement
  return [
    ...(page === null
      ? []
      : [['🔐 ', { strong: `It is ${highRiskText(requirement)}: needs a passkey` }, `, at ${page}`]]),
    ...(needed === 1
      ? []
      : [
          [
            '👥 ',
            { strong: `${approvalsGiven} of ${needed}` },
            approvals.length === 0 ? ' approvals' : ' approvals:',
            ...approvals
              .slice(0, NAMED)
              .flatMap(({ by, channel, answer }) => [' ', { name: by }, ` (${channel}): ${answer}`]),
          ],
        ]),
    ...(needed > deciders ? [['⛔ ', tooFewText(needed, deciders)]] : []),
  ]
}
