import { InvalidArgumentError } from 'commander'
import type { AccessGrantView, GivenGrantView } from '../../contracts/admin/index.ts'
import { usageError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatDistance, terminalLine } from '../text-layout.ts'
import {
  addGroupsOption,
  addLimitOptions,
  type LimitOptions,
  limitsOf,
  limitsText,
  namesLimits,
  orNull,
} from './limits.ts'
import { idNumber } from './shared.ts'

type ChangeOptions = LimitOptions & { readonly groups?: string[] }
type AddOptions = ChangeOptions & { readonly for?: number }

const DEFAULT_FOR_MS = 24 * 3_600_000
const ALWAYS = Number.POSITIVE_INFINITY

export const addGrantCommands: CommandGroup = (program, context) => {
  const grant = program.command('grant').description('which agents may use which providers')

  grant
    .command('list')
    .description('active grants and their limits')
    .action(async () => {
      const answer = await context.client.call('listProviderGrants')
      await context.show(answer, () =>
        answer.grants.length === 0
          ? 'No agent may use a provider yet; its first use asks you, or: oauth3 grant add AGENT PROVIDER'
          : renderTable(
              ['ID', 'AGENT', 'PROVIDER', 'GROUPS', 'MODELS', 'PATHS', 'LIMITS', 'ENDS', 'BY'],
              answer.grants.map((row) => [
                String(row.id),
                row.agent,
                row.provider,
                groupsText(row.groups),
                row.models?.join(', ') ?? 'all',
                row.paths?.join(', ') ?? 'all',
                limitsText(row.limits, row.requests_left),
                row.expires_at === null ? 'never' : formatDistance(row.expires_at, context.now()),
                row.granted_by,
              ]),
              context.terminal.style,
              {
                columns: context.terminal.columns,
                shrink: [
                  [4, 10],
                  [5, 10],
                  [3, 12],
                  [6, 20],
                ],
              },
            ),
      )
    })

  const add = grant
    .command('add')
    .description('let an agent use a provider, without waiting for it to ask')
    .argument('<agent>')
    .argument('<provider>')
    .option('--for <time>', '1h, 24h, 7d, … or always (default: 24h)', durationFrom)
  addLimitOptions(addGroupsOption(add))
    .addHelpText(
      'after',
      examples(
        [
          'oauth3 grant add clawd openai --for always --usd-per-day 5.00',
          'until revoked, for at most $5 a day',
        ],
        [
          'oauth3 grant add clawd openai --groups inference,files',
          'files too, which a grant does not cover by itself',
        ],
        ['oauth3 grant add clawd openai --for always --requests 50', 'fifty requests, then it asks again'],
        ['oauth3 grant add clawd anthropic --for 7d --models "claude-haiku*" --rpm 30', 'small models alone'],
      ),
    )
    .action(async (agent: string, provider: string, options: AddOptions) => {
      const body = {
        agent,
        provider,
        for_ms: options.for === ALWAYS ? null : (options.for ?? DEFAULT_FOR_MS),
        ...(options.groups === undefined ? {} : { groups: options.groups }),
        models: orNull(options.models ?? 'none'),
        paths: orNull(options.paths ?? 'none'),
        limits: limitsOf(options),
      }
      const added = await context.client.call('addProviderGrant', { body })
      await context.show(added, () => givenGrantText(added, context))
    })

  const limit = grant
    .command('limit')
    .description('change what a grant covers or may cost; none takes a limit away')
    .argument('<id>', 'its number in grant list', idNumber('oauth3 grant list'))
  addLimitOptions(addGroupsOption(limit))
    .addHelpText(
      'after',
      examples(
        ['oauth3 grant limit 3 --tokens-per-day 2000000', 'two million tokens a day'],
        ['oauth3 grant limit 3 --rpm none --models none', 'no limit of requests, and every model'],
      ),
    )
    .action(async (id: number, options: ChangeOptions) => {
      if (options.groups === undefined && !namesLimits(options)) {
        throw usageError(
          'Name what to change: --groups, --models, --paths, --rpm, --tokens-per-day, --usd-per-day or --requests.',
        )
      }
      const { groups, models, paths } = options
      const body = {
        ...(groups === undefined ? {} : { groups }),
        ...(models === undefined ? {} : { models: orNull(models) }),
        ...(paths === undefined ? {} : { paths: orNull(paths) }),
        limits: limitsOf(options),
      }
      const changed = await context.client.call('changeProviderGrant', { params: { id }, body })
      await context.show(changed, () => givenGrantText(changed, context))
    })

  grant
    .command('revoke')
    .description('end a grant at once; the next use asks again')
    .argument('<id>', 'its number in grant list', idNumber('oauth3 grant list'))
    .action(async (id: number) => {
      const revoked = await context.client.call('revokeProviderGrant', { params: { id } })
      await context.show(
        revoked,
        () => `Grant ${revoked.id} (${revoked.agent}, ${revoked.provider}) revoked.`,
      )
    })
}

