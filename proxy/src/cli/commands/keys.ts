import { InvalidArgumentError } from 'commander'
import type { KeyView, ListedKey } from '../../contracts/admin/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatDistance, formatTime } from '../text-layout.ts'
import { commaList, idNumber, wholeNumber } from './shared.ts'

interface AddOptions {
  readonly label?: string
  readonly tag?: string[]
  readonly weight?: number
  readonly models?: string[]
  readonly seat?: true
}

/** Keys of providers; and `rotate`, for the keys that seal everything stored. */
export const addKeyCommands: CommandGroup = (program, context) => {
  const key = program.command('key').description("providers' keys, and the keys that seal everything stored")

  key
    .command('add')
    .description("store a provider's key; its value is never an argument")
    .argument('<provider>')
    .option('--label <label>', 'to tell it from others of the same provider')
    .option('--tag <tag>', 'only agents with this tag may use it; repeatable, then all of them', commaList)
    .option('--weight <n>', 'how often it is taken beside others, 1 to 1000 (default: 1)', weightFrom)
    .option('--models <list>', 'only for these models; a beginning ends in *', commaList)
    .option('--seat', 'the token of your own subscription (claude setup-token), for apps that may use it')
    .addHelpText(
      'after',
      examples(
        ['oauth3 key add openai', 'asks for the value, hidden'],
        ['oauth3 key add anthropic --label team --tag work < key.txt', 'takes it from standard input'],
        ['oauth3 key add openai --label small --models gpt-5-mini*,gpt-5-nano*', 'for small models alone'],
      ),
    )
    .action(async (provider: string, options: AddOptions) => {
      await assertTakesKeys(context, provider)
      const value = await context.terminal.readSecret(
        options.seat ? `Token of your seat at ${provider}:` : `Key of ${provider}:`,
      )
      if (value === '') throw usageError('The key is empty; nothing was stored.')
      const { label, tag: tags, weight, models, seat } = options
      const body = { provider, label, tags, weight, models, seat, value }
      const stored = await context.client.call('addProviderKey', { body })
      await context.show(
        stored,
        () =>
          `${stored.seat ? 'Seat' : 'Key'} ${stored.id} (${stored.provider} ${stored.label}) stored; for ${whoseOf(stored)}.`,
      )
    })

  key
    .command('list')
    .description('which keys there are; never values')
    .action(async () => {
      const answer = await context.client.call('listProviderKeys')
      await context.show(answer, () =>
        answer.keys.length === 0
          ? 'No keys yet; add one with: oauth3 key add PROVIDER'
          : renderTable(
              ['ID', 'PROVIDER', 'LABEL', 'TAGS', 'WEIGHT', 'MODELS', 'STATE', 'ADDED'],
              answer.keys.map((row) => [
                String(row.id),
                row.provider,
                row.seat ? `${row.label} (seat)` : row.label,
                row.tags.join(', ') || 'none',
                String(row.weight),
                row.models?.join(', ') ?? 'all',
                stateOf(row, context.now()),
                formatTime(row.created_at),
              ]),
              context.terminal.style,
              {
                columns: context.terminal.columns,
                shrink: [
                  [5, 12],
                  [3, 8],
                  [2, 8],
                ],
              },
            ),
      )
    })

  key
    .command('remove')
    .description('forget a key; what it had open in memory is dropped at once')
    .argument('<id>', 'its number in key list', idNumber('oauth3 key list'))
    .action(async (id: number) => {
      const removed = await context.client.call('removeProviderKey', { params: { id } })
      await context.show(removed, () => `Key ${removed.id} (${removed.provider} ${removed.label}) removed.`)
    })

  key
    .command('rotate')
    .description('replace the data key and seal everything stored anew, without downtime')
    .option('--master', 'replace the master key instead')
    .addHelpText(
      'after',
      examples(
        ['oauth3 key rotate', 'a new data key'],
        [
          'oauth3 key rotate --master',
          'a new key file; back it up afterwards (with a passphrase: put the new one into <file>.next first)',
        ],
      ),
    )
    .action(async (options: { master?: boolean }) => {
      const what = options.master ? 'master' : 'data'
      const done = await context.client.call('rotateKeys', { body: { what } })
      await context.show(done, () =>
        done.what === 'master'
          ? 'The master key was replaced. Back up the new one now: older backups open with the older key.'
          : `The data key was replaced; secrets sealed anew: ${done.secrets ?? 0}.`,
      )
    })
}

const whoseOf = ({ seat, tags }: KeyView): string => {
  if (seat) return 'runs of apps with --seat; no agent may use it'
  return tags.length === 0 ? 'any agent with a grant' : `agents tagged ${tags.join(' and ')}`
}

/** Before the value is asked for: nobody types one for a provider that there is not. */
async function assertTakesKeys(context: CommandContext, name: string): Promise<void> {
  const { providers } = await context.client.call('listProviders')
  const provider = providers.find((row) => row.name === name)
  if (!provider) {
    throw new CliError(
      'not_found',
      EXIT.notFound,
      'No such provider; see oauth3 provider list, or add it with oauth3 provider add.',
    )
  }
  if (provider.auth.kind === 'none') throw usageError(`${name} takes no key.`)
  if (provider.missing.length > 0) {
    const param = provider.missing[0] ?? 'PARAM'
    context.terminal.note(`${name} cannot be used before: oauth3 provider set ${name} ${param}=VALUE`)
  }
}

const stateOf = (row: ListedKey, now: number): string =>
  row.cooldown !== null && row.cooldown.until > now
    ? `cooldown${forWhom(row.cooldown.agents)}, back ${formatDistance(row.cooldown.until, now)}${ofWhat(row.cooldown.parts)}`
    : 'ready'

const forWhom = (agents: number): string =>
  agents === 0 ? '' : ` for ${agents === 1 ? 'one agent' : `${agents} agents`}`

const ofWhat = (parts: number): string =>
  parts === 0 ? '' : parts === 1 ? ' (one model at one endpoint)' : ` (${parts} models or endpoints)`

function weightFrom(text: string): number {
  const weight = wholeNumber(text)
  if (weight < 1 || weight > 1_000) throw new InvalidArgumentError('It takes 1 to 1000.')
  return weight
}
