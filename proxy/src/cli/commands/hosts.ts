import {
  ADMIN_ROUTES,
  HOST_ORDERS,
  type HostedAgentView,
  type HostUsageView,
} from '../../contracts/admin/index.ts'
import { HOST_DEFAULTS } from '../../contracts/index.ts'
import { formatBytes, formatUsd } from '../../kernel/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { counted, formatDistance, formatTime, groupedDigits } from '../text-layout.ts'
import { addHostChatCommands } from './host-chat.ts'
import { addFileCommands } from './host-files.ts'
import { addInspectionCommands } from './host-inspections.ts'
import { addTelegramCommand } from './host-telegram.ts'

interface AddOptions {
  readonly provider: string
  readonly model: string
  readonly sleepAfter?: string
}

const DOES: Readonly<Record<(typeof HOST_ORDERS)[number], readonly [about: string, said: string]>> = {
  start: ['start a hosted agent, also one that failed', 'is being started'],
  stop: ['stop a hosted agent: its files stay, its memory is given back', 'is being stopped'],
  sleep: ['pause a hosted agent: it keeps its memory, and goes on when somebody comes', 'is being paused'],
  wake: ['wake a hosted agent', 'is being woken'],
  remove: ['remove a hosted agent with all its files, and revoke its token', 'is being removed'],
}

const REACH = [
  ['allow', 'let a hosted agent reach hosts of the internet, through the gateway'],
  ['deny', 'take hosts off that list again; what is under way ends'],
] as const
const reachOf = ({ egress }: HostedAgentView): string => egress.join(', ') || 'no host'

