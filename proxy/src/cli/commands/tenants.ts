import { readFileSync } from 'node:fs'
import type { TenantView } from '../../contracts/admin/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatTime } from '../text-layout.ts'
import { commaList } from './shared.ts'

interface ChatOptions {
  readonly telegramTokenFile?: string
  readonly telegramChat?: string
  readonly approver?: string[]
}

const BOT =
  'A bot serves one tenant: make one for each with @BotFather. Webhooks are for the tenant default alone; the bots of others are polled.'

export const addTenantCommands: CommandGroup = (program, context) => {
  const tenant = program
    .command('tenant')
    .description('others with a vault, agents, a chat and an audit of their own, on this daemon')

  tenant
    .command('add')
    .description('make a tenant; commands are about it with --tenant NAME')
    .argument('<name>', 'a–z 0–9 -')
    .option('--telegram-chat <id>', 'the chat that is asked; its bot token is asked for, hidden')
    .option('--telegram-token-file <file>', "file with the bot's token; - for standard input")
    .option('--approver <id>', 'user id of who may answer; repeatable; required for a group', commaList)
    .addHelpText(
      'after',
      helpTexts(
        examples(
          ['oauth3 tenant add acme', 'answered with oauth3 watch --tenant acme'],
          [
            'oauth3 tenant add acme --telegram-chat 4711 --telegram-token-file acme.token',
            'asked in a chat of its own',
          ],
          ['oauth3 agent add clawd --tenant acme', 'an agent of acme'],
        ),
        paragraph(BOT),
      ),
    )
    .action(async (name: string, options: ChatOptions) => {
      const body = { name, chat: await chatFrom(options, context) }
      const added = await context.client.call('addTenant', { body })
      await context.show(added, () => `Tenant ${added.name} was added; ${asked(added)}.`)
    })

  tenant
    .command('list')
    .description('the tenants, where they are asked, and how many agents they have')
    .action(async () => {
      const answer = await context.client.call('listTenants')
      await context.show(answer, () =>
        renderTable(
          ['NAME', 'ID', 'CHAT', 'AGENTS', 'SINCE', 'STATE'],
          answer.tenants.map((row) => [
            row.name,
            row.id,
            row.chat_id ?? 'none',
            String(row.agents),
            formatTime(row.created_at),
            row.problem ?? 'served',
          ]),
          context.terminal.style,
          { columns: context.terminal.columns, shrink: [[5, 12]] },
        ),
      )
    })

  tenant
    .command('members')
    .description('who may decide for the tenant that --tenant names, by their accounts')
    .action(async () => {
      const answer = await context.client.call('listMembers')
      await context.show(answer, () =>
        renderTable(
          ['CHANNEL', 'PERSON', 'ROLE', 'SINCE'],
          answer.members.map((row) => [row.channel, row.person, row.role, formatTime(row.since)]),
          context.terminal.style,
          { columns: context.terminal.columns, shrink: [[1, 20]] },
        ),
      )
    })

  tenant
    .command('set')
    .description('give a tenant another chat, or none; what it has under way is given a moment')
    .argument('<name>')
    .option('--telegram-chat <id>', 'the chat that is asked; its bot token is asked for, hidden')
    .option('--telegram-token-file <file>', "file with the bot's token; - for standard input")
    .option('--approver <id>', 'user id of who may answer; repeatable; required for a group', commaList)
    .option('--no-telegram', 'it has no chat')
    .addHelpText(
      'after',
      helpTexts(
        examples(
          ['oauth3 tenant set acme --telegram-chat 4711 --telegram-token-file acme.token', 'another chat'],
          ['oauth3 tenant set acme --no-telegram', 'answered on this machine alone'],
        ),
        paragraph(BOT),
      ),
    )
    .action(async (name: string, options: ChatOptions & { readonly telegram: boolean }) => {
      const chat = await chatFrom(options, context)
      if (chat === null && options.telegram) throw usageError('Say --telegram-chat ID, or --no-telegram.')
      if (chat !== null && !options.telegram)
        throw usageError('Say --telegram-chat or --no-telegram, not both.')
      const changed = await context.client.call('setTenantChat', { params: { name }, body: { chat } })
      await context.show(changed, () => `Tenant ${changed.name} was changed; ${asked(changed)}.`)
    })

  tenant
    .command('remove')
    .description('destroy the keys of a tenant, and delete all that it has; nothing brings it back')
    .argument('<name>')
    .option('--yes', 'does not ask')
    .addHelpText(
      'after',
      helpTexts(
        examples(['oauth3 tenant remove acme', 'asks first']),
        paragraph('Backups that were made before still hold it: the master key opens them.'),
      ),
    )
    .action(async (name: string, options: { readonly yes?: true }) => {
      if (options.yes !== true) await assertMeant(name, context)
      const removed = await context.client.call('removeTenant', { params: { name } })
      const rest = removed.finished ? 'all that it had is deleted' : 'its rows are being deleted'
      await context.show(removed, () => `Tenant ${removed.name} was removed: its keys are gone, ${rest}.`)
    })
}

const asked = ({ name, chat_id }: Pick<TenantView, 'name' | 'chat_id'>): string =>
  chat_id === null ? `it has no chat: answer with oauth3 watch --tenant ${name}` : `chat ${chat_id} is asked`

/** The token is never an argument: other processes of this machine read those. */
async function chatFrom(options: ChatOptions, { terminal }: CommandContext) {
  const { telegramChat, telegramTokenFile, approver } = options
  if (telegramChat === undefined) {
    if (telegramTokenFile === undefined && approver === undefined) return null
    throw usageError('A bot and approvers are of a chat; add --telegram-chat ID.')
  }
  const token =
    telegramTokenFile === undefined
      ? await terminal.readSecret('Bot token:')
      : telegramTokenFile === '-'
        ? await terminal.readSecretFromInput()
        : tokenIn(telegramTokenFile)
  return { token: token.trim(), chat_id: telegramChat, approver_ids: approver ?? [] }
}

function tokenIn(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw usageError(`The file of the token cannot be read: ${(error as NodeJS.ErrnoException).code}.`)
  }
}

/** Nothing brings it back, so whoever removes it says that it is meant. */
async function assertMeant(name: string, { client, terminal }: CommandContext): Promise<void> {
  const { tenants } = await client.call('listTenants')
  const found = tenants.find((row) => row.name === name)
  // The daemon says best what cannot be removed.
  if (found === undefined || found.id === 'default') return
  if (!terminal.isInteractive) throw usageError('Nothing brings a tenant back; add --yes if that is meant.')
  const agents = found.agents === 1 ? 'one agent' : `${found.agents} agents`
  if (await terminal.confirm(`Remove the tenant ${name} with ${agents}, its secrets and its audit?`)) return
  throw new CliError('failed', EXIT.failed, 'Nothing was removed.')
}
