import { Option } from 'commander'
import type { z } from 'zod'
import { type AgentView, type addedAgent, WAKE_KINDS } from '../../contracts/admin/index.ts'
import { usageError } from '../cli-error.ts'
import {
  CLIENT_KINDS,
  type ClientKind,
  clientSetup,
  exportLines,
  hasWay,
  isReachable,
} from '../client-setup.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatTime } from '../text-layout.ts'
import { age, commaList } from './shared.ts'

interface PrintOptions {
  readonly print?: ClientKind
  readonly url?: string
  readonly models?: string[]
}

interface AddOptions extends PrintOptions {
  readonly cidr?: string[]
  readonly tag?: string[]
  readonly wake?: (typeof WAKE_KINDS)[number]
  readonly wakeTarget?: string
  readonly sessionKey?: string
  readonly wakeTokenStdin?: boolean
}

export const addAgentCommands: CommandGroup = (program, context) => {
  const agent = program.command('agent').description('who may ask')

  agent
    .command('add')
    .description("make an agent's token; it is printed once and kept nowhere")
    .argument('<name>')
    .option('--cidr <list>', 'addresses the token may be used from; repeatable', commaList)
    .option('--tag <tag>', "which providers' keys it may use; repeatable", commaList)
    .addOption(
      new Option(
        '--print <client>',
        'prints configuration for it with the token, once: it cannot be printed later',
      ).choices(CLIENT_KINDS),
    )
    .option('--models <list>', 'with --print openclaw: models to name in it, such as openai/gpt-5', commaList)
    .option('--url <url>', 'with --print: where the agent reaches the daemon, if not where it listens')
    .addOption(new Option('--wake <kind>', 'how this agent is told of outcomes').choices(WAKE_KINDS))
    .option('--wake-target <target>', 'hook address, or path of the CLI')
    .option('--session-key <key>', 'wakes exactly this session')
    .option(
      '--wake-token-stdin',
      "reads the wake target's token from standard input; else it is asked for, hidden",
    )
    .addHelpText(
      'after',
      examples(
        ['oauth3 agent add clawd --cidr 10.0.0.0/24', 'a token for that network only'],
        [
          'oauth3 agent add coder --print claude-code',
          'how Claude Code reaches its models through the daemon',
        ],
        [
          'oauth3 agent add clawd --print env --url http://10.0.0.1:3737 > agent.env',
          'for SDKs on another host: . ./agent.env',
        ],
        [
          'oauth3 agent add clawd --wake openclaw-hook --wake-target http://10.0.0.5:18789',
          "wakes this agent's own OpenClaw",
        ],
      ),
    )
    .action(async (name: string, options: AddOptions) => {
      const wake = await wakeFrom(options, context)
      const setup = await setupFrom(options, context)
      const body = { name, cidrs: options.cidr ?? [], tags: options.tag ?? [], ...(wake ? { wake } : {}) }
      const added = await context.client.call('addAgent', { body })
      const told = `Agent ${added.agent.name} was added`
      await showToken(added, { setup, client: options.print, told }, context)
    })

  agent
    .command('rotate')
    .description('a new token for an agent, which keeps its grants, its trust and all else; printed once')
    .argument('<name>')
    .option('--overlap <time>', 'how long the old token is good beside it, like 1h; at most 7d', age, 0)
    .addOption(
      new Option('--print <client>', 'prints configuration for it with the new token').choices(CLIENT_KINDS),
    )
    .option('--models <list>', 'with --print openclaw: models to name in it, such as openai/gpt-5', commaList)
    .option('--url <url>', 'with --print: where the agent reaches the daemon, if not where it listens')
    .addHelpText(
      'after',
      examples(
        ['oauth3 agent rotate clawd', 'the old token is refused from now on'],
        ['oauth3 agent rotate clawd --overlap 1h', 'an hour to put the new one in place'],
      ),
    )
    .action(async (name: string, options: PrintOptions & { overlap: number }) => {
      const setup = await setupFrom(options, context)
      const body = { overlap_ms: options.overlap }
      const rotated = await context.client.call('rotateAgentToken', { params: { name }, body })
      const until = rotated.agent.old_token_until
      const old =
        until === null
          ? 'the old one is refused from now on'
          : `the old one is good until ${formatTime(until)}`
      const told = `Agent ${rotated.agent.name} has a new token; ${old}`
      await showToken(rotated, { setup, client: options.print, told }, context)
    })

  agent
    .command('list')
    .description('agents, their networks, their tags and how they are woken')
    .action(async () => {
      const answer = await context.client.call('listAgents')
      const without = answer.has_default_wake ? 'default' : 'nothing (polls)'
      await context.show(answer, () =>
        answer.agents.length === 0
          ? 'No agents yet; add one with: oauth3 agent add NAME'
          : renderTable(
              ['NAME', 'ID', 'FROM', 'TAGS', 'WOKEN BY', 'STATE'],
              answer.agents.map((row) => [
                row.name,
                row.id,
                row.cidrs.join(', ') || 'anywhere',
                row.tags.join(', ') || 'none',
                row.wake ? `${row.wake.kind} ${row.wake.target}` : without,
                stateOf(row),
              ]),
              context.terminal.style,
              {
                columns: context.terminal.columns,
                shrink: [
                  [4, 12],
                  [3, 8],
                  [2, 9],
                ],
              },
            ),
      )
    })

  agent
    .command('tag')
    .description("replace an agent's tags; without --tag it has none afterwards")
    .argument('<name>')
    .option('--tag <tag>', 'repeatable', commaList)
    .addHelpText(
      'after',
      examples(['oauth3 agent tag clawd --tag work', 'it may use keys tagged work, and untagged ones']),
    )
    .action(async (name: string, options: { tag?: string[] }) => {
      const body = { tags: options.tag ?? [] }
      const { agents } = await context.client.call('listAgents')
      const before = agents.find((one) => one.name === name && one.revoked_at === null)?.tags ?? []
      const gone = before.filter((tag) => !body.tags.includes(tag))
      const changed = await context.client.call('setAgentTags', { params: { name }, body })
      const lost = gone.length === 0 ? '' : ` It had, and has no more: ${gone.join(', ')}.`
      await context.show(
        changed,
        () => `${changed.name} has the tags: ${changed.tags.join(', ') || 'none'}.${lost}`,
      )
    })

  agent
    .command('print', { hidden: true })
    .argument('[name]')
    .argument('[client]')
    .action(() => {
      throw usageError(
        'A token is shown once, when its agent is made, and kept nowhere: use oauth3 agent add NAME --print CLIENT.',
      )
    })

  agent
    .command('revoke')
    .description("end an agent's token, and what it has under way, at once")
    .argument('<name>')
    .action(async (name: string) => {
      const answer = await context.client.call('revokeAgent', { params: { name } })
      await context.show(
        answer,
        () => `${name} revoked; its token is refused from now on, and its code ends.`,
      )
    })
}

