import type { ApprovalOutcome, TextLine } from '../../approvals/index.ts'
import { oneLine } from '../../kernel/index.ts'
import type { ToolCall } from './ports.ts'

/** Requests that a host takes for one call: a page, what it redirects to, and a client that tries again. */
export const REQUESTS_PER_CALL = 20
const PROMPT_LINES = 3
const LINE_CHARS = 200

/** The first lines of a prompt that say anything, each on one visible line. */
export const promptLines = (prompt: string): readonly string[] => {
  const lines = prompt
    .slice(0, 4 * PROMPT_LINES * LINE_CHARS)
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => oneLine(line, LINE_CHARS))
    .filter((line) => line !== '')
  return lines.slice(0, PROMPT_LINES)
}

/** What a yes lets happen, and no more than is so. */
function effectLine({ effect }: Pick<ToolCall, 'effect'>): TextLine {
  if (effect.kind === 'host') {
    return [
      '🌐 Until the tool has answered, at the latest until the run ends, everything in the container of the run can read (GET) from ',
      { strong: effect.host },
      `: any path and query, at most ${REQUESTS_PER_CALL} requests.`,
    ]
  }
  if (effect.kind === 'vendor')
    return ['🌐 The arguments go to the vendor of the model, who searches. Nothing is opened.']
  return effect.kind === 'mcp'
    ? ['🧩 The arguments go to the MCP server ', { name: effect.server }, ' of the run. Nothing is opened.']
    : ['❔ It is no tool that this daemon knows. Nothing is opened.']
}

export const callLines = (
  call: ToolCall,
  of: { readonly app: string; readonly prompt: readonly string[] | undefined },
): readonly TextLine[] => [
  ['🧰 ', { strong: 'A run asks to use a tool' }],
  ['🤖 App ', { name: oneLine(of.app, 64) }, ', run ', { name: call.runId }],
  ...(of.prompt ?? []).map((line, at): TextLine => [at === 0 ? '💬 Prompt ' : '💬 ', { name: line }]),
  ['#️⃣ Prompt SHA-256 ', { name: call.promptSha256 }],
  ['🔧 Tool ', { strong: oneLine(call.tool, 128) }],
  effectLine(call),
]

const DECIDED = { once: 'allowed once', run: 'allowed for the rest of the run', deny: 'denied' } as const

/** What was decided, or became of it without a decision. */
export const statusText = ({ choice, status }: Pick<ToolCall, 'choice' | 'status'>): string =>
  choice === null ? status : DECIDED[choice]

export function callOutcome(call: ToolCall, app: string): ApprovalOutcome {
  const { choice, decidedBy, decidedByName, endedAt, denyReason } = call
  const by = oneLine(decidedByName ?? decidedBy ?? 'the daemon', 64)
  const what: TextLine = [
    ...['🧰 ', { strong: oneLine(call.tool, 128) }, ' of ', { name: oneLine(app, 64) }, ': '],
    statusText(call),
    ...(choice === null ? [] : [' by ', { name: by }]),
  ]
  return {
    lines: [
      what,
      ...(denyReason === null ? [] : [['💬 ', { name: denyReason }]]),
      ['🔖 ', { name: call.runId }],
    ],
    rows: [
      { label: 'Run', value: call.runId },
      ...(denyReason === null ? [] : [{ label: 'Reason', value: denyReason }]),
    ],
    ...(call.status === 'approved' ? { tone: 'good' as const } : {}),
    ...(call.status === 'denied' ? { tone: 'bad' as const } : {}),
    ...(choice === null || endedAt === null
      ? {}
      : { decided: { answer: statusText(call), by, at: endedAt } }),
  }
}
