import type { AccessGrantView, GrantView } from '../../contracts/admin/index.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatDistance, formatTime } from '../text-layout.ts'
import { idNumber, wholeNumber } from './shared.ts'

interface ListOptions {
  readonly all?: boolean
}
interface PageOptions {
  readonly limit?: number
  readonly before?: number
}

/** All that was said yes to for more than once, and what came of it. */
export const addGrantedCommands: CommandGroup = (program, context) => {
  const grants = program
    .command('grants')
    .description('every yes that stands, for code and for providers, and how much of it is used')
    .option('--all', 'code: the newest, ended ones among them')
    .addHelpText('after', examples(['oauth3 grants show 7', 'each run that grant 7 let run']))
    .action(async ({ all }: ListOptions) => {
      const { grants } = await context.client.call('listTrust', { query: all ? { all: '1' } : {} })
      const { grants: providers } = await context.client.call('listProviderGrants')
      await context.show({ grants, providers }, () =>
        grants.length + providers.length === 0
          ? 'Nothing is granted.'
          : grantTable([...grants.map(programRow(context)), ...providers.map(providerRow(context))], context),
      )
    })

  grants
    .command('show')
    .description('a grant of code, and the requests that it covered, newest first')
    .argument('<n>', 'its number in grants', idNumber('oauth3 grants'))
    .option('--limit <n>', 'so many requests (default: 20)', wholeNumber)
    .option('--before <n>', 'the page behind: what the page before ended with', wholeNumber)
    .action(async (id: number, { limit, before }: PageOptions) => {
      const query = {
        ...(limit === undefined ? {} : { limit: String(limit) }),
        ...(before === undefined ? {} : { before: String(before) }),
      }
      const grant = await context.client.call('readTrust', { params: { id }, query })
      await context.show(grant, () => {
        const { terminal, now } = context
        const runs = renderTable(
          ['REQUEST', 'AGENT', 'STATE', 'ASKED', 'TOOK'],
          grant.runs.map((run) => [
            ...[run.request_id.slice(0, 16), run.agent, run.status, formatTime(run.created_at)],
            run.duration_ms === null ? '' : `${run.duration_ms} ms`,
          ]),
          terminal.style,
          { columns: terminal.columns, shrink: [[1, 8]] },
        )
        return [
          `Grant ${grant.id}: ${grant.skill_id} of ${grant.agent}, ${endText(grant, now())}`,
          `Given by ${grant.approved_by} at ${formatTime(grant.approved_at)}, with ${grant.request_id}`,
          `Used ${usesText(grant)}, last ${grant.last_used_at === null ? 'never' : formatDistance(grant.last_used_at, now())}`,
          ...(grant.runs.length === 0 ? ['It has covered no later request that is still kept.'] : [runs]),
          ...(grant.next === null ? [] : [`More: oauth3 grants show ${grant.id} --before ${grant.next}`]),
        ].join('\n')
      })
    })
}

/** `2 of 3`, or how many. */
export const usesText = ({ uses, max_uses }: Pick<GrantView, 'uses' | 'max_uses'>): string =>
  max_uses === null ? String(uses) : `${uses} of ${max_uses}`

function endText({ ended_at, ended_why, expires_at }: GrantView, now: number): string {
  if (ended_at !== null) return `${ended_why} ${formatDistance(ended_at, now)}`
  return expires_at === null ? 'until revoked' : `ends ${formatDistance(expires_at, now)}`
}

const programRow =
  ({ now }: CommandContext) =>
  (grant: GrantView): string[] => [
    ...[String(grant.id), grant.agent, grant.skill_id, usesText(grant)],
    grant.last_used_at === null ? 'never' : formatDistance(grant.last_used_at, now()),
    ...[endText(grant, now()), grant.approved_by, formatTime(grant.approved_at)],
  ]

const providerRow =
  ({ now }: CommandContext) =>
  (grant: AccessGrantView): string[] => [
    ...[`P${grant.id}`, grant.agent, `provider ${grant.provider}`, 'see usage', ''],
    grant.expires_at === null ? 'until revoked' : `ends ${formatDistance(grant.expires_at, now())}`,
    ...[grant.granted_by, formatTime(grant.granted_at)],
  ]

const grantTable = (rows: readonly string[][], { terminal }: CommandContext): string =>
  renderTable(['ID', 'AGENT', 'FOR', 'USED', 'LAST', 'ENDS', 'BY', 'SINCE'], rows, terminal.style, {
    columns: terminal.columns,
    shrink: [
      [2, 12],
      [7, 10],
      [6, 8],
      [1, 8],
      [5, 10],
      [4, 8],
    ],
  })
