import { Option } from 'commander'
import { addedAgent, agentList, okBody, WAKE_KINDS } from '../../surfaces/admin-api/wire.ts'
import { adminPath } from '../admin-client.ts'
import { usageError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { renderTable } from '../table.ts'
import { formatTime } from '../text-layout.ts'
import { commaList, examples } from './shared.ts'

interface AddOptions {
  readonly cidr?: string[]
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
          'oauth3 agent add clawd --wake openclaw-hook --wake-target http://10.0.0.5:18789',
          "wakes this agent's own OpenClaw",
        ],
      ),
    )
    .action(async (name: string, options: AddOptions) => {
      const wake = await wakeFrom(options, context)
      const body = { name, cidrs: options.cidr ?? [], ...(wake ? { wake } : {}) }
      const added = await context.client.call(addedAgent, 'POST', adminPath('agents'), body)
      await context.show(added, () => howToUse(added.agent.name, added.token))
    })

  agent
    .command('list')
    .description('agents, their networks and how they are woken')
    .action(async () => {
      const answer = await context.client.call(agentList, 'GET', adminPath('agents'))
      const without = answer.has_default_wake ? 'default' : 'nothing (polls)'
      await context.show(answer, () =>
        answer.agents.length === 0
          ? 'No agents yet; add one with: oauth3 agent add NAME'
          : renderTable(
              ['NAME', 'ID', 'FROM', 'WOKEN BY', 'STATE'],
              answer.agents.map((row) => [
                row.name,
                row.id,
                row.cidrs.join(', ') || 'anywhere',
                row.wake ? `${row.wake.kind} ${row.wake.target}` : without,
                row.revoked_at === null ? 'active' : `revoked ${formatTime(row.revoked_at)}`,
              ]),
              context.terminal.style,
            ),
      )
    })

  agent
    .command('revoke')
    .description("end an agent's token at once")
    .argument('<name>')
    .action(async (name: string) => {
      const answer = await context.client.call(okBody, 'DELETE', adminPath('agents', name))
      await context.show(answer, () => `${name} revoked; its token is refused from now on.`)
    })
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
  const token = wakeTokenStdin
    ? await context.terminal.readSecretFromInput()
    : await context.terminal.readSecret(`Token of ${target}:`)
  if (token === '') throw usageError('The wake token is empty; nothing was stored.')
  return { kind, target, token, ...session }
}

const howToUse = (name: string, token: string): string =>
  [
    `Agent ${name} was added. Its token, shown this once:`,
    '',
    `  ${token}`,
    '',
    'Give it to the agent as OAUTH3_TOKEN, with OAUTH3_URL naming this daemon:',
    '',
    '  curl -sS "$OAUTH3_URL/execute" -H "Authorization: Bearer $OAUTH3_TOKEN" \\',
    '    -H "Content-Type: application/json" -d @request.json',
    '',
    'For OpenClaw, copy docs/openclaw-skill into its workspace as skills/oauth3.',
  ].join('\n')
