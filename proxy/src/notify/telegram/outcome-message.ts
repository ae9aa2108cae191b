import type { Consent } from '../../approvals/consent/index.ts'
import { DECISIONS } from '../../approvals/index.ts'
import { describeRefusal, type EgressSummary } from '../../egress/index.ts'
import { describeDecision, type Execution, FAILURE_CODES, isFinal } from '../../executions/index.ts'
import { oneLine, visibleText } from '../../kernel/index.ts'
import { utcTime } from './card-message.ts'
import { bold, clip, code, columnsOf, escapeHtml, PHONE_COLUMNS, pre } from './html.ts'

/** How much of a run's output a card shows. */
const OUTPUT_LINES = 8
const OUTPUT_CHARS = 600
/** Refusals of the gateway that are told one by one. */
const REFUSAL_LINES = 4

/**
 * What the card says once it is decided: who, when, what came of it. Its buttons for answers are gone; those go as well when
 * the consent cannot be opened and the agent's name is not known.
 */
export function renderOutcome(execution: Execution, consent: Consent | undefined): string {
  const agent = consent ? `${code(oneLine(consent.agent.name, 64))} · ` : ''
  return [
    headline(execution),
    ...(execution.trusted ? [] : [decisionLine(execution)]),
    ...outputBlock(execution),
    ...networkLines(execution.result?.network),
    `🤖 ${agent}${code(clip(oneLine(execution.skillId, 128), 76))}`,
    `#️⃣ ${code(execution.codeHash.slice(0, 12))} · ${code(execution.requestId)}`,
  ]
    .filter((line) => line !== '')
    .join('\n')
}

function headline(execution: Execution): string {
  const { result, durationMs } = execution
  const facts = [
    ...(result?.exitCode === null || result?.exitCode === undefined ? [] : [`exit ${result.exitCode}`]),
    ...(durationMs === null ? [] : [duration(durationMs)]),
  ]
  const tail = facts.length === 0 ? '' : ` · ${escapeHtml(facts.join(' · '))}`
  switch (execution.status) {
    case 'pending':
      return `⏳ ${bold('Waiting')}`
    case 'awaiting_secrets':
      return `🔑 ${bold('Approved; waits for a secret')}`
    case 'approved':
      return `⏳ ${bold('Approved; waits for its turn')}`
    case 'running':
      return `▶️ ${bold('Running')}`
    case 'success':
      return `✅ ${bold('Succeeded')}${tail}`
    case 'failed': {
      const why = execution.failure === null ? '' : `\n${escapeHtml(FAILURE_CODES[execution.failure])}`
      if (execution.failure === 'stopped') return `⏹ ${bold('Stopped')}${tail}${why}`
      return `❌ ${bold(execution.trusted ? 'A trusted run failed' : 'Failed')}${tail}${why}`
    }
    case 'denied':
      return `🚫 ${bold('Denied')}`
    case 'expired':
      return `⌛ ${bold('Expired')}: nobody answered, or no secret came, in time`
    case 'cancelled':
      return `↩️ ${bold('Cancelled by the agent')}`
  }
}

function decisionLine(execution: Execution): string {
  if (execution.decision === null || execution.decidedAt === null) return ''
  const mark = DECISIONS[execution.decision].approves ? '👍' : '👎'
  const name = oneLine(execution.decidedByName ?? 'unknown', 48)
  const id = execution.decidedBy === null ? '' : ` (${execution.decidedBy})`
  return `${mark} ${escapeHtml(describeDecision(execution.decision))} by ${code(name)}${escapeHtml(id)}, ${utcTime(execution.decidedAt)}`
}

/** The first lines of the output, as text: markup and terminal controls in it are shown, not obeyed. */
function outputBlock({ status, result }: Execution): string[] {
  if (!isFinal(status) || result === null) return []
  if (result.notKept) return ['(the output is no longer kept)']
  const parts = [
    ...firstLines(result.stdout, result.stderr.trim() === '' ? OUTPUT_LINES : OUTPUT_LINES / 2),
    ...(result.stderr.trim() === '' ? [] : ['stderr:', ...firstLines(result.stderr, OUTPUT_LINES / 2)]),
  ].filter((line, index, all) => line !== '' || (index > 0 && index < all.length - 1))
  const text = clipChars(parts.join('\n'), OUTPUT_CHARS)
  return [
    ...(text.trim() === '' ? ['(no output)'] : [pre(text)]),
    ...(result.truncated ? [`✂️ ${escapeHtml('The output was cut at its limit.')}`] : []),
  ]
}

/** What the run did on the network, and what the gateway did not let it do. */
function networkLines(network: EgressSummary | undefined): string[] {
  if (network === undefined || network.requests === 0) return []
  const { requests, refused, moreRefused } = network
  const beyond = refused.slice(REFUSAL_LINES).reduce((sum, { count }) => sum + count, moreRefused)
  return [
    `🌐 ${requests} ${requests === 1 ? 'request' : 'requests'}`,
    ...refused.slice(0, REFUSAL_LINES).map((refusal) => `⛔ ${code(describeRefusal(refusal))}`),
    ...(beyond > 0 ? [`⛔ ${bold(`… and ${beyond} more refused`)}`] : []),
  ]
}

/** Lines as a phone shows them, so that one long line does not fill the screen either. */
function firstLines(output: string, limit: number): string[] {
  const lines: string[] = []
  let left = limit
  // Bounded before anything looks at it: the output may be a quarter of a megabyte on one line.
  const head = visibleText(output.slice(0, OUTPUT_CHARS * 2).replace(/\r\n/g, '\n')).trimEnd()
  const all = head.split('\n')
  for (const [index, line] of all.entries()) {
    if (left <= 0) break
    const room = left * PHONE_COLUMNS
    lines.push(clip(line, room))
    left -= Math.max(1, Math.ceil(columnsOf(line) / PHONE_COLUMNS))
    if (left <= 0 && index < all.length - 1) lines.push('…')
  }
  return lines
}

const clipChars = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit - 1).toWellFormed()}…`

const duration = (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`)
