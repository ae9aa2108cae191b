import type { Execution } from '../../domain/executions/index.ts'
import { oneLine } from '../../kernel/index.ts'
import { bold, clip, code, escapeHtml } from './html.ts'

/** Notices of one agent that are told one by one; of more that wait at once, one message tells. */
export const NOTICES_IN_FULL = 3
/** Skills that are named in it. */
const NAMED = 3

/** One message in place of many notices of one agent. Every one of them is in the audit and the list of requests. */
export function foldedNotices(folded: {
  readonly agent: string
  readonly failed: readonly Pick<Execution, 'skillId'>[]
  /** Notices of another kind: limits that were passed. */
  readonly others: number
}): string {
  const { failed, others } = folded
  const skills = [...new Set(failed.map(({ skillId }) => skillId))]
  const named = skills.slice(0, NAMED).map((skillId) => code(clip(oneLine(skillId, 128), 40)))
  const rest = skills.length > NAMED ? [`and ${skills.length - NAMED} more`] : []
  return [
    `⚠️ ${bold(`${failed.length + others} notices in one`)} · ${code(oneLine(folded.agent, 64))}`,
    ...(failed.length === 0 ? [] : [`❌ ${failed.length} failed: ${[...named, ...rest].join(', ')}`]),
    ...(others === 0 ? [] : [`🚧 ${others} of limits that were passed`]),
    escapeHtml('Each by itself: /audit, or oauth3 audit'),
  ].join('\n')
}
