import type { ApprovalView } from '../../approvals/index.ts'
import type { Execution } from '../../executions/index.ts'
import { oneLine, type UnixMs } from '../../kernel/index.ts'
import { expiry } from './card-message.ts'
import { bold, clip, code, escapeHtml } from './html.ts'
import { linesHtml } from './lines-message.ts'

/** Notices of one agent that are told one by one; of more that wait at once, one message tells. */
export const NOTICES_IN_FULL = 3
/** Skills that are named in it. */
const NAMED = 3

/** Of a request that still waits, while there is time to answer it. */
export const reminder = (agent: string, asked: ApprovalView, now: UnixMs): string =>
  [
    `⏰ ${bold('Still waiting for your answer')}, ${expiry(asked.expiresAt, now)}`,
    `🤖 ${code(oneLine(agent, 64))} · ${linesHtml([asked.summary])}`,
    code(asked.id),
  ].join('\n')

/** One message in place of many notices of one agent. Every one of them is in the audit and the list of requests. */
export function foldedNotices(folded: {
  readonly agent: string
  readonly failed: readonly Pick<Execution, 'skillId'>[]
  /** Notices of another kind: limits that were passed. */
  readonly others: number
  /** Reminders of what still waits. */
  readonly waiting: number
}): string {
  const { failed, others, waiting } = folded
  const skills = [...new Set(failed.map(({ skillId }) => skillId))]
  const named = skills.slice(0, NAMED).map((skillId) => code(clip(oneLine(skillId, 128), 40)))
  const rest = skills.length > NAMED ? [`and ${skills.length - NAMED} more`] : []
  return [
    `⚠️ ${bold(`${failed.length + others + waiting} notices in one`)} · ${code(oneLine(folded.agent, 64))}`,
    ...(failed.length === 0 ? [] : [`❌ ${failed.length} failed: ${[...named, ...rest].join(', ')}`]),
    ...(others === 0 ? [] : [`🚧 ${others} of limits that were passed`]),
    ...(waiting === 0 ? [] : [`⏰ ${waiting} still wait for an answer: /pending`]),
    escapeHtml('Each by itself: /audit, or oauth3 audit list'),
  ].join('\n')
}
