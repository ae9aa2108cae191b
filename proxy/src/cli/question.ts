import type { ApprovalChoiceView, CardView, WireDecision } from '../contracts/admin/index.ts'
import { clipColumns, columnsOf, TERMINAL_COLUMNS, terminalLine, wordWrap } from './text-layout.ts'

/**
 * The question below a card. The card's facts may have scrolled away behind the code by then, so the question
 * itself names what a yes gives.
 */
const SKILL_COLUMNS = 24
const SECRETS_COLUMNS = 28
const NETWORK_COLUMNS = 28
/** Room for what stands before and behind the question on its lines. */
const MARGIN_COLUMNS = 8

const DECISION_TEXT: Readonly<Record<string, string>> = {
  limited: 'with limits',
  limited_any: 'with limits, any args',
  once: 'once',
  deny: 'deny',
  trust24h: '24h',
  forever: 'forever',
  trust24h_any: '24h, any args',
  forever_any: 'forever, any args',
} satisfies Record<WireDecision | 'limited' | 'limited_any', string>

/** How long an answer holds, in words. */
export const HOLDS_TEXT = {
  once: 'once',
  '1h': '1 hour',
  '24h': '24 hours',
  forever: 'forever',
  limited: 'within limits',
} as const

/** The one word for a decision that commands take and print. */
export const decisionText = (decision: string): string =>
  Object.hasOwn(DECISION_TEXT, decision) ? (DECISION_TEXT[decision] ?? decision) : decision

export function approvalQuestion(
  card: CardView,
  { holds, scope }: Pick<ApprovalChoiceView, 'holds' | 'scope'>,
  /** Of a yes that has limits, in words. */
  limits: string | null = null,
): string {
  const long = limits ?? HOLDS_TEXT[holds ?? 'once']
  const what = holds === 'once' ? 'Run once' : `Trust ${skillName(card)} ${long}`
  const args = scope === null ? '' : `, ${scope.replaceAll('_', ' ')}`
  return wrapped(`${what} with ${given(card)}${args}?`)
}

/** For where the answer itself chooses between once, 24 hours and forever. */
export const openQuestion = (card: CardView): string => wrapped(`Run ${skillName(card)} with ${given(card)}?`)

const wrapped = (question: string): string => wordWrap(question, TERMINAL_COLUMNS - MARGIN_COLUMNS).join('\n')

/** In quotes where it could be read as a part of the question. */
function skillName(card: CardView): string {
  const name = clipColumns(terminalLine(card.skillId), SKILL_COLUMNS)
  return /^[\w./@:+-]+$/.test(name) ? name : `“${name}”`
}

function given(card: CardView): string {
  const names = card.secrets.map(
    (secret) => `${secret.raw ? 'the value of ' : ''}${terminalLine(secret.name)}`,
  )
  const secrets = names.length === 0 ? 'no secret' : listed(names, SECRETS_COLUMNS)
  const hosts = terminalLine(card.network)
  return hosts === 'none'
    ? `${secrets}, no network`
    : `${secrets} → ${listed(hosts.split(', '), NETWORK_COLUMNS)}`
}

/** As many as fit, and how many more there are; the first always, cut if it must be. */
function listed(items: readonly string[], columns: number): string {
  const [first = '', ...others] = items
  let text = clipColumns(first, columns)
  for (const [index, item] of others.entries()) {
    const longer = `${text}, ${item}`
    if (item.endsWith('…')) return `${text} and more`
    if (columnsOf(longer) > columns) {
      const left = others.slice(index)
      return `${text} and ${left.at(-1)?.endsWith('…') ? '' : `${left.length} `}more`
    }
    text = longer
  }
  return text
}
