import { setTimeout as delay } from 'node:timers/promises'
import type { ApprovalChoiceView, ApprovalView } from '../../contracts/admin/index.ts'
import { linesQuestion, quorumText, renderApproval, renderOutcome } from '../approval-card.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { approvalQuestion, HOLDS_TEXT } from '../question.ts'
import { formatTime } from '../text-layout.ts'
import { coverageText, givenGrantText } from './grants.ts'
import { type LimitOptions, limitsOf, limitsText, namesLimits, orNull } from './limits.ts'

/** How an answer is given on the command line: by how long a yes holds, and in which way it gives another thing. */
export interface AnswerOptions extends LimitOptions {
  readonly once?: boolean
  readonly '1h'?: boolean
  readonly '24h'?: boolean
  readonly forever?: boolean
  readonly uses?: number
  /** Unix milliseconds. */
  readonly until?: number
  readonly anyArgs?: boolean
  readonly modelOnly?: boolean
  readonly forRun?: boolean
}

type TermOptions = LimitOptions & Pick<AnswerOptions, 'uses' | 'until'>

const LEVELS = ['once', '1h', '24h', 'forever'] as const
/** The options that stand for a scope. */
const SCOPES = [
  ['any_args', 'anyArgs', '--any-args'],
  ['model', 'modelOnly', '--model-only'],
  ['run', 'forRun', '--for-run'],
] as const

/** `--1h | --24h [--model-only]`: what this request can be approved with. */
export function offeredText({ choices }: Pick<ApprovalView, 'choices'>): string {
  const levels = LEVELS.filter((level) =>
    choices.some(({ holds, scope }) => holds === level && scope === null),
  ).map((level) => `--${level}`)
  const limited = choices.find(({ holds, scope }) => holds === 'limited' && scope === null)
  const scopes = SCOPES.filter(([name]) => choices.some(({ scope }) => scope === name))
  const until = limited?.terms.includes('until') ? ['--until TIME'] : []
  const uses = limited?.terms.includes('uses') ? ['--uses N'] : []
  return [[...levels, ...uses, ...until].join(' | '), ...scopes.map(([, , option]) => `[${option}]`)].join(
    ' ',
  )
}

export function yesFrom(view: ApprovalView, options: AnswerOptions): ApprovalChoiceView {
  const { uses, until } = options
  const given = [
    ...LEVELS.filter((level) => options[level] === true),
    ...(uses === undefined && until === undefined ? [] : (['limited'] as const)),
  ]
  const scopes = SCOPES.filter(([, option]) => options[option] === true).map(([name]) => name)
  const wanted = scopes[0] ?? null
  const found = view.choices.find(({ holds, scope }) => holds === given[0] && scope === wanted)
  if (given.length !== 1 || scopes.length > 1 || found === undefined)
    throw usageError(`This request is approved with exactly one of ${offeredText(view)}.`)
  return found
}

export function noFrom(view: ApprovalView, reason: string | undefined): ApprovalChoiceView {
  const found = view.choices.find(({ holds }) => holds === null)
  if (found === undefined) throw usageError('This request cannot be denied.')
  if (reason !== undefined && !found.takes_reason)
    throw usageError('A denial of this request takes no reason.')
  return found
}

/** What is given in place of what was asked; undefined where no option says anything. */
function termsFrom(options: TermOptions) {
  const { uses, until } = options
  if (!namesLimits(options) && uses === undefined && until === undefined) return undefined
  const limits = limitsOf(options)
  const list = (of: LimitOptions['models']) => (of === undefined || of === 'none' ? undefined : [...of])
  const [models, paths] = [list(options.models), list(options.paths)]
  return {
    ...(models && { models }),
    ...(paths && { paths }),
    ...(uses !== undefined && { uses }),
    ...(until !== undefined && { until }),
    ...(Object.keys(limits).length > 0 && { limits }),
  }
}

/** `for 3 runs, until 2026-12-31 00:00`. */
const termsText = ({ uses, until }: TermOptions): string =>
  [
    ...(uses === undefined ? [] : [`for ${uses} ${uses === 1 ? 'run' : 'runs'}`]),
    ...(until === undefined ? [] : [`until ${formatTime(until)}`]),
  ].join(', ')

