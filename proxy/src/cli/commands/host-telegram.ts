import type { Command } from 'commander'
import type { BotView } from '../../contracts/admin/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { examples } from '../help.ts'
import { counted, formatTime, formatTimeUtc, terminalText } from '../text-layout.ts'

interface Options {
  readonly off?: boolean
  readonly unpair?: string
}

/** The bot in Telegram by which people talk to one hosted agent. */
export function addTelegramCommand(host: Command, context: CommandContext): void {
  const { terminal } = context
  host
    .command('telegram')
    .description(
      'give a hosted agent a bot in Telegram, and print a code that pairs one chat with it; it asks for the token of a bot of its own',
    )
    .argument('<name>')
    .option('--unpair <id>', 'take a paired chat away')
    .option('--off', 'take the bot away, with its token and its pairings')
    .addHelpText(
      'after',
      examples(
        ['oauth3 host telegram claw', 'the token of a bot that @BotFather made, at the prompt'],
        ['oauth3 host telegram claw < token.txt', 'the token from standard input'],
        ['oauth3 host telegram claw --unpair 1001', 'that chat gets no answer any more'],
      ),
    )
    .action(async (name: string, { off = false, unpair }: Options) => {
      const params = { name }
      if (off && unpair !== undefined) throw usageError('Choose one of --off and --unpair.')
      if (off) {
        const answer = await context.client.call('removeBot', { params })
        return await context.show(answer, () => `${name} has no bot in Telegram any more.`)
      }
      if (unpair !== undefined) {
        const answer = await context.client.call('unpairBotChat', { params: { name, id: unpair } })
        return await context.show(answer, () => linesOf(name, answer.bot).join('\n'))
      }
      const { bot: known } = await context.client.call('readBot', { params })
      if (known !== null) await assertNoOther(name, known)
      const bot = known ?? (await added(name))
      const code = await context.client.call('makeBotCode', { params })
      await context.show({ bot, code }, () =>
        [
          ...linesOf(name, bot),
          `Pair a chat, once, until ${formatTimeUtc(Date.parse(code.expires_at))}:  ${code.link}`,
          `Or write to @${bot?.username}:  /start ${code.code}`,
        ].join('\n'),
      )
    })

  /** A token that is given to one that has a bot is meant to be used. */
  async function assertNoOther(name: string, { username }: BotView): Promise<void> {
    if (terminal.isInteractive) return
    if (!context.json)
      terminal.note(
        `${name} has a bot already, @${username}, and takes no token; a chat's code comes when standard input ends.`,
      )
    if (!(await terminal.hasInput())) return
    throw new CliError(
      'conflict',
      EXIT.refused,
      `${name} has a bot already, @${username}, so the token was not taken. Take that one away first: oauth3 host telegram ${name} --off`,
    )
  }

  async function added(name: string): Promise<BotView | null> {
    const token = (await terminal.readSecret(`Token of a bot for ${name}, from @BotFather:`)).trim()
    if (token === '') throw usageError('The token is empty; nothing was stored.')
    return (await context.client.call('addBot', { params: { name }, body: { token } })).bot
  }
}

function linesOf(name: string, bot: BotView | null): string[] {
  if (bot === null) return [`${name} has no bot in Telegram.`]
  const { username, last4, connected, problem, refused, chats } = bot
  return [
    `${name} is @${username} in Telegram, by a token that ends in ${last4}`,
    `  state       ${problem ?? (connected ? 'connected' : 'connecting')}`,
    ...chats.map(
      (chat) =>
        `  paired      ${chat.id} ${terminalText(chat.name)}, ${formatTime(Date.parse(chat.paired_at))}`,
    ),
    ...(chats.length === 0 ? ['  paired      nobody: it answers nobody'] : []),
    ...(refused === 0 ? [] : [`  strangers   ${counted(refused, 'message')} of theirs, not answered`]),
  ]
}