function stateOf({ revoked_at: revokedAt, old_token_until: oldUntil }: AgentView): string {
  if (revokedAt !== null) return `revoked ${formatTime(revokedAt)}`
  return oldUntil === null ? 'active' : `active; its old token until ${formatTime(oldUntil)}`
}

/** The token is in this answer and nowhere else. */
async function showToken(
  made: z.infer<typeof addedAgent>,
  {
    setup,
    client,
    told,
  }: { setup: Awaited<ReturnType<typeof setupFrom>>; client: ClientKind | undefined; told: string },
  context: CommandContext,
): Promise<void> {
  const printed = setup?.(made.token, made.url)
  if (!printed) noteUnreachable(made.url, context)
  if (printed) {
    context.terminal.note(`${told}. The token is shown this once.`)
    if (printed.note) context.terminal.note(printed.note)
  }
  await context.show(
    printed ? { ...made, print: { client, config: printed.config } } : made,
    () => printed?.text ?? howToUse(told, made),
  )
}

/** All that can fail comes before the token is made, since it is shown only then. */
async function setupFrom(options: PrintOptions, context: CommandContext) {
  const { print: kind, url: given, models = [] } = options
  if (models.length > 0 && kind !== 'openclaw') throw usageError('--models goes with --print openclaw.')
  if (kind === undefined) {
    if (given !== undefined) throw usageError('--url goes with --print.')
    return undefined
  }
  const reached = given === undefined ? undefined : plainUrl(given)
  const { providers } = await context.client.call('listProviders')
  if (kind === 'openclaw' && !providers.some(hasWay)) {
    throw usageError(
      'No provider has a key yet, so there is nothing to print; add one: oauth3 key add PROVIDER',
    )
  }
  const unknown = models.find((model) => {
    const slash = model.indexOf('/')
    return !providers.some((row) => hasWay(row) && row.name === model.slice(0, slash)) || slash < 1
  })
  if (unknown !== undefined) {
    throw usageError(`${unknown} names no provider that has a key; write it as openai/gpt-5.`)
  }
  return (token: string, listensAt: string) => {
    const url = reached ?? listensAt
    noteUnreachable(url, context)
    return clientSetup(kind, { url, token, providers, models })
  }
}

