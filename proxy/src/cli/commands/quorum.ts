import type { QuorumList } from '../../contracts/admin/index.ts'
import { usageError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'

const SCOPES = ['secret', 'agent', 'app', 'tag'] as const
type ScopeOptions = { readonly [scope in (typeof SCOPES)[number]]?: string }

export const addQuorumCommands: CommandGroup = (program, context) => {
  const quorum = program
    .command('quorum')
    .description('how many persons have to approve what; of several rules the highest holds')
  const ruleCommand = (name: string, description: string) =>
    quorum
      .command(name)
      .description(description)
      .option('--secret <name>', 'requests that name this secret')
      .option('--agent <name>', 'all that this agent asks for')
      .option('--app <name>', 'all that runs of this app ask for')
      .option('--tag <tag>', 'all that agents with this tag ask for')

  ruleCommand('set', 'ask for so many approvals, each of another person')
    .requiredOption('--approvals <n>', 'how many')
    .addHelpText(
      'after',
      examples(
        [
          'oauth3 quorum set --secret STRIPE_KEY --approvals 2',
          'two persons, each by a channel of their own',
        ],
        ['oauth3 quorum set --tag prod --approvals 2', 'for whatever agents with the tag prod ask'],
      ),
    )
    .action(async (options: ScopeOptions & { readonly approvals: string }) => {
      if (!/^[1-9][0-9]?$/.test(options.approvals))
        throw usageError('--approvals takes a number from 1 to 50.')
      const body = { ...ruleOf(options), approvals: Number(options.approvals) }
      await show(context, await context.client.call('setQuorum', { body }))
    })

  ruleCommand('remove', 'one approval is enough again').action(async (options: ScopeOptions) => {
    const body = { ...ruleOf(options), approvals: 1 }
    await show(context, await context.client.call('setQuorum', { body }))
  })

  quorum
    .command('list')
    .description('the rules, and how many persons there are who may decide')
    .action(async () => await show(context, await context.client.call('listQuorum')))

  quorum
    .command('owner')
    .description('say which approver the owner of this host is, so that one person never counts as two')
    .argument('<who>', 'a Telegram user id; separate: none of them; unknown: they may be any of them')
    .action(async (owner: string) => {
      if (!/^([0-9]{1,20}|separate|unknown)$/.test(owner))
        throw usageError('That is neither a Telegram user id, nor separate, nor unknown.')
      await show(context, await context.client.call('setQuorumOwner', { body: { owner } }))
    })
}

function ruleOf(options: ScopeOptions): { scope: (typeof SCOPES)[number]; name: string } {
  const [only, ...others] = SCOPES.flatMap((scope) => {
    const name = options[scope]
    return name === undefined ? [] : [{ scope, name }]
  })
  if (only === undefined || others.length > 0)
    throw usageError('Name exactly one of --secret, --agent, --app and --tag.')
  return only
}

const show = (context: CommandContext, answer: QuorumList): Promise<void> =>
  context.show(answer, () =>
    [
      answer.rules.length === 0
        ? 'One approval is enough for everything.'
        : renderTable(
            ['FOR', 'NAME', 'APPROVALS'],
            answer.rules.map(({ scope, name, approvals, reachable }) => [
              ...[
                scope,
                name,
                reachable ? String(approvals) : `${approvals}: too many, nothing can be approved`,
              ],
            ]),
            context.terminal.style,
            { columns: context.terminal.columns, shrink: [[1, 16]] },
          ),
      `${answer.deciders} ${answer.deciders === 1 ? 'person' : 'persons'} may decide; ${ownerText(answer)}.`,
    ].join('\n'),
  )

function ownerText({ owner }: QuorumList): string {
  if (owner === 'unknown') return 'the owner of this host may be any of the approvers'
  return owner === 'separate'
    ? 'the owner of this host is none of the approvers'
    : `the owner of this host is the approver ${owner}`
}
