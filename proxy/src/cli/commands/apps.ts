import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  APP_NETWORK_WORDS,
  APP_SCOPE_WORDS,
  type AppFileRow,
  type AppLimitsView,
  type AppView,
  type MadeApp,
  type RunSessionView,
} from '../../contracts/admin/index.ts'
import { formatBytes, formatExactUsd } from '../../kernel/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import { exportLines } from '../client-setup.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { parseMicroUsd } from '../money.ts'
import { renderTable } from '../table.ts'
import { formatTime, groupedDigits } from '../text-layout.ts'
import { commaList } from './shared.ts'

type Limits = Partial<AppLimitsView>

interface TermOptions {
  readonly scope?: string[]
  readonly model?: string[]
  readonly tool?: string[]
  readonly secrets?: string[]
  readonly network?: (typeof APP_NETWORK_WORDS)[number]
  readonly allow?: string[]
  readonly cidr?: string[]
  readonly provider?: string
  readonly seat?: boolean
  readonly limit?: Limits
  readonly keepPrompts?: boolean
}

export const addAppCommands: CommandGroup = (program, context) => {
  const app = program.command('app').description('programs that have prompts run by Claude Code (POST /run)')

  withTerms(
    app
      .command('add')
      .description('make an app and its token; it is printed once and kept nowhere')
      .argument('<name>'),
  )
    .addHelpText(
      'after',
      examples(
        [
          'oauth3 app add cauldron --cidr 172.24.0.0/16 --limit usd-per-day=5',
          'no tools, five dollars a day',
        ],
        ['oauth3 app add johnny5 --model "claude-haiku-*" --tool Read,Grep', 'these models, and two tools'],
        [
          'oauth3 app add builder --tool Bash,Read,Write --network ask --allow registry.example.com',
          'commands reach one host, and ask for each other',
        ],
      ),
    )
    .action(async (name: string, options: TermOptions) => {
      const made = await context.client.call('addApp', { body: { name, ...termsOf(options) } })
      await showToken(context, made, `App ${name} was added`)
    })

  withTerms(
    app.command('set').description('change what an app may; what is not named stays').argument('<name>'),
  )
    .option('--no-keep-prompts', 'its prompts are not kept')
    .option('--no-seat', 'its runs go by a key again')
    .addHelpText(
      'after',
      examples(['oauth3 app set cauldron --tool none --limit usd-per-day=none', 'takes away']),
    )
    .action(async (name: string, options: TermOptions) => {
      const body = termsOf(options)
      if (Object.keys(body).length === 0)
        throw usageError('Name what is to change; see oauth3 app set --help.')
      const changed = await context.client.call('changeApp', { params: { name }, body })
      await context.show(changed, () => linesOf(changed).join('\n'))
    })

  app
    .command('list')
    .description('apps, and what they may')
    .action(async () => {
      const answer = await context.client.call('listApps')
      await context.show(answer, () => tableOf(context, answer.apps, answer.url))
    })

  app
    .command('show')
    .description('one app: what it may, and its limits')
    .argument('<name>')
    .action(async (name: string) => {
      const { apps } = await context.client.call('listApps')
      const named = apps.filter((row) => row.name === name)
      const found = named.find(({ revoked_at }) => revoked_at === null) ?? named.at(-1)
      if (found === undefined) throw new CliError('not_found', EXIT.notFound, `No app named ${name}.`)
      await context.show(found, () => linesOf(found).join('\n'))
    })

  app
    .command('files')
    .description('files that an app uploaded for its runs, and how long they are kept')
    .argument('<name>')
    .option('--remove <file_token>', 'remove this one')
    .action(async (name: string, { remove }: { readonly remove?: string }) => {
      if (remove !== undefined) {
        const done = await context.client.call('removeAppFile', { params: { name, file: remove } })
        await context.show(done, () => `${remove} removed.`)
        return
      }
      const answer = await context.client.call('listAppFiles', { params: { name } })
      await context.show(answer, () => filesTable(context, answer.files))
    })

  app
    .command('sessions')
    .description('conversations that runs of an app may go on with')
    .argument('<name>')
    .option('--forget <id>', 'forget this one')
    .action(async (name: string, { forget }: { readonly forget?: string }) => {
      if (forget !== undefined) {
        const done = await context.client.call('removeRunSession', { params: { name, session: forget } })
        await context.show(done, () => `${forget} forgotten.`)
        return
      }
      const answer = await context.client.call('listRunSessions', { params: { name } })
      await context.show(answer, () => sessionsTable(context, answer.sessions))
    })

  app
    .command('rotate')
    .description('a new token for an app, which keeps all else; the old one is refused at once; printed once')
    .argument('<name>')
    .action(async (name: string) => {
      const made = await context.client.call('rotateAppToken', { params: { name } })
      await showToken(context, made, `App ${name} has a new token; the old one is refused from now on`)
    })

  app
    .command('revoke')
    .description("end an app's token at once, and what it has waiting or running")
    .argument('<name>')
    .action(async (name: string) => {
      const answer = await context.client.call('revokeApp', { params: { name } })
      await context.show(answer, () => `${name} revoked; its token is refused from now on.`)
    })
}

