import { InvalidArgumentError } from 'commander'
import {
  type ApprovalSummary,
  type GrantView,
  MAX_REASON_CHARS,
  type RequestView,
} from '../../contracts/admin/index.ts'
import { renderApproval, renderOutcome, stateText } from '../approval-card.ts'
import { usageError } from '../cli-error.ts'
import { assertConsent } from '../consent-option.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { renderOutput } from '../terminal-card.ts'
import { formatDistance, formatTime, terminalLine } from '../text-layout.ts'
import { type AnswerOptions, decide, fetchApproval, jsonOf, noFrom, offeredText, yesFrom } from './decide.ts'
import { addLimitOptions } from './limits.ts'
import { timeAt } from './shared.ts'

export const addRequestCommands: CommandGroup = (program, context) => {
  const listCommand = (name: string, what: string) =>
    program
      .command(name)
      .description(what)
      .option('--all', 'the newest whatever their state, in place of what waits')
  const list = async (options: { all?: boolean }, before: object = {}): Promise<void> => {
    const query = options.all ? { all: '1' as const } : {}
    const { approvals } = await context.client.call('listApprovals', { query })
    await context.show({ approvals, ...before }, () => {
      if (approvals.length > 0) return requestTable(approvals, options.all === true, context)
      return options.all ? 'No requests yet.' : 'Nothing waits for you.'
    })
  }
  const requests = listCommand('requests', 'all that waits for you, whatever it asks for').action((options) =>
    list(options),
  )
  requests
    .command('again')
    .description('ask once more what expired; the new request waits for your answer')
    .argument('<id>', 'an id (req_…, ask_…) or its beginning')
    .action(async (id: string) => {
      const { id: expired, consent_hash } = await fetchApproval(context, id)
      const again = await context.client.call('askAgain', { params: { id: expired }, body: { consent_hash } })
      await context.show(
        jsonOf(again),
        () =>
          `${again.id} asks what ${expired} asked, and waits for you: oauth3 show ${again.id.slice(0, 16)}`,
      )
    })
  listCommand('pending', 'the same as requests; its JSON has the lists of versions before as well').action(
    async (options: { all?: boolean }) => {
      if (!context.json) return await list(options)
      const query = options.all ? { all: '1' as const } : {}
      const { requests } = await context.client.call('listRequests', { query })
      const { asks } = await context.client.call('listAsks')
      await list(options, { requests, asks })
    },
  )

  program
    .command('show')
    .description('the card of a request, whole code included, and what became of it')
    .argument('<id>', 'an id (req_…, ask_…) or its beginning')
    .option(
      '--before',
      'beside it its args and code as they were approved before, where they are others by now',
    )
    .action(async (id: string, options: { before?: boolean }) => {
      const view = await fetchApproval(context, id)
      const call = { params: { id: view.id } }
      const { texts } = options.before ? await context.client.call('compareApproval', call) : { texts: [] }
      await context.show({ ...jsonOf(view), ...(options.before && { compared: texts }) }, () => {
        const { style } = context.terminal
        const parts = [renderApproval(view, style, context.now()), renderOutcome(view, style)]
        if (view.awaited !== null) parts.push(view.awaited)
        for (const { label, before } of texts)
          parts.push(...renderOutput(`${label} as approved before`, before ?? 'no longer kept', style))
        if (view.can_ask_again) parts.push(`\n  oauth3 requests again ${view.id.slice(0, 16)}`)
        if (view.superseded_by !== null) parts.push(`Asked again as ${view.superseded_by}.`)
        if (view.again_of !== null) parts.push(`Asks again what ${view.again_of} asked.`)
        if (view.state === 'pending') {
          const short = view.id.slice(0, 16)
          // A line that is copied whole is one answer, and no pipe.
          const options = offeredText(view).replace(/ \| | (?=\[)/, '   # or ')
          parts.push(`\n  oauth3 approve ${short} ${options}\n  oauth3 deny ${short}`)
        }
        if (view.can_stop) parts.push(`\n  oauth3 stop ${view.id.slice(0, 16)}`)
        return parts.join('\n')
      })
    })

  const approve = program
    .command('approve')
    .description('say yes to a request, as it was shown; show says which of the options it takes')
    .argument('<id>', 'an id (req_…, ask_…) or its beginning')
    .option('--once', 'this time only')
    .option('--1h', 'for an hour')
    .option('--24h', 'for 24 hours')
    .option('--forever', 'until revoked')
    .option('--uses <n>', 'code: for so many runs, this one among them', usesFrom)
    .option('--until <time>', 'until then, such as 2026-12-31T00:00:00Z', untilFrom)
    .option('--any-args', 'code, with --24h, --forever, --uses or --until: whatever its args')
    .option('--yes', 'do not ask, although this is a terminal')
    .option('--wait', 'stay until nothing more comes of it, show what came, and fail where it failed')
    .option('--consent <hash>', 'refuse unless this is the consent (from show); its beginning is enough')
    .option('--model-only', 'a provider: only the model that was asked for')
    .option('--for-run', 'a tool call, with --once: the same call for the rest of its run')
  addLimitOptions(approve)
    .addHelpText(
      'after',
      examples(
        ['oauth3 approve req_1f0c --once', 'shows the card and the code, asks, then runs it once'],
        ['oauth3 approve req_1f0c --uses 3 --until 2026-12-31T00:00:00Z', 'three runs, and none after that'],
        ['oauth3 approve 1f0c --24h --consent 9ab1d2c3', 'only if it is still what show displayed'],
        ['oauth3 approve ask_77d0 --24h --usd-per-day 2.00', 'the provider for a day, for at most $2'],
      ),
    )
    .action(
      async (
        id: string,
        options: AnswerOptions & {
          readonly consent?: string
          readonly yes?: boolean
          readonly wait?: boolean
        },
      ) => {
        const view = await fetchApproval(context, id)
        const choice = yesFrom(view, options)
        if (options.consent !== undefined) assertConsent(view, options.consent)
        await decide(context, view, choice, options)
      },
    )

  program
    .command('deny')
    .description('refuse a request')
    .argument('<id>', 'an id (req_…, ask_…) or its beginning')
    .option('--reason <text>', 'why, in a line that the agent is told; for code')
    .addHelpText(
      'after',
      examples(['oauth3 deny req_1f0c --reason "use the staging account"', 'the agent reads why']),
    )
    .action(async (id: string, options: { reason?: string }) => {
      const reason = reasonFrom(options.reason)
      const view = await fetchApproval(context, id)
      await decide(context, view, noFrom(view, reason), { reason })
    })

  program
    .command('stop')
    .description(
      'stop code that you or a grant let run, under way or about to begin; returns when it has ended',
    )
    .argument('<id>', 'an id (req_…) or its beginning')
    .addHelpText(
      'after',
      examples(
        [
          'oauth3 stop req_1f0c',
          'its container and connections end, what it has sent stays sent; its agent is told',
        ],
        ['oauth3 requests --all', 'what is running, among the newest'],
      ),
    )
    .action(async (id: string) => {
      const view = await context.client.call('stopRequest', { params: { id } })
      const { grants } = await context.client.call('listTrust')
      await context.show(view, () => [stoppedText(view), ...grants.flatMap(grantText(view))].join('\n'))
    })
}

/** The run may have come to its own end in the same moment, or not be over yet. */
function stoppedText({ request_id, skill_id, status, ended, failure }: RequestView): string {
  const name = `${request_id} (${terminalLine(skill_id)})`
  if (failure === 'stopped') return `${name} was stopped; it is not repeated.`
  if (ended) return `${name} had just ended: ${status}.`
  return `${name} is being stopped, and its end is not stored yet: oauth3 show ${request_id.slice(0, 16)}`
}

/** What allowed it is not ended with it. */
const grantText =
  ({ request_id, decided_by }: RequestView) =>
  ({ id, request_id: asked }: GrantView): string[] =>
    asked === request_id || decided_by === `grant:${id}`
      ? [`Grant ${id} lets it run again: oauth3 trust revoke ${id}`]
      : []

function usesFrom(text: string): number {
  if (!/^[1-9][0-9]{0,6}$/.test(text)) throw new InvalidArgumentError('It takes a whole number from 1.')
  return Number(text)
}

function untilFrom(text: string): number {
  const at = timeAt(text, true)
  if (at === undefined)
    throw new InvalidArgumentError(
      'It takes a day like 2026-12-31, to its end, or a time like 2026-12-31T08:00:00Z.',
    )
  return at
}

function reasonFrom(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const reason = text.trim()
  if (reason === '' || reason.length > MAX_REASON_CHARS)
    throw usageError(`--reason takes 1 to ${MAX_REASON_CHARS} characters.`)
  return reason
}

const requestTable = (
  requests: readonly ApprovalSummary[],
  isAll: boolean,
  { terminal, now }: CommandContext,
): string =>
  renderTable(
    ['REQUEST', 'FOR', 'AGENT', 'STATE', isAll ? 'ASKED' : 'EXPIRES'],
    requests.map((row) => [
      row.id.slice(0, 16),
      row.summary,
      row.agent,
      stateText(row),
      isAll ? formatTime(row.created_at) : formatDistance(row.expires_at, now()),
    ]),
    terminal.style,
    {
      columns: terminal.columns,
      shrink: [
        [1, 12],
        [2, 8],
      ],
    },
  )