function noteUnreachable(url: string, { terminal }: CommandContext): void {
  if (!isReachable(url))
    terminal.note(`Put the address by which the agent reaches this host in the place of ${url}.`)
}

function plainUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username + url.password + url.search + url.hash !== '') {
    throw usageError('--url is an http(s) address such as http://10.0.0.1:3737.')
  }
  return url.href.replace(/\/+$/, '')
}

async function wakeFrom(options: AddOptions, context: CommandContext) {
  const { wake: kind, wakeTarget: target, sessionKey, wakeTokenStdin } = options
  if (kind === undefined) {
    if (target !== undefined || sessionKey !== undefined || wakeTokenStdin) {
      throw usageError('--wake-target, --session-key and --wake-token-stdin need --wake.')
    }
    return undefined
  }
  if (target === undefined) throw usageError(`--wake ${kind} needs --wake-target.`)
  const session = sessionKey === undefined ? {} : { session_key: sessionKey }
  if (kind === 'openclaw-cli') {
    if (wakeTokenStdin) throw usageError('--wake openclaw-cli takes no token.')
    return { kind, target, ...session }
  }
  if (!wakeTokenStdin && !context.terminal.isInteractive) {
    throw usageError(`--wake ${kind} needs a token: add --wake-token-stdin and give it on standard input.`)
  }
  // Nobody types a token for a daemon that is not there.
  if (!wakeTokenStdin) await context.client.call('listAgents')
  const token = wakeTokenStdin
    ? await context.terminal.readSecretFromInput()
    : await context.terminal.readSecret(`Token of ${target}:`)
  if (token === '') throw usageError('The wake token is empty; nothing was stored.')
  return { kind, target, token, ...session }
}

const howToUse = (told: string, { token, url }: z.infer<typeof addedAgent>): string =>
  [
    `${told}. Give it these; the token is shown this once:`,
    '',
    ...exportLines({ OAUTH3_URL: url, OAUTH3_TOKEN: token }).map((line) => `  ${line}`),
    '',
    'A first request of its own, which then waits for you in oauth3 watch:',
    '',
    '  curl -sS "$OAUTH3_URL/execute" -H "Authorization: Bearer $OAUTH3_TOKEN" \\',
    '    -H "Content-Type: application/json" \\',
    `    -d '{"skill_id": "hello", "code": "console.log(6 * 7)"}'`,
    '',
    'Claude Code asks over MCP:',
    '',
    '  claude mcp add --transport http oauth3 "$OAUTH3_URL/mcp" \\',
    '    --header "Authorization: Bearer $OAUTH3_TOKEN"',
    '',
    'For OpenClaw, copy docs/openclaw-skill into its workspace as skills/oauth3.',
  ].join('\n')
