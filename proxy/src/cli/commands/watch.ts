import { setTimeout as delay } from 'node:timers/promises'
import type { WireDecision } from '../../contracts/admin/index.ts'
import { renderAsk } from '../access-card.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { openQuestion } from '../question.ts'
import { renderTable } from '../table.ts'
import { safeJson } from '../terminal.ts'
import { renderCard } from '../terminal-card.ts'
import { formatDistance, terminalLine } from '../text-layout.ts'
import { approveAsk, denyAsk, fetchAsk, fetchAsks, isAskId } from './asks.ts'
import { decide, fetchRequest } from './requests.ts'

export const addWatchCommand: CommandGroup = (program, context) => {
  program
    .command('watch')
    .description('what waits for you, live; on a terminal you look at cards and answer them here')
    .addHelpText(
      'after',
      examples(
        ['oauth3 watch', 'a list that keeps up; a number shows a card, which you then answer'],
        ['oauth3 --json watch', 'a line of JSON for each thing that begins or ends to wait'],
      ),
    )
    .action(() =>
      context.terminal.isInteractive && !context.json ? answerHere(context) : tellChanges(context),
    )
}

interface Waiting {
  readonly id: string
  readonly what: string
  readonly agent: string
  readonly status: string
  readonly expiresAt: number
}

const LOOK_MS = 1_000

/** The oldest first: it has least time left. */
async function whatWaits(context: CommandContext): Promise<readonly Waiting[]> {
  const [{ requests }, asks] = await Promise.all([context.client.call('listRequests'), fetchAsks(context)])
  return [
    ...requests.map((row) => ({
      ...{ id: row.request_id, what: row.skill_id, agent: row.agent, status: row.status },
      expiresAt: row.expires_at,
    })),
    ...asks.map((row) => ({
      id: row.id,
      what: `provider ${row.provider}, ${row.model ?? 'no model named'}`,
      ...{ agent: row.agent, status: 'pending', expiresAt: row.expires_at },
    })),
  ].sort((one, other) => one.expiresAt - other.expiresAt)
}

/** What is said of a daemon that may soon answer again. */
const AWAY: Readonly<Record<string, string>> = {
  not_running: 'The daemon is not running',
  starting: 'The daemon is starting',
  shutting_down: 'The daemon is stopping',
  connection_lost: 'The connection to the daemon broke off',
  no_answer: 'The daemon does not answer',
}

/** What waits now; while the daemon is away, once it is back. */
async function whatWaitsOnceThere(context: CommandContext): Promise<readonly Waiting[]> {
  for (let isTold = false; ; isTold = true) {
    try {
      const waiting = await whatWaits(context)
      if (isTold) context.terminal.note('The daemon answers again.')
      return waiting
    } catch (error) {
      const why = error instanceof CliError ? AWAY[error.code] : undefined
      if (why === undefined) throw error
      if (!isTold) context.terminal.note(`${why}; watching for it to come back.`)
      await delay(LOOK_MS)
    }
  }
}

/** Told to a script: a line for each thing that begins to wait, changes its state, or waits no more. */
async function tellChanges(context: CommandContext): Promise<never> {
  const { terminal } = context
  const known = new Map<string, Waiting>()
  const tell = (item: Waiting, status: string): Promise<void> => {
    const { id, what, agent } = item
    const line = { id, what, agent, status, expires_at: item.expiresAt }
    // A pipe leads to a terminal as a rule, and an agent chooses the name of a model.
    const said = context.json
      ? safeJson(line)
      : terminalLine(`${id.slice(0, 16)}  ${status}  ${agent}  ${what}`)
    return terminal.print(said)
  }
  for (;;) {
    const now = await whatWaitsOnceThere(context)
    for (const item of now) {
      if (known.get(item.id)?.status !== item.status) await tell(item, item.status)
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

const tableOf = (items: readonly Waiting[], { terminal, now }: CommandContext): string =>
  renderTable(
    ['', 'WAITS', 'AGENT', 'STATE', 'EXPIRES'],
    items.map(({ what, agent, status, expiresAt }, index) => [
      String(index + 1),
      ...[what, agent, status, formatDistance(expiresAt, now())],
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
  items: readonly Waiting[],
): Disposable & { readonly signal: AbortSignal } {
  const changed = new AbortController()
  const keyOf = (list: readonly Waiting[]): string => list.map(({ id, status }) => `${id} ${status}`).join()
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

const CODE_ANSWERS: Readonly<Record<string, WireDecision>> = {
  o: 'once',
  t: 'trust24h',
  f: 'forever',
  d: 'deny',
}
const ASK_LEVELS: Readonly<Record<string, '1h' | '24h' | 'forever'>> = { h: '1h', t: '24h', f: 'forever' }

/** Shows one, and takes its answer; a mistake leaves it waiting. */
async function lookAndAnswer(context: CommandContext, item: Waiting): Promise<void> {
  try {
    await (isAskId(item.id) ? answerAsk(context, item.id) : answerRequest(context, item.id))
  } catch (error) {
    // Answered elsewhere meanwhile, or expired: the list says what is left.
    if (!(error instanceof CliError)) throw error
    context.terminal.note(`oauth3: ${error.message}`)
  }
}

async function answerRequest(context: CommandContext, id: string): Promise<void> {
  const { terminal } = context
  const view = await fetchRequest(context, id)
  terminal.note(renderCard(view.card, terminal.style, context.now()))
  if (view.status === 'awaiting_secrets') {
    const missing = view.card.secrets.filter((secret) => secret.missing).map(({ name }) => name)
    terminal.note(`It is approved and waits for: oauth3 secret add ${missing.join(', ')}`)
    return
  }
  const answer = await terminal.ask(
    `${openQuestion(view.card)}\no once, t 24 hours, f forever, d deny, Enter later > `,
  )
  const decision = CODE_ANSWERS[(answer ?? '').toLowerCase()]
  if (decision === undefined) return
  const words = decision === 'deny' ? await terminal.ask('Why, for the agent (Enter for no reason) > ') : null
  await decide(context, view, decision, {
    yes: true,
    reason: words === null || words === '' ? undefined : words,
  })
}

async function answerAsk(context: CommandContext, id: string): Promise<void> {
  const { terminal } = context
  const view = await fetchAsk(context, id)
  terminal.note(renderAsk(view, terminal.style, context.now()))
  const answer = await terminal.ask('h an hour, t 24 hours, f until revoked, d deny, Enter later > ')
  const key = (answer ?? '').toLowerCase()
  if (key === 'd') return await denyAsk(context, view)
  const level = ASK_LEVELS[key]
  if (level !== undefined) await approveAsk(context, view, { [level]: true, yes: true })
}
