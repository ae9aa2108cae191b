import type { CommandGroup } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatTime } from '../text-layout.ts'

/** The web console: a link that signs in, and the browsers that are signed in. */
export const addConsoleCommands: CommandGroup = (program, context) => {
  program
    .command('console')
    .description('a link that opens the web console and signs you in, once, within two minutes')
    .option('--approver <id>', 'sign in this approver, by their Telegram id, in the place of you')
    .addHelpText(
      'after',
      helpTexts(
        examples(
          ['oauth3 console', 'open what it prints in a browser'],
          ['oauth3 console --approver 1001', 'for an approver: hand it over, they bind a passkey there'],
          ['oauth3 session list', 'which browsers are signed in'],
        ),
        paragraph('Whoever opens the link first is signed in as you: send it to nobody.'),
      ),
    )
    .action(async ({ approver }: { approver?: string }) => {
      const link = await context.client.call('makeConsoleLink', {
        body: approver === undefined ? {} : { approver },
      })
      await context.show(link, () =>
        [
          link.url,
          '',
          `Opens the console and signs ${approver === undefined ? 'you' : `approver ${approver}`} in, once, within two minutes.`,
          ...(link.problem === null ? [] : [link.problem]),
        ].join('\n'),
      )
    })

  const session = program.command('session').description('browsers that are signed in at the web console')
  session
    .command('list')
    .description('who is signed in, since when, and until when')
    .addHelpText('after', helpTexts(examples(['oauth3 session list', 'the ids are for revoke'])))
    .action(async () => {
      const answer = await context.client.call('listSessions')
      await context.show(answer, () =>
        answer.sessions.length === 0
          ? 'Nobody is signed in; oauth3 console prints a link.'
          : renderTable(
              ['ID', 'WHO', 'ROLE', 'BY', 'SINCE', 'SEEN', 'UNTIL'],
              answer.sessions.map((row) => [
                ...[row.id, row.who, row.role, row.method],
                ...[row.signed_in_at, row.seen_at, row.expires_at].map(formatTime),
              ]),
              context.terminal.style,
              { columns: context.terminal.columns, shrink: [[1, 8]] },
            ),
      )
    })
  session
    .command('revoke')
    .description('sign a browser out, at once')
    .argument('<id>', 'from oauth3 session list')
    .addHelpText('after', helpTexts(examples(['oauth3 session revoke ses_0123456789abcdef', 'a lost phone'])))
    .action(async (id: string) => {
      const answer = await context.client.call('revokeSession', { params: { id } })
      await context.show(answer, () => `Session ${id} is signed out.`)
    })
}
