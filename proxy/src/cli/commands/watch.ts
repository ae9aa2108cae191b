import { setTimeout as delay } from 'node:timers/promises'
import type { ApprovalSummary, ApprovalView } from '../../contracts/admin/index.ts'
import { linesQuestion, renderApproval, stateText } from '../approval-card.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { openQuestion } from '../question.ts'
import { renderTable } from '../table.ts'
import { safeJson } from '../terminal.ts'
import { formatDistance, terminalLine } from '../text-layout.ts'
import { decide, fetchApproval } from './decide.ts'

export const addWatchCommand: CommandGroup = (program, context) => {
  program
    .command('watch')
    .description('what waits for you, live; on a terminal you look at cards and answer them here')
    .addHelpText(
      'after',
      examples(
        ['oauth3 watch', 'a list that keeps up; a number shows a card, which you then answer'],
        [
          'oauth3 --json watch',
          'a line of JSON for each thing that begins or ends to wait, or has little time left',
        ],
      ),
    )
    .action(() =>
      context.terminal.isInteractive && !context.json ? answerHere(context) : tellChanges(context),
    )
}

const LOOK_MS = 1_000

/** Least time left first. */
const whatWaits = async (context: CommandContext): Promise<readonly ApprovalSummary[]> =>
  (await context.client.call('listApprovals')).approvals

/** What is said of a daemon that may soon answer again. */
const AWAY: Readonly<Record<string, string>> = {
  not_running: 'The daemon is not running',
  starting: 'The daemon is starting',
  shutting_down: 'The daemon is stopping',
  connection_lost: 'The connection to the daemon broke off',
  no_answer: 'The daemon does not answer',
}

/** What waits now; while the daemon is away, once it is back. */
async function whatWaitsOnceThere(context: CommandContext): Promise<readonly ApprovalSummary[]> {
  for (let isTold = false; ; isTold = true) {
    try {
      const waiting = await whatWaits(context)
      if (isTold) context.terminal.note('The daemon answers again.')
      return waiting
    } catch (error) {
      const why = error instanceof CliError ? AWAY[error.code] : undefined
      if (why === undefined) throw error
      if (!isTold) context.terminal.note(`${why}; watching for it to come back; ^C ends this.`)
      await delay(LOOK_MS)
    }
  }
}

/** Told to a script: a line for each thing that begins to wait, changes its state, or waits no more. */
async function tellChanges(context: CommandContext): Promise<never> {
  const { terminal } = context
  const known = new Map<string, ApprovalSummary>()
  const tell = (item: ApprovalSummary, as?: 'ended' | 'reminder'): Promise<void> => {
    const { id, kind, summary: what, agent, expires_at, risk, approvals_needed, approvals_given } = item
    const status = as ?? item.status
    const line = { id, kind, what, agent, status, expires_at, risk, approvals_needed, approvals_given }
    // A pipe leads to a terminal as a rule, and an agent chooses the name of a model.
    const text = context.json
      ? safeJson(line)
      : terminalLine(`${id.slice(0, 16)}  ${as ?? stateText(item)}  ${agent}  ${what}`)
    return terminal.print(text)
  }
  for (;;) {
    const now = await whatWaitsOnceThere(context)
    for (const item of now) {
      const before = known.get(item.id)
      if (before === undefined || stateText(before) !== stateText(item)) await tell(item)
      else if (before.reminded_at !== item.reminded_at) await tell(item, 'reminder')
      known.set(item.id, item)
    }
    const ids = new Set(now.map(({ id }) => id))
    for (const [id, item] of known) {
      if (ids.has(id)) continue
      known.delete(id)
      await tell(item, 'ended')
    }
    await delay(LOOK_MS)
  }
}

