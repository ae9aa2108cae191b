import type { PasskeyView } from '../../contracts/admin/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatTime } from '../text-layout.ts'

/** So much of an id tells passkeys apart in a table; `--json` has the whole. */
const SHOWN_CHARS = 12

export const addPasskeyCommands: CommandGroup = (program, context) => {
  const passkey = program.command('passkey').description('passkeys that sign in at the web console')

  passkey
    .command('list')
    .description('whose they are, and when each was used last')
    .addHelpText(
      'after',
      helpTexts(
        examples(['oauth3 passkey list', 'the ids are for remove']),
        paragraph('A browser registers them: open what oauth3 console prints.'),
      ),
    )
    .action(async () => {
      const answer = await context.client.call('listPasskeys')
      await context.show(answer, () =>
        answer.passkeys.length === 0
          ? 'No passkeys; oauth3 console prints a link to where one is registered.'
          : renderTable(
              ['ID', 'LABEL', 'WHO', 'SINCE', 'USED'],
              answer.passkeys.map((row) => [
                ...[row.id.slice(0, SHOWN_CHARS), row.label, `${row.who} (${row.person})`],
                formatTime(row.created_at),
                row.last_used_at === null ? 'never' : formatTime(row.last_used_at),
              ]),
              context.terminal.style,
              { columns: context.terminal.columns, shrink: [[1, 8]] },
            ),
      )
    })

  passkey
    .command('rename')
    .description('give a passkey another label')
    .argument('<passkey>', 'its label, its id or the beginning of it')
    .argument('<label>', 'one line, for people')
    .addHelpText('after', helpTexts(examples(['oauth3 passkey rename key "blue key"', 'tell it apart'])))
    .action(async (named: string, label: string) => {
      const { passkeys } = await context.client.call('listPasskeys')
      const { id } = oneOf(passkeys, named)
      const renamed = await context.client.call('renamePasskey', { params: { id }, body: { label } })
      await context.show(renamed, () => `The passkey is called ${renamed.label} now.`)
    })
  passkey
    .command('remove')
    .description('remove a passkey; its person is signed out of the console')
    .argument('<passkey>', 'its label, its id or the beginning of it, from oauth3 passkey list')
    .addHelpText('after', helpTexts(examples(['oauth3 passkey remove "old phone"', 'a lost phone'])))
    .action(async (named: string) => {
      const { passkeys } = await context.client.call('listPasskeys')
      const passkey = oneOf(passkeys, named)
      const answer = await context.client.call('removePasskey', { params: { id: passkey.id } })
      const left = answer.sessions === 1 ? '1 browser is' : `${answer.sessions} browsers are`
      await context.show(answer, () => `Passkey ${passkey.label} was removed; ${left} signed out.`)
    })
}

function oneOf(passkeys: readonly PasskeyView[], named: string): PasskeyView {
  const exact = passkeys.filter(({ id, label }) => id === named || label === named)
  const found = exact.length > 0 ? exact : passkeys.filter(({ id }) => id.startsWith(named))
  const [only] = found
  if (only === undefined) throw new CliError('not_found', EXIT.notFound, `There is no passkey ${named}.`)
  if (found.length > 1) throw usageError(`"${named}" fits more than one passkey; name it by its id.`)
  return only
}