export const addHostCommands: CommandGroup = (program, context) => {
  const host = program
    .command('host')
    .description('agents that live here: an OpenClaw each, in a machine of its own')

  host
    .command('add')
    .description('make a hosted agent; it asks for a key of its model’s vendor where there is none')
    .argument('<name>')
    .option('--provider <name>', 'whose models it uses, by the Messages API', HOST_DEFAULTS.provider)
    .option('--model <id>', 'the model that it uses', HOST_DEFAULTS.model)
    .option('--sleep-after <span>', 'idle for so long it is paused: 10m, 1h, never')
    .addHelpText(
      'after',
      examples(
        ['oauth3 host add claw', 'a machine of its own, which is paused while nobody uses it'],
        ['oauth3 host add claw --sleep-after never < key.txt', 'the key from standard input'],
      ),
    )
    .action(async (name: string, options: AddOptions) => {
      const { provider, model, sleepAfter } = options
      const body = { name, provider, model, sleep_after: sleepAfter }
      await assertCanBe(context, body)
      await needKey(context, provider)
      const made = await context.client.call('addHost', { body })
      await context.show(made, () =>
        [
          `${name} was made, and is being started; its first start takes up to a minute.`,
          `Talk to it:  oauth3 host chat ${name}`,
        ].join('\n'),
      )
    })

  host
    .command('browser')
    .description('make a browser for an agent: a Chromium in a machine of its own, by the DevTools Protocol')
    .argument('<name>')
    .requiredOption('--for <agent>', 'the agent whose it is; its token opens /cdp')
    .option('--sleep-after <span>', 'idle for so long it is paused: 10m, 1h, never')
    .addHelpText(
      'after',
      examples(
        ['oauth3 host browser web --for claw', 'Playwright connects to /cdp with the token of claw'],
        ['oauth3 host allow web "*.wikipedia.org"', 'what its pages may reach; nothing at first'],
      ),
    )
    .action(async (name: string, options: { readonly for: string; readonly sleepAfter?: string }) => {
      const body = { name, agent: options.for, sleep_after: options.sleepAfter }
      const made = await context.client.call('addBrowser', { body })
      await context.show(made, () =>
        [
          `${name} was made, and is being started.`,
          `${options.for} reaches it at /cdp with its token.`,
          `Let it reach hosts:  oauth3 host allow ${name} HOST`,
        ].join('\n'),
      )
    })

  host
    .command('desktop')
    .description(
      'give a hosted agent a desktop, a screen with Chromium that its owner sees and uses in the console',
    )
    .argument('<name>')
    .option('--off', 'take it away, with its files')
    .addHelpText(
      'after',
      examples(
        [
          'oauth3 host desktop claw',
          'seen on the page of claw in the console; claw reaches its Chromium at /cdp',
        ],
        ['oauth3 host allow claw-desktop "*.wikipedia.org"', 'what it may reach; nothing at first'],
      ),
    )
    .action(async (name: string, { off = false }: { readonly off?: boolean }) => {
      const made = await context.client.call('setDesktop', { params: { name }, body: { on: !off } })
      await context.show(made, () =>
        off
          ? `${made.name} is being removed.`
          : [
              `${made.name} was made, and is being started.`,
              `See it in the console, on the page of ${name}.`,
              `Let it reach hosts:  oauth3 host allow ${made.name} HOST`,
            ].join('\n'),
      )
    })

  host
    .command('list')
    .description('hosted agents: how each is, and what comes next; wakes none')
    .action(async () => {
      const answer = await context.client.call('listHosts')
      await context.show(answer, () =>
        answer.hosts.length === 0
          ? 'No hosted agents yet; make one with: oauth3 host add NAME'
          : renderTable(
              ['NAME', 'STATE', 'MODEL', 'NEXT'],
              answer.hosts.map((row) => [row.name, row.state, modelOf(row), briefly(row, context.now())]),
              context.terminal.style,
              { columns: context.terminal.columns, shrink: [[2, 12]] },
            ),
      )
    })

  host
    .command('show')
    .description('one hosted agent, and what it used today and in 30 days, in UTC; wakes none')
    .argument('<name>')
    .action(async (name: string) => {
      const { hosts } = await context.client.call('listHosts')
      const found = hosts.find((row) => row.name === name)
      if (found === undefined)
        throw new CliError('not_found', EXIT.notFound, `No hosted agent named ${name}.`)
      const usageOf = (days: string) =>
        context.client.call('reportHostUsage', { params: { name }, query: { days } })
      const [today, month] = await Promise.all([usageOf('1'), usageOf('30')])
      await context.show({ ...found, usage: { today, days_30: month } }, () =>
        [
          ...linesOf(found, context.now()),
          `  today       ${usedText(today)}`,
          `  30 days     ${usedText(month)}`,
        ].join('\n'),
      )
    })

  for (const order of HOST_ORDERS) {
    const [about, said] = DOES[order]
    host
      .command(order)
      .description(about)
      .argument('<name>')
      .action(async (name: string) => {
        const answer = await context.client.call('orderHost', { params: { name }, body: { order } })
        await context.show(answer, () => `${name} ${said}.`)
      })
  }

  addInspectionCommands(host, context)
  addFileCommands(host, context)

  host
    .command('generations')
    .description('what is kept of the files of a hosted agent, by the times that it was stopped; wakes none')
    .argument('<name>')
    .action(async (name: string) => {
      const answer = await context.client.call('listGenerations', { params: { name } })
      await context.show(answer, () =>
        answer.generations.length === 0
          ? 'Nothing is kept yet: its files are kept each time that it is stopped.'
          : renderTable(
              ['NUMBER', 'OF', 'FILES', 'SIZE', 'NEXT WAKE'],
              answer.generations.map((one) => [
                ...[String(one.number), formatTime(one.created_at), groupedDigits(one.files)],
                ...[formatBytes(one.bytes), one.current ? 'brings these' : ''],
              ]),
              context.terminal.style,
              { columns: context.terminal.columns, shrink: [] },
            ),
      )
    })

  host
    .command('rollback')
    .description(
      'put kept files in the place of those that a hosted agent has, which are kept first; it is stopped for it',
    )
    .argument('<name>')
    .requiredOption('--to <number>', 'which: oauth3 host generations NAME')
    .action(async (name: string, { to }: { readonly to: string }) => {
      if (!/^[1-9][0-9]{0,14}$/.test(to)) throw usageError('--to takes the number of a generation.')
      const answer = await context.client.call('rollBackHost', { params: { name }, body: { to: Number(to) } })
      await context.show(
        answer,
        () =>
          `${name} has the files of generation ${to}; those that it had are kept: oauth3 host generations ${name}`,
      )
    })

  for (const [verb, about] of REACH)
    host
      .command(verb)
      .description(about)
      .argument('<name>')
      .argument('<host...>', 'api.example.com, *.example.com, example.com:8443, http://example.com')
      .action(async (name: string, hosts: string[]) => {
        const answer = await context.client.call('reachFromHost', {
          params: { name },
          body: { [verb]: hosts },
        })
        await context.show(answer, () => `${name} may reach ${reachOf(answer)}.`)
      })

  addTelegramCommand(host, context)
  addHostChatCommands(host, context)
}