async function answerHere(context: CommandContext): Promise<void> {
  const { terminal } = context
  for (;;) {
    const items = await whatWaitsOnceThere(context)
    terminal.note(items.length === 0 ? 'Nothing waits for you.' : tableOf(items, context))
    const question = items.length === 0 ? 'q to quit > ' : 'a number to look at it, q to quit > '
    using changed = whenChanged(context, items)
    const typed = await terminal.ask(question, changed.signal)
    if (typed === null && !changed.signal.aborted) return
    if (typed === null) continue
    if (/^q(uit)?$/i.test(typed)) return
    const item = items[typed === '' && items.length === 1 ? 0 : Number(typed) - 1]
    if (item === undefined) terminal.note('There is no such number.')
    else await lookAndAnswer(context, item)
  }
}

const tableOf = (items: readonly ApprovalSummary[], { terminal, now }: CommandContext): string =>
  renderTable(
    ['', 'WAITS', 'AGENT', 'STATE', 'EXPIRES'],
    items.map((item, index) => [
      String(index + 1),
      ...[item.summary, item.agent, stateText(item)],
      `${item.reminded_at === null ? '' : '⏰ '}${formatDistance(item.expires_at, now())}`,
    ]),
    terminal.style,
    {
      columns: terminal.columns,
      shrink: [
        [1, 12],
        [2, 6],
        [1, 8],
        [3, 7],
      ],
    },
  )

/** Aborts once something else waits than these. A question that is open then is asked anew below the new list. */
function whenChanged(
  context: CommandContext,
  items: readonly ApprovalSummary[],
): Disposable & { readonly signal: AbortSignal } {
  const changed = new AbortController()
  const keyOf = (list: readonly ApprovalSummary[]): string =>
    list.map((item) => `${item.id} ${stateText(item)} ${item.reminded_at}`).join()
  const before = keyOf(items)
  // The next look follows the end of the last: a slow daemon is not asked more and more at a time.
  const look = (): void => {
    whatWaits(context).then(
      (now) => {
        if (keyOf(now) !== before) changed.abort()
        else if (!isOver) timer = setTimeout(look, LOOK_MS)
      },
      // The daemon is away; who looks next says so.
      () => changed.abort(),
    )
  }
  let isOver = false
  let timer = setTimeout(look, LOOK_MS)
  return {
    signal: changed.signal,
    [Symbol.dispose]() {
      isOver = true
      clearTimeout(timer)
    },
  }
}

/** The key of each answer to just what was asked, and what it says. */
const KEYS = {
  once: ['o', 'once'],
  '1h': ['h', 'an hour'],
  '24h': ['t', '24 hours'],
  forever: ['f', 'forever'],
  limited: ['l', 'with limits'],
  no: ['d', 'deny'],
} as const

/** Shows one, and takes its answer; a mistake leaves it waiting. */
async function lookAndAnswer(context: CommandContext, item: ApprovalSummary): Promise<void> {
  try {
    await answer(context, await fetchApproval(context, item.id))
  } catch (error) {
    // Answered elsewhere meanwhile, or expired: the list says what is left.
    if (!(error instanceof CliError)) throw error
    context.terminal.note(`oauth3: ${error.message}`)
  }
}

async function answer(context: CommandContext, view: ApprovalView): Promise<void> {
  const { terminal } = context
  const { shown } = view
  terminal.note(renderApproval(view, terminal.style, context.now()))
  if (view.state !== 'pending') {
    terminal.note(view.awaited ?? `It is ${view.status}.`)
    return
  }
  const offered = view.choices
    .filter(({ scope, needs_terms }) => scope === null && !needs_terms)
    .map((choice) => ({ choice, key: KEYS[choice.holds ?? 'no'] }))
    .sort((one, other) => Number(one.choice.holds === null) - Number(other.choice.holds === null))
  const keys = [...offered.map(({ key }) => key.join(' ')), 'Enter later'].join(', ')
  const question = shown.form === 'program' ? openQuestion(shown.card) : linesQuestion(shown.question)
  const typed = (await terminal.ask(`${question}\n${keys} > `))?.toLowerCase()
  const choice = offered.find(({ key }) => key[0] === typed)?.choice
  if (choice === undefined) return
  const words = choice.takes_reason ? await terminal.ask('Why, for the agent (Enter for no reason) > ') : null
  await decide(context, view, choice, {
    yes: true,
    reason: words === null || words === '' ? undefined : words,
  })
}
