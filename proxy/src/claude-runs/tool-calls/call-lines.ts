import type { ApprovalOutcome, TextLine } from '../../approvals/index.ts'
import { AppError, type HostPattern, oneLine, parseHostPattern } from '../../kernel/index.ts'
import type { ToolCall } from './ports.ts'
import type { ToolEffect } from './tool-policy.ts'

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
function effectLines({ effect }: Pick<ToolCall, 'effect'>): readonly TextLine[] {
  if (effect.kind === 'network') return networkLines(effect.host)
  if (effect.kind !== 'request') return [effectLine(effect)]
  const { host, method, secrets } = effect
  return [
    [
      `📤 The daemon sends this one ${method} to `,
      { strong: host },
      ' and gives the run the answer. Nothing is opened in the container, and no redirect is followed.',
    ],
    ...secrets.map(
      (name): TextLine => ['🔑 With the secret ', { strong: name }, ', put in on the way to that host alone'],
    ),
  ]
}

/** All of what a yes to a host opens, said plainly: no program of the run is told from another. */
function networkLines(host: string): readonly TextLine[] {
  const { scheme, ...of } = pattern(host)
  return [
    ['🌐 Host ', { strong: of.host }, ', port ', { strong: String(of.port) }],
    ...(scheme === 'http' ? [['⚠️ Without encryption: everybody on the way can read and change it.']] : []),
    [
      '🔓 A yes opens it to the whole container until the run ends: every program of this run can send there and read from there, by any method and path, WebSockets too.',
    ],
    ['🔑 No secret goes this way. Other hosts ask by themselves.'],
  ]
}

function pattern(host: string): HostPattern {
  const read = parseHostPattern(host)
  if ('problem' in read) throw new AppError('internal', 'A call with a host that none is.')
  return read
}

function effectLine(effect: Exclude<ToolEffect, { readonly kind: 'request' | 'network' }>): TextLine {
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

/** What is known of a run while somebody here waits for its call, and is stored nowhere. */
export interface AskingRun {
  /** The first lines of its prompt. */
  readonly prompt: readonly string[]
  readonly usesSeat: boolean
}

const SEAT: TextLine = ['💺 Its calls of the model go by the seat of your subscription.']

export const callLines = (
  call: ToolCall,
  of: { readonly app: string; readonly asking: AskingRun | undefined },
): readonly TextLine[] => [
  call.effect.kind === 'network'
    ? ['🌐 ', { strong: 'A command of a run asks to reach a host' }]
    : ['🧰 ', { strong: 'A run asks to use a tool' }],
  ['🤖 App ', { name: oneLine(of.app, 64) }, ', run ', { name: call.runId }],
  ...(of.asking?.usesSeat ? [SEAT] : []),
  ...(of.asking?.prompt ?? []).map((line, at): TextLine => [at === 0 ? '💬 Prompt ' : '💬 ', { name: line }]),
  ['#️⃣ Prompt SHA-256 ', { name: call.promptSha256 }],
  ...(call.effect.kind === 'network' ? [] : [['🔧 Tool ', { strong: oneLine(call.tool, 128) }]]),
  ...effectLines(call),
]

/** What a call is for, in a word or two. */
export const subjectOf = ({ tool, effect }: Pick<ToolCall, 'tool' | 'effect'>): string =>
  effect.kind === 'network' ? effect.host : oneLine(tool, 128)

const DECIDED = { once: 'allowed once', run: 'allowed for the rest of the run', deny: 'denied' } as const

/** What was decided, or became of it without a decision. */
export const statusText = ({ choice, status }: Pick<ToolCall, 'choice' | 'status'>): string =>
  choice === null ? status : DECIDED[choice]

export function callOutcome(call: ToolCall, app: string): ApprovalOutcome {
  const { choice, decidedBy, decidedByName, endedAt, denyReason } = call
  const by = oneLine(decidedByName ?? decidedBy ?? 'the daemon', 64)
  const what: TextLine = [
    ...[
      call.effect.kind === 'network' ? '🌐 ' : '🧰 ',
      { strong: subjectOf(call) },
      ' of ',
      { name: oneLine(app, 64) },
      ': ',
    ],
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
