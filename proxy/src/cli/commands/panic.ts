import { CliError, EXIT } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { helpTexts, paragraph } from '../help.ts'
import { formatTime, terminalLine } from '../text-layout.ts'

const WHAT =
  'Runs end, grants are revoked, what waits is cancelled, and no secret or key is opened. It holds through restarts. ' +
  'While the owner has no passkey, `oauth3 panic end` ends it, with the word unlock typed; once they have one, only the console ' +
  'does, with the passkey. Meanwhile no passkey is made or removed. Grants stay revoked.'

export const addPanicCommands: CommandGroup = (program, context) => {
  const panic = program
    .command('panic')
    .description('stop everything at once, and keep it stopped')
    .addHelpText('after', helpTexts(paragraph(WHAT)))
    .action(async () => {
      const state = await context.client.call('panic')
      await context.show(
        state,
        () => 'Locked: nothing runs and no secret is used. Look around; then: oauth3 panic end',
      )
    })

  panic
    .command('status')
    .description('whether everything is stopped, and by whom')
    .action(async () => {
      const state = await context.client.call('readLockdown')
      await context.show(state, () =>
        state.since === null
          ? 'Not locked.'
          : `Locked since ${formatTime(state.since)} by ${terminalLine(state.by ?? '')}.`,
      )
    })

  panic
    .command('end')
    .description('end it, by the word unlock; where the owner has a passkey, only the console does')
    .action(async () => {
      const word = await context.terminal.ask('Type unlock to go on: ')
      if (word !== 'unlock')
        throw new CliError('refused', EXIT.refused, 'Nothing was changed: it stays locked.')
      const state = await context.client.call('endPanic', { body: { confirm: 'unlock' } })
      await context.show(state, () => 'Unlocked. Grants stay revoked: agents ask again.')
    })
}
