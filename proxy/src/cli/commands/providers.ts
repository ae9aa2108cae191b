import { InvalidArgumentError, Option } from 'commander'
import { ERROR_SHAPES, type ProviderView } from '../../contracts/admin/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { counted } from '../text-layout.ts'

interface AddOptions {
  readonly url: string
  readonly auth?: ProviderView['auth']
  readonly errors?: (typeof ERROR_SHAPES)[number]
  readonly private?: boolean
}

export const addProviderCommands: CommandGroup = (program, context) => {
  const provider = program.command('provider').description('where agents reach language models')

  provider
    .command('list')
    .description('every provider: where it is, how it takes its key, and what is missing')
    .option('--usable', 'only those that have a key, or need none')
    .action(async (options: { usable?: boolean }) => {
      const answer = await context.client.call('listProviders')
      const providers = options.usable ? answer.providers.filter(isUsable) : answer.providers
      await context.show({ providers }, () =>
        providers.length === 0
          ? 'No provider can be used yet; add a key with: oauth3 key add PROVIDER'
          : renderTable(
              ['NAME', 'URL', 'AUTH', 'KEYS', 'KIND', 'MISSING'],
              providers.map((row) => [
                row.name,
                row.url,
                authText(row.auth),
                row.auth.kind === 'none' ? 'needs none' : String(row.keys),
                [
                  row.own ? 'own' : row.moved ? 'built in, own url' : 'built in',
                  ...(row.private ? ['private'] : []),
                ].join(', '),
                row.missing.join(', '),
              ]),
              context.terminal.style,
              {
                columns: context.terminal.columns,
                shrink: [
                  [1, 24],
                  [4, 8],
                  [2, 8],
                ],
              },
            ),
      )
    })

  provider
    .command('add')
    .description('a provider of your own')
    .argument('<name>', 'agents reach it as /llm/NAME/…')
    .requiredOption('--url <url>', 'https://host[:port][/prefix]')
    .option(
      '--auth <way>',
      'how it takes its key: bearer, x-api-key, x-goog-api-key, api-key, header:NAME or none (default: bearer)',
      authFrom,
    )
    .addOption(
      new Option('--errors <shape>', 'whose error form its SDKs read (default: openai)').choices(
        ERROR_SHAPES,
      ),
    )
    .option('--private', 'it may be at a private address, and http')
    .addHelpText(
      'after',
      examples(
        ['oauth3 provider add mine --url https://llm.example.com/v1', 'one that follows OpenAI'],
        [
          'oauth3 provider add local --url http://10.0.0.7:8000/v1 --auth none --private',
          'a server of yours on a private network',
        ],
      ),
    )
    .action(async (name: string, options: AddOptions) => {
      const body = {
        name,
        url: options.url,
        auth: options.auth ?? { kind: 'bearer' },
        errors: options.errors ?? 'openai',
        private: options.private === true,
      }
      const added = await context.client.call('addProvider', { body })
      await context.show(added, () =>
        [
          `Provider ${added.name} added: ${added.url}, ${authText(added.auth)}.`,
          ...(added.auth.kind === 'none' ? [] : [`Give it a key: oauth3 key add ${added.name}`]),
        ].join('\n'),
      )
    })

  provider
    .command('remove')
    .description('forget a provider of your own, with its keys and what was granted for it')
    .argument('<name>')
    .option('--yes', 'do not ask, although its keys and grants go with it')
    .action(async (name: string, options: { yes?: boolean }) => {
      if (options.yes !== true) await assertMeant(name, context)
      const answer = await context.client.call('removeProvider', { params: { name } })
      await context.show(answer, () => `Provider ${name} removed.`)
    })

  provider
    .command('set')
    .description('fill in what a provider needs, or change what is built in')
    .argument('<name>')
    .argument('<param=value>', 'a parameter of its address; url; include_usage')
    .option('--private', 'the url may be at a private address, and http')
    .addHelpText(
      'after',
      examples(
        ['oauth3 provider set azure resource=my-company', "Azure's resource name"],
        [
          'oauth3 provider set openai url=https://eu.api.openai.com/v1',
          'a region or a gateway; its keys go there from now on',
        ],
        ['oauth3 provider set openai url=default', 'the built-in address again'],
        [
          'oauth3 provider set mine include_usage=off',
          'streams are not asked for their tokens (stream_options)',
        ],
      ),
    )
    .action(async (name: string, assignment: string, options: { private?: boolean }) => {
      const [, param, value] = /^([A-Za-z][A-Za-z0-9_-]{0,63})=(.+)$/s.exec(assignment) ?? []
      if (param === undefined || value === undefined)
        throw usageError('It takes PARAM=VALUE, such as resource=my-company.')
      const body = { value, ...(options.private === true ? { private: true } : {}) }
      const changed = await context.client.call('setProviderParam', { params: { name, param }, body })
      const rest = changed.missing.length === 0 ? '' : ` Still missing: ${changed.missing.join(', ')}.`
      await context.show(changed, () => `${changed.name}: ${param} is set; ${changed.url}.${rest}`)
    })
}

/** Keys cannot be brought back, so whoever removes them says that they are meant. */
async function assertMeant(name: string, { client, terminal }: CommandContext): Promise<void> {
  const { providers } = await client.call('listProviders')
  const found = providers.find((row) => row.name === name && row.own)
  // The daemon says best what cannot be removed.
  if (!found) return
  const { grants } = await client.call('listProviderGrants')
  const granted = grants.filter((grant) => grant.provider === name).length
  const goes = [
    ...(found.keys > 0 ? [counted(found.keys, 'key')] : []),
    ...(granted > 0 ? [counted(granted, 'grant')] : []),
  ].join(' and ')
  if (terminal.isInteractive) {
    const question = `Remove the provider ${name}${goes === '' ? '' : ` with its ${goes}`}?`
    if (await terminal.confirm(question)) return
    throw new CliError('failed', EXIT.failed, 'Nothing was removed.')
  }
  if (goes !== '') {
    throw usageError(`The provider ${name} would go with its ${goes}; add --yes if that is meant.`)
  }
}

/** Whether a request to it could go out. */
const isUsable = (row: ProviderView): boolean =>
  row.missing.length === 0 && (row.keys > 0 || row.auth.kind === 'none')

const authText = (auth: ProviderView['auth']): string => (auth.kind === 'header' ? auth.name : auth.kind)

const KNOWN_HEADERS = ['x-api-key', 'x-goog-api-key', 'api-key']

function authFrom(text: string): ProviderView['auth'] {
  if (text === 'bearer' || text === 'none') return { kind: text }
  if (KNOWN_HEADERS.includes(text)) return { kind: 'header', name: text }
  const name = /^header:([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})$/.exec(text)?.[1]
  if (name === undefined) {
    throw new InvalidArgumentError(
      'It takes bearer, x-api-key, x-goog-api-key, api-key, header:NAME or none.',
    )
  }
  return { kind: 'header', name: name.toLowerCase() }
}