/** What would be refused is refused before anything is asked for and stored. */
async function assertCanBe({ client }: CommandContext, body: { readonly name: string }): Promise<void> {
  const { error } = ADMIN_ROUTES.addHost.body.safeParse(body)
  const [issue] = error?.issues ?? []
  if (issue !== undefined) throw usageError(`${issue.path.join('.')}: ${issue.message}.`)
  if ((await client.call('listHosts')).hosts.some(({ name }) => name === body.name))
    throw new CliError('conflict', EXIT.refused, `There is a hosted agent named ${body.name}.`)
}

/** The one thing that is asked for: without a key its model answers nothing. */
async function needKey({ client, terminal }: CommandContext, provider: string): Promise<void> {
  const [{ keys }, { providers }] = await Promise.all([
    client.call('listProviderKeys'),
    client.call('listProviders'),
  ])
  if (keys.some((key) => key.provider === provider)) return
  const known = providers.find(({ name }) => name === provider)
  if (known === undefined) throw new CliError('not_found', EXIT.notFound, `No provider named ${provider}.`)
  if (known.auth.kind === 'none') return
  const value = await terminal.readSecret(`Key of ${provider}, for its model calls:`)
  if (value === '') throw usageError('The key is empty; nothing was made.')
  await client.call('addProviderKey', { body: { provider, value } })
}

const modelOf = ({ kind, model }: HostedAgentView): string => (kind === 'openclaw' ? model : `a ${kind}`)

/** For a list: why is told by `host show`. */
const briefly = (row: HostedAgentView, now: number): string => {
  if (row.memory_queue_position !== null) return row.because
  if (row.last_error !== null && row.state !== 'running') return `oauth3 host show ${row.name} says why`
  if (row.lacks_key_of !== null) return `needs a key: oauth3 key add ${row.lacks_key_of}`
  if (row.next === null || row.next_at === null) return row.because
  return `${row.next} ${formatDistance(row.next_at, now)}`
}

const nextOf = (row: HostedAgentView, now: number): string => {
  if (row.memory_queue_position !== null) return row.because
  if (row.last_error !== null && row.state !== 'running') return row.last_error
  if (row.next === null || row.next_at === null) return row.because
  const what = row.next === 'paused' ? 'is paused' : 'goes to sleep'
  return `${what} ${formatDistance(row.next_at, now)}, because ${row.because}`
}

const linesOf = (row: HostedAgentView, now: number): string[] => [
  `${row.name}: ${row.state}`,
  row.kind === 'openclaw' ? `  model       ${row.provider} ${row.model}` : `  a ${row.kind}`,
  `  may reach   ${reachOf(row)}`,
  `  next        ${nextOf(row, now)}`,
  ...(row.lacks_key_of === null
    ? []
    : [
        `  lacks       a key of ${row.lacks_key_of}, so it answers nothing: oauth3 key add ${row.lacks_key_of}`,
      ]),
  `  last error  ${row.last_error ?? 'none'}`,
  `  made        ${formatTime(row.created_at)}`,
]

const usedText = (used: HostUsageView): string =>
  [
    `awake ${groupedDigits(Math.round(used.awake_seconds))} s`,
    `${groupedDigits(Math.round(used.gb_seconds))} GB-seconds`,
    counted(used.requests, 'model call'),
    `${groupedDigits(used.input_tokens + used.output_tokens)} tokens`,
    // A sum that leaves something out is marked as what it is: at least that much.
    `${formatUsd(used.micro_usd)}${used.unpriced > 0 ? ' +' : ''}`,
  ].join(', ')
