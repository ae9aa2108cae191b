import type { AskSummary, AskView } from '../../contracts/admin/index.ts'
import { accessQuestion, renderAsk, renderAskState } from '../access-card.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import { assertConsent } from '../consent-option.ts'
import type { CommandContext } from '../context.ts'
import type { Style } from '../style.ts'
import { renderTable } from '../table.ts'
import { formatDistance } from '../text-layout.ts'
import { coverageText, givenGrantText } from './grants.ts'
import { type LimitOptions, limitsOf, limitsText, orNull } from './limits.ts'

/** Asks for a provider, as `pending`, `show`, `approve` and `deny` treat them: by their ids, which begin with ask_. */
export const isAskId = (id: string): boolean => id.startsWith('ask_')

export interface AskOptions extends LimitOptions {
  readonly once?: boolean
  readonly '1h'?: boolean
  readonly '24h'?: boolean
  readonly forever?: boolean
  readonly modelOnly?: boolean
  readonly anyArgs?: boolean
  readonly consent?: string
  readonly yes?: boolean
  readonly wait?: boolean
}

type Level = '1h' | '24h' | 'always'

export const fetchAsks = async (context: CommandContext): Promise<readonly AskSummary[]> =>
  (await context.client.call('listAsks')).asks

export const fetchAsk = (context: CommandContext, id: string): Promise<AskView> =>
  context.client.call('readAsk', { params: { id } })

export const askTable = (asks: readonly AskSummary[], style: Style, now: number, columns: number): string =>
  renderTable(
    ['PROVIDER ASK', 'AGENT', 'PROVIDER', 'GROUP', 'MODEL', 'EXPIRES'],
    asks.map((row) => [
      row.id.slice(0, 16),
      row.agent,
      row.provider,
      row.group,
      row.model ?? 'none named',
      formatDistance(row.expires_at, now),
    ]),
    style,
    {
      columns,
      shrink: [
        [4, 12],
        [1, 8],
        [2, 8],
      ],
    },
  )

export async function showAsk(context: CommandContext, id: string): Promise<void> {
  const view = await fetchAsk(context, id)
  await context.show(view, () => {
    const { style } = context.terminal
    const parts = [renderAsk(view, style, context.now()), renderAskState(view, style)]
    if (view.status === 'pending') {
      const short = view.id.slice(0, 16)
      const only = view.model === null ? '' : ' [--model-only]'
      parts.push(`\n  oauth3 approve ${short} --1h | --24h | --forever${only}\n  oauth3 deny ${short}`)
    }
    return parts.join('\n')
  })
}

/** The decision carries the hash of the very card that was fetched, and on a terminal shown. */
export async function approveAsk(context: CommandContext, view: AskView, options: AskOptions): Promise<void> {
  const level = levelFrom(options)
  if (options.modelOnly && options.models) throw usageError('Choose one of --model-only and --models.')
  if (options.consent !== undefined) assertConsent(view, options.consent)
  if (options.modelOnly && view.model === null) {
    throw usageError('The request names no model, so --model-only has none to allow; use --models.')
  }
  const { terminal } = context
  if (options.yes !== true && view.status === 'pending' && terminal.isInteractive) {
    terminal.note(renderAsk(view, terminal.style, context.now()))
    const given = { howLong: HOW_LONG[level], what: `for ${view.group}, ${givenText(view, options)}` }
    if (!(await terminal.confirm(accessQuestion(view, given)))) {
      throw new CliError('failed', EXIT.failed, 'Nothing was decided.')
    }
  }
  const decided = await context.client.call('decideAsk', {
    params: { id: view.id },
    body: {
      decision: level,
      consent_hash: view.consent_hash,
      scope: options.modelOnly ? 'model' : 'provider',
      ...(named(options.models) && { models: options.models }),
      ...(named(options.paths) && { paths: options.paths }),
      limits: limitsOf(options),
    },
  })
  await context.show(decided, () =>
    [`${decided.id} approved.`, ...(decided.grant ? [givenGrantText(decided.grant, context)] : [])].join(
      '\n',
    ),
  )
}

export async function denyAsk(context: CommandContext, view: AskView): Promise<void> {
  const body = { decision: 'deny', consent_hash: view.consent_hash } as const
  const decided = await context.client.call('decideAsk', { params: { id: view.id }, body })
  await context.show(decided, () => `${decided.id} denied: ${decided.agent} may not use ${decided.provider}.`)
}

const HOW_LONG: Readonly<Record<Level, string>> = {
  '1h': 'for 1 hour',
  '24h': 'for 24 hours',
  always: 'until revoked',
}

function levelFrom(options: AskOptions): Level {
  if (options.once) {
    throw usageError(
      '--once is for code that runs once; a provider is asked many times: choose --1h, --24h or --forever.',
    )
  }
  if (options.anyArgs || options.wait) {
    throw usageError('--any-args and --wait are for requests; this is an ask for a provider.')
  }
  const chosen = (['1h', '24h', 'forever'] as const).filter((level) => options[level] === true)
  const level = chosen[0]
  if (level === undefined || chosen.length > 1)
    throw usageError('Choose exactly one of --1h, --24h, --forever.')
  return level === 'forever' ? 'always' : level
}

const named = (list: LimitOptions['models']): list is readonly string[] =>
  list !== undefined && list !== 'none'

/** What a yes covers, and the limits that it sets; the card tells of those that stay. */
function givenText(view: AskView, options: AskOptions): string {
  const only = options.modelOnly && view.model !== null ? [view.model] : undefined
  const covers = coverageText({
    models: only ?? orNull(options.models ?? 'none'),
    paths: orNull(options.paths ?? 'none'),
  })
  const limits = limitsOf(options)
  return Object.keys(limits).length === 0 ? covers : `${covers}, ${limitsText(limits)}`
}