const withTerms = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--scope <list>',
        `what its token is for: ${APP_SCOPE_WORDS.join(', ')}; a new app has both`,
      ).argParser(scopes),
    )
    .option(
      '--model <list>',
      'models it may use, or their beginnings with *; none takes the list away',
      commaList,
    )
    .option(
      '--tool <list>',
      "Claude Code's tools that its runs may have; none for none, as in a new app",
      commaList,
    )
    .option(
      '--secrets <list>',
      'secrets that requests of its runs may ask for; none for none, as in a new app, any for all that there are',
      commaList,
    )
    .addOption(
      new Option(
        '--network <what>',
        'what becomes of a command that wants to reach a host: ask a person (needs Bash among the tools), or off, as in a new app',
      ).choices(APP_NETWORK_WORDS),
    )
    .option(
      '--allow <list>',
      'hosts that commands reach without a question with --network ask, HOST or HOST:PORT; none for none',
      commaList,
    )
    .option('--cidr <list>', 'addresses the token may be used from, beside loopback; none for any', commaList)
    .option('--provider <name>', 'whose model it uses; a new app has anthropic')
    .option('--seat', 'its runs go by the seat of your own subscription in place of a key (key add --seat)')
    .option('--limit <name=value>', `${LIMIT_WORDS.join(', ')}; repeatable, none takes one away`, limitOf)
    .option('--keep-prompts', 'its prompts are kept, sealed, as long as their results')

function scopes(text: string, before: string[] = []): string[] {
  const list = commaList(text, before)
  if (list.every((word) => (APP_SCOPE_WORDS as readonly string[]).includes(word))) return list
  throw new InvalidArgumentError(`It takes ${APP_SCOPE_WORDS.join(', ')}.`)
}

/** As they are written on the command line. */
const LIMITS = {
  'usd-per-day': { name: 'micro_usd_per_day', isMoney: true, says: 'a day' },
  'tokens-per-day': { name: 'tokens_per_day', isMoney: false, says: 'tokens a day' },
  'requests-per-minute': { name: 'requests_per_minute', isMoney: false, says: 'model calls a minute' },
  'runs-per-day': { name: 'runs_per_day', isMoney: false, says: 'runs a day' },
  'usd-per-run': { name: 'micro_usd_per_run', isMoney: true, says: 'a run' },
  'tokens-per-run': { name: 'tokens_per_run', isMoney: false, says: 'tokens a run' },
  'requests-per-run': { name: 'requests_per_run', isMoney: false, says: 'model calls a run' },
  running: { name: 'max_running', isMoney: false, says: 'runs at once' },
} as const satisfies Readonly<
  Record<string, { readonly name: keyof AppLimitsView; readonly isMoney: boolean; readonly says: string }>
>
const LIMIT_WORDS = Object.keys(LIMITS)

function limitOf(text: string, before: Limits = {}): Limits {
  const [word = '', ...values] = text.split('=')
  const value = values.join('=')
  const limit = Object.hasOwn(LIMITS, word) ? LIMITS[word as keyof typeof LIMITS] : undefined
  if (limit === undefined)
    throw new InvalidArgumentError(`It takes ${LIMIT_WORDS.join(', ')}, as name=value.`)
  return { ...before, [limit.name]: amountOf(value, limit.isMoney) }
}

function amountOf(value: string, isMoney: boolean): number | null {
  if (value === 'none') return null
  if (isMoney) {
    const amount = parseMicroUsd(value)
    if (amount > 0) return amount
  } else if (/^[1-9][0-9]{0,14}$/.test(value)) return Number(value)
  throw new InvalidArgumentError(
    isMoney ? 'It takes dollars such as 2.50, or none.' : 'It takes a whole number from 1, or none.',
  )
}

const isWord = (list: readonly string[], word: string): boolean => list.length === 1 && list[0] === word
/** Taken for a name it would be shown as what it is not. */
const standsAmongOthers = (list: readonly string[] = [], ...words: readonly string[]): boolean =>
  list.length > 1 && words.some((word) => list.includes(word))
const isNone = (list: readonly string[]): boolean => isWord(list, 'none')

function termsOf(options: TermOptions) {
  const { scope, model, tool, secrets, network, allow, cidr, provider, seat, limit, keepPrompts } = options
  if (standsAmongOthers(model, 'none') || standsAmongOthers(secrets, 'none', 'any'))
    throw usageError('none and any stand alone.')
  return {
    ...(scope === undefined ? {} : { scopes: scope as (typeof APP_SCOPE_WORDS)[number][] }),
    ...(model === undefined ? {} : { models: isNone(model) ? null : model }),
    ...(tool === undefined ? {} : { tools: isNone(tool) ? [] : tool }),
    ...(secrets === undefined
      ? {}
      : { secrets: isWord(secrets, 'any') ? null : isNone(secrets) ? [] : secrets }),
    ...(network === undefined ? {} : { network }),
    ...(allow === undefined ? {} : { hosts: isNone(allow) ? [] : allow }),
    ...(cidr === undefined ? {} : { cidrs: isNone(cidr) ? [] : cidr }),
    ...(provider === undefined ? {} : { provider }),
    ...(seat === undefined ? {} : { seat }),
    ...(limit === undefined ? {} : { limits: limit }),
    ...(keepPrompts === undefined ? {} : { keeps_prompts: keepPrompts }),
  }
}

