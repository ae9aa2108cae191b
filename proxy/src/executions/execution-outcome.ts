import { type ApprovalOutcome, DECISIONS, type DecisionKind } from '../approvals/index.ts'
import { describeRefusal } from '../egress/index.ts'
import type { Execution, RunResult } from './execution.ts'

/** A decision in words, as on the card and in the answer to whoever took it. */
export const describeDecision = (decision: DecisionKind): string => DESCRIPTIONS[decision]

const DESCRIPTIONS: Record<DecisionKind, string> = {
  once: 'Approved once',
  deny: 'Denied',
  trust24h: 'Trusted for 24 h',
  forever: 'Always trusted',
  trust24h_any: 'Trusted for 24 h with any args',
  forever_any: 'Always trusted with any args',
  limited: 'Trusted within limits',
  limited_any: 'Trusted within limits with any args',
}

/** What became of a request to run code: the answer, and what the run printed and did on the network. */
export function executionOutcome(execution: Execution): ApprovalOutcome {
  const { skillId, status, decision, decidedAt, decidedBy, decidedByName, result } = execution
  const { denyReason, durationMs, failure } = execution
  return {
    lines: [[{ name: skillId }, `: ${status}`]],
    ...(status === 'success' ? { tone: 'good' } : status === 'failed' ? { tone: 'bad' } : {}),
    ...(decidedAt === null
      ? {}
      : {
          decided: {
            answer: answerOf(decision),
            by: decidedByName ?? decidedBy ?? '?',
            at: decidedAt,
          },
        }),
    note: `${failure === null ? '' : ` (${failure})`}${durationMs === null ? '' : ` in ${durationMs} ms`}`,
    rows: [
      ...(denyReason === null ? [] : [{ label: 'Reason', value: denyReason }]),
      ...(result === null ? [] : resultRows(result)),
    ],
    texts:
      result === null
        ? []
        : [
            { label: 'stdout', text: result.stdout },
            { label: 'stderr', text: result.stderr },
          ].filter(({ text }) => text !== ''),
  }
}

/** As commands take it. */
function answerOf(decision: DecisionKind | null): string {
  if (decision === null) return 'trusted'
  const verdict = DECISIONS[decision]
  return verdict.approves ? `${verdict.level}${verdict.anyArgs ? ', any args' : ''}` : decision
}

function resultRows({
  exitCode,
  network,
  notKept,
  truncated,
}: RunResult): NonNullable<ApprovalOutcome['rows']> {
  const { requests, refused, moreRefused } = network ?? { requests: 0, refused: [], moreRefused: 0 }
  return [
    { label: 'Exit code', value: String(exitCode ?? 'none') },
    ...(requests === 0
      ? []
      : [
          { label: 'Network', value: requests === 1 ? '1 request' : `${requests} requests` },
          ...refused.map(
            (refusal) => ({ label: 'REFUSED', value: describeRefusal(refusal), tone: 'bad' }) as const,
          ),
          ...(moreRefused > 0
            ? [{ label: '', value: `and ${moreRefused} more refused`, tone: 'bad' } as const]
            : []),
        ]),
    ...(notKept ? [{ label: '', value: 'The output is no longer kept.' }] : []),
    ...(truncated ? [{ label: '', value: 'Output beyond the limit was dropped.' }] : []),
  ]
}
