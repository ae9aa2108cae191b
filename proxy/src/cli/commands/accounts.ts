import { usageError } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatTime, formatTimeUtc } from '../text-layout.ts'

interface QuotaOptions {
  readonly accounts?: string
  readonly machines?: string
  readonly memory?: string
}

const NO_MAIL =
  'Nothing is mailed and no address is verified: hand the link over yourself, by a way that reaches its person alone.'

export const addAccountCommands: CommandGroup = (program, context) => {
  const account = program
    .command('account')
    .description('persons who signed up, each with a tenant of their own (OAUTH3_SIGNUP)')

  account
    .command('list')
    .description('who signed up or was invited')
    .action(async () => {
      const answer = await context.client.call('listAccounts')
      await context.show(
        answer,
        () =>
          `${renderTable(
            ['ID', 'EMAIL', 'NAME', 'TENANT', 'PASSWORD', 'SINCE'],
            answer.accounts.map((row) => [
              ...[row.id, row.email ?? 'none', row.name, row.tenant],
              ...[row.has_password ? 'yes' : 'no', formatTime(row.created_at)],
            ]),
            context.terminal.style,
            { columns: context.terminal.columns, shrink: [[1, 16]] },
          )}\nSign-up: ${answer.mode}.`,
      )
    })

  account
    .command('invite')
    .description('make an account, and print a link that signs its person in, once, within a day')
    .argument('<email>')
    .addHelpText(
      'after',
      helpTexts(
        examples(['oauth3 account invite ann@example.com', 'nobody else can sign up by this address']),
        paragraph(NO_MAIL),
      ),
    )
    .action(async (email: string) => {
      const made = await context.client.call('inviteAccount', { body: { email } })
      await context.show(made, () => linkText(made))
    })

  account
    .command('link')
    .description('print a link for who has lost what signs them in: once, within an hour')
    .argument('<who>', 'email address or id')
    .addHelpText('after', helpTexts(paragraph(NO_MAIL)))
    .action(async (who: string) => {
      const made = await context.client.call('linkAccount', { params: { who } })
      await context.show(made, () => linkText(made))
    })

  account
    .command('quota')
    .description('what tenants may have; of default: what all may')
    .argument('[tenant]', 'changes it for this tenant; left out: lists')
    .option('--accounts <n>', 'how many may sign up; for default alone')
    .option('--machines <n>', 'long-running sandboxes; - as for all')
    .option('--memory <MiB>', 'of all of them together; - as for all')
    .addHelpText(
      'after',
      helpTexts(
        examples(
          ['oauth3 account quota', 'lists'],
          ['oauth3 account quota default --accounts 20 --machines 1 --memory 2048', 'for all'],
          ['oauth3 account quota acme --machines 4', 'for one'],
        ),
      ),
    )
    .action(async (name: string | undefined, options: QuotaOptions) => {
      const body = {
        ...amount('tenants', options.accounts),
        ...amount('machines', options.machines),
        ...amount('memory_mib', options.memory),
      }
      const isChange = Object.keys(body).length > 0
      if (isChange !== (name !== undefined))
        throw usageError('Name a tenant (default: for all) and what it may have, or neither to list.')
      const answer =
        name === undefined
          ? await context.client.call('readQuotas')
          : await context.client.call('setQuota', { params: { name }, body })
      await context.show(
        answer,
        () =>
          `${renderTable(
            ['TENANT', 'MACHINES', 'MEMORY MiB'],
            answer.rows.map((row) => [row.name, String(row.machines), String(row.memory_mib)]),
            context.terminal.style,
            { columns: context.terminal.columns, shrink: [[0, 12]] },
          )}\nAt most ${answer.tenants} may sign up.`,
      )
    })
}

const linkText = ({
  url,
  expires_at,
  problem,
}: {
  url: string
  expires_at: number
  problem: string | null
}) =>
  `${url}\nGood once, until ${formatTimeUtc(expires_at)}. Hand it over yourself.${problem === null ? '' : `\n${problem}`}`

function amount(what: 'tenants' | 'machines' | 'memory_mib', text: string | undefined) {
  if (text === undefined) return {}
  if (text === '-') return { [what]: null }
  if (!/^[0-9]{1,7}$/.test(text)) throw usageError('A quota is a number, or - for as all have.')
  return { [what]: Number(text) }
}
