import { setTimeout as delay } from 'node:timers/promises'
import {
  MAX_REASON_CHARS,
  type RequestSummary,
  type RequestView,
  type WireDecision,
} from '../../contracts/admin/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import { assertConsent } from '../consent-option.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { approvalQuestion, decisionText } from '../question.ts'
import { renderTable } from '../table.ts'
import { renderCard, renderOutcome } from '../terminal-card.ts'
import { formatDistance, formatTime } from '../text-layout.ts'
import {
  type AskOptions,
  approveAsk,
  askTable,
  denyAsk,
  fetchAsk,
  fetchAsks,
  isAskId,
  showAsk,
} from './asks.ts'
import { addLimitOptions, namesLimits } from './limits.ts'

export const addRequestCommands: CommandGroup = (program, context) => {
  program
    .command('pending')
    .description('requests to run code, and asks for a provider, that wait for you')
    .option('--all', 'the newest 200 requests whatever their state, beside the asks that wait')
    .action(async (options: { all?: boolean }) => {
      const query = options.all ? { all: '1' as const } : {}
      const { requests } = await context.client.call('listRequests', { query })
      const asks = await fetchAsks(context)
      await context.show({ requests, asks }, () => {
        const { style, columns } = context.terminal
        const tables = [
          ...(requests.length > 0 ? [requestTable(requests, options.all === true, context)] : []),
          ...(asks.length > 0 ? [askTable(asks, style, context.now(), columns)] : []),
        ]
        const nothing = options.all ? 'No requests yet.' : 'Nothing waits for you.'
        return tables.join('\n\n') || nothing
      })
    })

  program
    .command('show')
    .description('the card and the whole code of a request, or the card of an ask, and what became of it')
    .argument('<id>', 'an id (req_…, ask_…) or its beginning')
    .action(async (id: string) => {
      if (isAskId(id)) return await showAsk(context, id)
      const view = await fetchRequest(context, id)
      await context.show(view, () => {
        const { style } = context.terminal
        const title = view.status === 'pending' ? 'approval needed' : 'request'
        const isWaiting = view.status === 'pending' || view.status === 'awaiting_secrets'
        const card = renderCard(view.card, style, context.now(), { title, isWaiting })
        const parts = [card, renderOutcome(view, style)]
        if (view.status === 'pending') {
          const short = view.request_id.slice(0, 16)
          parts.push(`\n  oauth3 approve ${short} --once | --24h | --forever\n  oauth3 deny ${short}`)
        }
        return parts.join('\n')
      })
    })

  const approve = program
    .command('approve')
    .description('let a request run, as it was shown; or let an agent use a provider')
    .argument('<id>', 'an id (req_…, ask_…) or its beginning')
    .option('--once', 'req_: this run only')
    .option('--1h', 'ask_: the provider, for an hour')
    .option('--24h', 'this code with this scope, or the provider, for 24 hours')
    .option('--forever', 'this code with this scope, or the provider, until revoked')
    .option('--any-args', 'req_, with --24h or --forever: whatever its args')
    .option('--yes', 'do not ask, although this is a terminal')
    .option('--wait', 'req_: stay until it has run, show what came of it, and fail where it failed')
    .option('--consent <hash>', 'refuse unless this is the consent (from show); its beginning is enough')
    .option('--model-only', 'ask_: only the model that was asked for')
  addLimitOptions(approve)
    .addHelpText(
      'after',
      examples(
        ['oauth3 approve req_1f0c --once', 'shows the card and the code, asks, then runs it once'],
        ['oauth3 approve 1f0c --24h --consent 9ab1d2c3', 'only if it is still what show displayed'],
        ['oauth3 approve ask_77d0 --24h --usd-per-day 2.00', 'the provider for a day, for at most $2'],
      ),
    )
    .action(async (id: string, options: AskOptions) => {
      if (isAskId(id)) return await approveAsk(context, await fetchAsk(context, id), options)
      const decision = decisionFrom(options)
      const view = await fetchRequest(context, id)
      if (options.consent !== undefined) assertConsent(view, options.consent)
      const { wait = false, yes = false } = options
      await decide(context, view, decision, { wait, yes })
    })

  program
    .command('deny')
    .description('refuse a request or an ask')
    .argument('<id>', 'an id (req_…, ask_…) or its beginning')
    .option('--reason <text>', 'req_: why, in a line that the agent is told')
    .addHelpText(
      'after',
      examples(['oauth3 deny req_1f0c --reason "use the staging account"', 'the agent reads why']),
    )
    .action(async (id: string, { reason }: { reason?: string }) => {
      if (isAskId(id)) {
        if (reason !== undefined) throw usageError('--reason is for requests (req_…); this is an ask.')
        return await denyAsk(context, await fetchAsk(context, id))
      }
      await decide(context, await fetchRequest(context, id), 'deny', { reason: reasonFrom(reason) })
    })
}