const limitsText = (limits: AppLimitsView): string =>
  Object.values(LIMITS)
    .flatMap(({ name, isMoney, says }) => {
      const value = limits[name]
      return value === null ? [] : [`${isMoney ? formatExactUsd(value) : groupedDigits(value)} ${says}`]
    })
    .join(', ') || 'none'

const modelsText = ({ models, seat }: AppView): string =>
  `${models?.join(', ') ?? 'any'}${seat ? ' (seat)' : ''}`

const networkText = ({ network, hosts }: AppView): string =>
  network === 'off'
    ? 'off: commands reach no host'
    : `${hosts.length === 0 ? 'commands ask for each host' : `commands reach ${hosts.join(', ')}, and ask for any other`}`

const stateOf = ({ revoked_at: at }: AppView): string =>
  at === null ? 'active' : `revoked ${formatTime(at)}`

function tableOf(context: CommandContext, apps: readonly AppView[], url: string | null): string {
  if (apps.length === 0) return 'No apps yet; add one with: oauth3 app add NAME'
  const table = renderTable(
    ['NAME', 'ID', 'SCOPES', 'MODELS', 'TOOLS', 'LIMITS', 'STATE'],
    apps.map((row) => [
      ...[row.name, row.id, row.scopes.join(', '), modelsText(row)],
      ...[row.tools.join(', ') || 'none', limitsText(row.limits), stateOf(row)],
    ]),
    context.terminal.style,
    {
      columns: context.terminal.columns,
      shrink: [
        [5, 12],
        [3, 8],
        [4, 8],
      ],
    },
  )
  return url === null ? `${table}\nRuns are off: CLAWDFORGE_PORT turns them on.` : table
}

function filesTable(context: CommandContext, files: readonly AppFileRow[]): string {
  if (files.length === 0) return 'No files.'
  return renderTable(
    ['FILE', 'NAME', 'SIZE', 'UPLOADED', 'KEPT UNTIL'],
    files.map((row) => [
      ...[row.file_token, row.name, formatBytes(row.bytes)],
      ...[formatTime(row.created_at), formatTime(row.expires_at)],
    ]),
    context.terminal.style,
    { columns: context.terminal.columns, shrink: [[1, 8]] },
  )
}

function sessionsTable(context: CommandContext, sessions: readonly RunSessionView[]): string {
  if (sessions.length === 0) return 'No sessions.'
  return renderTable(
    ['SESSION', 'RUNS', 'SIZE', 'USED', 'KEPT UNTIL'],
    sessions.map((row) => [
      ...[row.id, groupedDigits(row.runs), formatBytes(row.bytes)],
      ...[formatTime(row.used_at), formatTime(row.expires_at)],
    ]),
    context.terminal.style,
    { columns: context.terminal.columns, shrink: [[0, 12]] },
  )
}

const linesOf = (row: AppView): string[] => [
  `${row.name} (${row.id}), ${stateOf(row)}`,
  `  token for   ${row.scopes.join(', ')}, from ${row.cidrs.join(', ') || 'wherever the port may be called from'}`,
  `  models      ${row.models?.join(', ') ?? 'any'} of ${row.provider}${row.seat ? ', by your seat' : ''}`,
  `  tools       ${row.tools.join(', ') || 'none'}`,
  `  secrets     ${row.secrets === null ? 'any' : row.secrets.join(', ') || 'none'}`,
  `  network     ${networkText(row)}`,
  `  limits      ${limitsText(row.limits)}`,
  `  prompts     ${row.keeps_prompts ? 'kept, sealed' : 'not kept'}`,
  ...row.notes.map((note) => `  note        ${note}`),
]

/** The token is in this answer and nowhere else. */
async function showToken(context: CommandContext, made: MadeApp, told: string): Promise<void> {
  const { token, url } = made
  await context.show(made, () =>
    [
      `${told}. The token is shown this once:`,
      '',
      ...exportLines({ CLAWDFORGE_TOKEN: token }).map((line) => `  ${line}`),
      '',
      url === null
        ? 'Runs are off: set CLAWDFORGE_PORT and start the daemon anew.'
        : `  curl -sS ${url}/run -H "Authorization: Bearer $CLAWDFORGE_TOKEN" -H "Content-Type: application/json" \\\n    -d '{"prompt": "Reply with one word."}'`,
      ...made.app.notes.flatMap((note) => ['', note]),
    ].join('\n'),
  )
}