/** What a yes gives, below the card, whose facts may have scrolled away by then. */
function questionOf({ shown }: ApprovalView, choice: ApprovalChoiceView, options: TermOptions): string {
  const limited = choice.holds === 'limited' ? termsText(options) : null
  if (shown.form === 'program') return approvalQuestion(shown.card, choice, limited)
  const covers =
    options.models === undefined && options.paths === undefined
      ? choice.gives
      : coverageText({ models: orNull(options.models ?? 'none'), paths: orNull(options.paths ?? 'none') })
  const limits = limitsOf(options)
  const holds =
    choice.holds === '1h' || choice.holds === '24h' ? `for ${HOLDS_TEXT[choice.holds]}` : choice.holds
  const parts = [limited ?? holds, covers, Object.keys(limits).length === 0 ? null : limitsText(limits)]
  return linesQuestion(`${shown.question} ${parts.filter((part) => part !== null).join(', ')}`)
}

export const fetchApproval = (context: CommandContext, id: string): Promise<ApprovalView> =>
  context.client.call('readApproval', { params: { id } })

/** As JSON: what versions before told of its kind keeps its names. */
export const jsonOf = ({ details, ...view }: ApprovalView): object => ({ ...view, ...details })

/** The decision carries the hash of the very card that was fetched, and on a terminal shown, here. */
export async function decide(
  context: CommandContext,
  view: ApprovalView,
  choice: ApprovalChoiceView,
  options: TermOptions & {
    readonly yes?: boolean
    readonly wait?: boolean
    readonly reason?: string | undefined
  },
): Promise<void> {
  const { terminal, client } = context
  const { style } = terminal
  const { yes = false, wait = false, reason } = options
  if (choice.holds !== null && !yes && view.state === 'pending' && terminal.isInteractive) {
    terminal.note(renderApproval(view, style, context.now()))
    terminal.note(`Consent ${view.consent_hash.slice(0, 16)}…`)
    const agreed = await terminal.confirm(questionOf(view, choice, options))
    if (!agreed) throw new CliError('failed', EXIT.failed, 'Nothing was decided.')
  }
  const terms = choice.holds === null ? undefined : termsFrom(options)
  const decided = await client.call('decideApproval', {
    params: { id: view.id },
    body: {
      ...{ choice: choice.choice, consent_hash: view.consent_hash },
      ...(reason === undefined ? {} : { reason }),
      ...(terms === undefined ? {} : { terms }),
    },
  })
  if (wait) return await showEnd(context, decided)
  await context.show(jsonOf(decided), () =>
    [
      decided.state === 'pending'
        ? `${decided.id}: ${quorumText(decided)} approvals. ${decided.message}`
        : `${decided.id} ${decided.approvals.length > 1 ? decided.message : answerText(choice)}${whatFollows(decided)}.`,
      `consent ${decided.consent_hash}`,
      ...(decided.awaited === null ? [] : [decided.awaited]),
      ...(decided.grant === null ? [] : [givenGrantText(decided.grant, context)]),
    ].join('\n'),
  )
}

/** `approved (24h, any args)`, in the words of the options. */
function answerText({ holds, scope }: ApprovalChoiceView): string {
  if (holds === null) return 'denied'
  return `approved (${holds}${scope === null ? '' : `, ${scope.replaceAll('_', ' ')}`})`
}

function whatFollows({ state, waiting, ended }: ApprovalView): string {
  if (state !== 'approved') return ''
  return waiting ? '; it waits for you' : ended ? '' : '; it will run now'
}

const LOOK_MS = 500

/** Stays until nothing comes of it any more; what ended badly is a command that failed. */
async function showEnd(context: CommandContext, decided: ApprovalView): Promise<void> {
  if (decided.awaited !== null) context.terminal.note(decided.awaited)
  let view = decided
  while (!view.ended) {
    await delay(LOOK_MS)
    view = await fetchApproval(context, decided.id)
  }
  const { outcome, state, status } = view
  await context.show(jsonOf(view), () => renderOutcome(view, context.terminal.style))
  if (state !== 'approved' || outcome.tone === 'bad')
    throw new CliError(
      'failed',
      EXIT.failed,
      `The request ${view.id.slice(0, 16)} is ${status}${outcome.note}.`,
    )
}