function reasonFrom(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const reason = text.trim()
  if (reason === '' || reason.length > MAX_REASON_CHARS)
    throw usageError(`--reason takes 1 to ${MAX_REASON_CHARS} characters.`)
  return reason
}

const requestTable = (
  requests: readonly RequestSummary[],
  isAll: boolean,
  { terminal, now }: CommandContext,
): string =>
  renderTable(
    ['REQUEST', 'SKILL', 'AGENT', 'STATE', isAll ? 'ASKED' : 'EXPIRES'],
    requests.map((row) => [
      row.request_id.slice(0, 16),
      row.skill_id,
      row.agent,
      row.status,
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

export async function fetchRequest(context: CommandContext, id: string): Promise<RequestView> {
  try {
    return await context.client.call('readRequest', { params: { id } })
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'not_found' || id.startsWith('req_')) throw error
    throw new CliError(
      error.code,
      error.exitCode,
      `No request ${id}. Ids begin with req_, or with ask_ where an agent asks for a provider; see oauth3 pending.`,
    )
  }
}

function decisionFrom(options: AskOptions): WireDecision {
  if (options['1h'] || options.modelOnly || namesLimits(options)) {
    throw usageError('--1h, --model-only and limits are for asks (ask_…); this is a request to run code.')
  }
  const chosen = (['once', '24h', 'forever'] as const).filter((level) => options[level] === true)
  const level = chosen[0]
  if (level === undefined || chosen.length > 1)
    throw usageError('Choose exactly one of --once, --24h, --forever.')
  if (level === 'once') {
    if (options.anyArgs) throw usageError('--any-args goes with --24h or --forever.')
    return 'once'
  }
  if (level === '24h') return options.anyArgs ? 'trust24h_any' : 'trust24h'
  return options.anyArgs ? 'forever_any' : 'forever'
}

/** The decision carries the hash of the very consent that was fetched, and on a terminal shown, here. */
export async function decide(
  context: CommandContext,
  view: RequestView,
  decision: WireDecision,
  options: { readonly yes?: boolean; readonly wait?: boolean; readonly reason?: string | undefined },
): Promise<void> {
  const { terminal, client } = context
  const { card } = view
  const { yes = false, wait = false, reason } = options
  if (decision !== 'deny' && !yes && view.status === 'pending' && terminal.isInteractive) {
    terminal.note(renderCard(card, terminal.style, context.now()))
    terminal.note(`Consent ${view.consent_hash.slice(0, 16)}…`)
    const agreed = await terminal.confirm(approvalQuestion(card, decision))
    if (!agreed) throw new CliError('failed', EXIT.failed, 'Nothing was decided.')
  }
  const decided = await client.call('decideRequest', {
    params: { id: view.request_id },
    body: {
      decision,
      consent_hash: view.consent_hash,
      ...(reason === undefined ? {} : { reason }),
    },
  })
  if (wait) return await showEnd(context, decided)
  await context.show(decided, () => {
    const missing = decided.card.secrets.filter((secret) => secret.missing).map((secret) => secret.name)
    const what = decision === 'deny' ? 'denied' : `approved (${decisionText(decision)})`
    const lines = [
      `${decided.request_id} ${what}${whatFollows(decided.status, missing)}.`,
      `consent ${decided.consent_hash}`,
    ]
    if (decided.status === 'awaiting_secrets') {
      lines.push(`It runs as soon as it is stored: oauth3 secret add ${missing[0] ?? 'NAME'}`)
    }
    return lines.join('\n')
  })
}

const LOOK_MS = 500

/** Stays until it has ended; a run that failed is a command that failed. */
async function showEnd(context: CommandContext, decided: RequestView): Promise<void> {
  const missing = decided.card.secrets.filter((secret) => secret.missing).map((secret) => secret.name)
  if (decided.status === 'awaiting_secrets') {
    context.terminal.note(`It waits for ${missing.join(', ')}: oauth3 secret add ${missing[0] ?? 'NAME'}`)
  }
  let view = decided
  while (!view.ended) {
    await delay(LOOK_MS)
    view = await fetchRequest(context, decided.request_id)
  }
  await context.show(view, () => renderOutcome(view, context.terminal.style))
  if (view.status !== 'success') {
    const why = view.failure === null ? view.status : `${view.status} (${view.failure})`
    throw new CliError('failed', EXIT.failed, `The request ${view.request_id.slice(0, 16)} is ${why}.`)
  }
}

function whatFollows(status: string, missing: readonly string[]): string {
  if (status === 'denied') return ''
  if (status === 'awaiting_secrets') return `; it waits for ${missing.join(', ') || 'a secret'}`
  return status === 'approved' || status === 'running' ? '; it will run now' : `; it is ${status}`
}
