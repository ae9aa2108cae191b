import { basename } from 'node:path'
import type { SkillView } from '../../contracts/admin/index.ts'
import type { CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatTime } from '../text-layout.ts'
import { commaList } from './shared.ts'
import { signSkillFile } from './sign-skill.ts'

interface SignOptions {
  readonly key: string
  readonly as: string
  readonly url?: string
  readonly description?: string
  readonly secrets?: string[]
  readonly network?: string[]
}

export const addSkillCommands: CommandGroup = (program, context) => {
  const skill = program.command('skill').description('what the registries list, and what of it is pinned')
  const table = (rows: readonly SkillView[]): string =>
    renderTable(
      ['SKILL', 'REGISTRY', 'SAYS', 'SECRETS', 'NETWORK', 'SIGNED BY', 'STATE'],
      rows.map((row) => [
        `${row.name}@${row.version}`,
        row.registry,
        row.description,
        row.secrets.join(', ') || 'none',
        row.network.join(', ') || 'none',
        row.publisher,
        stateOf(row),
      ]),
      context.terminal.style,
      {
        columns: context.terminal.columns,
        shrink: [
          [2, 16],
          [5, 16],
          [4, 12],
          [3, 8],
          [0, 16],
          [6, 8],
          [1, 6],
        ],
      },
    )

  skill
    .command('search')
    .description('entries with each of the words in their name or description, at most 50')
    .argument('[words...]', 'none: all of them')
    .addHelpText('after', examples(['oauth3 skill search stripe report', 'both words']))
    .action(async (words: string[]) => {
      const answer = await context.client.call('searchSkills', { query: { words: words.join(' ') } })
      await context.show(answer, () => (answer.skills.length === 0 ? 'Nothing found.' : table(answer.skills)))
    })

  skill
    .command('show')
    .description('every version of a skill, or all that its entry says of one')
    .argument('<skill>', 'NAME or NAME@VERSION')
    .action(async (reference: string) => {
      const answer = await context.client.call('showSkill', { params: { skill: reference } })
      const [only] = answer.skills
      await context.show(answer, () =>
        reference.includes('@') && only !== undefined ? details(only) : table(answer.skills),
      )
    })

  skill
    .command('pin')
    .description('take these bytes alone under NAME@VERSION, whatever a registry lists later')
    .argument('<skill>', 'NAME@VERSION')
    .action(async (reference: string) => {
      const pin = await context.client.call('pinSkill', { params: { skill: reference } })
      await context.show(pin, () => `${pin.skill} is pinned to SHA-256 ${pin.sha256}.`)
    })

  skill
    .command('pins')
    .description('what is pinned')
    .action(async () => {
      const answer = await context.client.call('listPins')
      await context.show(answer, () =>
        answer.pins.length === 0
          ? 'Nothing is pinned.'
          : renderTable(
              ['SKILL', 'SHA-256', 'SINCE', 'BY'],
              answer.pins.map((row) => [row.skill, row.sha256, formatTime(row.pinned_at), row.pinned_by]),
              context.terminal.style,
              { columns: context.terminal.columns, shrink: [[1, 16]] },
            ),
      )
    })

  skill
    .command('unpin')
    .description('take what the registries list under NAME@VERSION again; it is asked about as any code')
    .argument('<skill>', 'NAME@VERSION')
    .action(async (reference: string) => {
      const answer = await context.client.call('unpinSkill', { params: { skill: reference } })
      await context.show(answer, () => `${reference} is pinned no more.`)
    })

  skill
    .command('sign')
    .description('for publishers: the signed entry of a file; nothing is sent anywhere')
    .argument('<file>', 'the code')
    .requiredOption('--key <file>', 'the private key, Ed25519 as PEM')
    .requiredOption('--as <skill>', 'NAME@VERSION: a–z 0–9 and . _ - between, and MAJOR.MINOR.PATCH')
    .option('--url <address>', 'of the code: https, or relative to the index (default: the name of the file)')
    .option('--description <text>', 'one line')
    .option('--secrets <names>', 'what the code needs, comma-separated', commaList)
    .option('--network <hosts>', 'what the code needs, comma-separated', commaList)
    .addHelpText(
      'after',
      examples(
        ['openssl genpkey -algorithm ed25519 -out publisher.pem', 'a key'],
        [
          'oauth3 skill sign report.ts --key publisher.pem --as charge-report@1.0.0 --network api.stripe.com',
          'its entry',
        ],
      ),
    )
    .action(async (file: string, options: SignOptions) => {
      const { key, as, url = basename(file), description = '', secrets = [], network = [] } = options
      const [name = '', ...versions] = as.split('@')
      const version = versions.join('@')
      const stated = { name, version, url, description, secrets, network }
      await context.terminal.print(JSON.stringify(await signSkillFile(file, key, stated), null, 2))
    })
}

/** The loudest first. */
function stateOf(row: SkillView): string {
  if (row.accepted_publisher !== null && row.accepted_publisher !== row.publisher) return 'OTHER KEY'
  if (row.pinned !== null) return row.pinned === row.sha256 ? 'pinned' : 'OTHER BYTES than pinned'
  return row.accepted_publisher === null ? 'new' : 'key as before'
}

const details = (row: SkillView): string =>
  [
    `${row.name}@${row.version} in ${row.registry}: ${stateOf(row)}`,
    `Says       ${row.description}`,
    `Secrets    ${row.secrets.join(', ') || 'none'}`,
    `Network    ${row.network.join(', ') || 'none'}`,
    `Code       ${row.bytes} bytes, SHA-256 ${row.sha256}`,
    `From       ${row.url}`,
    `Signed by  ${row.publisher}`,
    `Accepted   ${row.accepted_publisher ?? 'nobody yet'}`,
    `Pinned to  ${row.pinned ?? 'nothing'}`,
  ].join('\n')
