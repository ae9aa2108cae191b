import { usageError } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { renderTable } from '../table.ts'
import { formatDistance, terminalLine } from '../text-layout.ts'
import { usesText } from './granted.ts'

export const addTrustCommands: CommandGroup = (program, context) => {
  const trust = program.command('trust').description('what runs without asking')

  trust
    .command('list')
    .description(
      'active grants, newest first: agent, secrets, hosts; each covers exactly what its card showed',
    )
    .action(async () => {
      const answer = await context.client.call('listTrust')
      await context.show(answer, () =>
        answer.grants.length === 0
          ? 'Nothing is trusted.'
          : renderTable(
              [
                'N',
                'AGENT',
                'SKILL',
                'CODE',
                'SECRETS',
                'HOSTS',
                'SENDS',
                'LEVEL',
                'ARGS',
                'USED',
                'ENDS',
                'BY',
              ],
              answer.grants.map((row) => [
                String(row.id),
                row.agent,
                row.skill_id,
                row.code_hash.slice(0, 12),
                row.secrets.join(', ') || 'none',
                row.hosts.join(', ') || 'none',
                row.sends,
                row.level,
                row.any_args ? 'any' : 'as shown',
                usesText(row),
                row.expires_at === null ? 'never' : formatDistance(row.expires_at, context.now()),
                row.approved_by,
              ]),
              context.terminal.style,
              {
                columns: context.terminal.columns,
                // What it sends names the hosts once more, and --json has all of it.
                shrink: [
                  [6, 12],
                  [3, 8],
                  [11, 6],
                  [2, 12],
                  [5, 16],
                  [4, 12],
                  [1, 8],
                  [6, 6],
                  [2, 6],
                  [5, 8],
                  [4, 8],
                ],
              },
            ),
      )
    })

  trust
    .command('revoke')
    .description('end a grant; the code is asked about again')
    .argument('<n>', 'its number in trust list', grantNumber)
    .action(async (id: number) => {
      const grant = await context.client.call('revokeTrust', { params: { id } })
      await context.show(grant, () =>
        [
          `Grant ${grant.id} (${terminalLine(grant.skill_id)}) revoked.`,
          ...grant.running.map((run) => `${run} goes on: oauth3 stop ${run.slice(0, 16)}`),
        ].join('\n'),
      )
    })
}

function grantNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw usageError('N is the number from `oauth3 trust list`.')
  return Number(text)
}