const NAMED_UNPRICED = 3

/** What was given, and what of it is refused all the same. */
export function givenGrantText(grant: GivenGrantView, { terminal, now }: CommandContext): string {
  const unpriced = grant.unpriced.slice(0, NAMED_UNPRICED).map((model) => {
    const message = unpricedText(grant.provider, model)
    return terminal.style.yellow(message)
  })
  const missing = missingTexts(grant).map((message) => terminal.style.yellow(message))
  return [grantText(grant, now()), ...missing, ...unpriced].join('\n')
}

/** What the owner has still to do before anything goes out. */
function missingTexts({ agent, provider, key, missing_params }: GivenGrantView): string[] {
  const texts = missing_params.map(
    (param) =>
      `${provider} has no ${param} yet, so nothing goes out: oauth3 provider set ${provider} ${param}=…`,
  )
  if (key === 'none')
    texts.push(`${provider} has no key yet, so nothing goes out: oauth3 key add ${provider}`)
  if (key === 'other_tags')
    texts.push(
      `Every key of ${provider} has a tag that ${agent} lacks, so nothing goes out: oauth3 agent tag ${agent} --tag …, or a key for it: oauth3 key add ${provider}`,
    )
  return texts
}

function unpricedText(provider: string, model: string): string {
  const what =
    model === '*'
      ? `No model of ${provider} has`
      : model.endsWith('*')
        ? `No model ${model} of ${provider} has`
        : `${terminalLine(model)} of ${provider} has`
  const price = model.endsWith('*') ? 'a known price' : 'no known price'
  // An agent chose the name: one that is no plain word has no place in a line that is copied into a shell.
  const named = /^\w[\w./:@-]*$/.test(model) ? model : 'MODEL'
  return `${what} ${price}, so the limit of money refuses it (unmetered). Set one: oauth3 price set ${provider} ${named} --input … --output …`
}

function grantText(grant: AccessGrantView, now: number): string {
  const ends = grant.expires_at === null ? 'until revoked' : `ends ${formatDistance(grant.expires_at, now)}`
  return [
    `Grant ${grant.id}: ${grant.agent} may use ${grant.provider} for ${groupsText(grant.groups)}, ${coverageText(grant)};`,
    `${limitsText(grant.limits, grant.requests_left)}; ${ends}.`,
  ].join(' ')
}

/** Lists of models go with inference: it need not be said. */
const groupsText = (groups: readonly string[]): string =>
  groups.filter((group) => group !== 'models' || !groups.includes('inference')).join(', ')

/** `every model`, or which ones; paths only where they are limited. */
export function coverageText(grant: {
  readonly models: readonly string[] | null
  readonly paths: readonly string[] | null
}): string {
  const models = grant.models === null ? 'every model' : grant.models.join(', ')
  return grant.paths === null ? models : `${models}, below ${grant.paths.join(', ')}`
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function durationFrom(text: string): number {
  if (text === 'always') return ALWAYS
  const [, count, unit = ''] = /^([1-9][0-9]{0,4})([mhd])$/.exec(text) ?? []
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN)
  if (!(ms <= 366 * 86_400_000)) {
    throw new InvalidArgumentError('It takes a time such as 1h, 24h or 7d, at most a year, or always.')
  }
  return ms
}
