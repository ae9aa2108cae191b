import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { examples, helpTexts, paragraph } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatDistance } from '../text-layout.ts'
import { signIndexFile } from './sign-skill.ts'

const VOUCHES =
  'A registry vouches for bytes: whose signature covers them. It approves nothing: code of a registry is asked about as any other.'

export const addRegistryCommands: CommandGroup = (program, context) => {
  const registry = program.command('registry').description('signed lists of skills that agents may name')

  registry
    .command('add')
    .description('add a registry, once its key is confirmed')
    .argument('<address>', 'https address of its index, page of a Gist, or file on the machine of the daemon')
    .option('--key <key>', 'its key, ed25519:…, as its operator told you; not asked then')
    .addHelpText(
      'after',
      helpTexts(
        examples(
          ['oauth3 registry add https://skills.example.com/index.json', 'shows the key, and asks'],
          ['oauth3 registry add ./registry/index.json', 'of your own'],
        ),
        paragraph(VOUCHES),
      ),
    )
    .action(async (address: string, options: { readonly key?: string }) => {
      const url = addressOf(address)
      const key = options.key ?? (await confirmedKey(url))
      const added = await context.client.call('addRegistry', { body: { url, key } })
      await context.show(added, () => `Registry ${added.name} was added: ${skills(added.skills)}.`)
    })

  const confirmedKey = async (url: string): Promise<string> => {
    const { terminal } = context
    if (!terminal.isInteractive) throw usageError('Nobody can be asked here: add --key KEY.')
    const shown = await context.client.call('presentRegistry', { body: { url } })
    terminal.note(`${shown.url}\nRegistry ${shown.name}, ${skills(shown.skills)}, signed by\n  ${shown.key}`)
    if (await terminal.confirm('Is that the key of its operator?')) return shown.key
    throw new CliError('failed', EXIT.failed, 'Nothing was added.')
  }

  registry
    .command('list')
    .description('the registries, their keys, and how their indexes stand')
    .action(async () => {
      const answer = await context.client.call('listRegistries')
      await context.show(answer, () =>
        answer.registries.length === 0
          ? 'There is no registry.'
          : renderTable(
              ['NAME', 'ADDRESS', 'KEY', 'N', 'SKILLS', 'READ', 'ENDS', 'STATE'],
              answer.registries.map((row) => [
                row.name,
                row.url,
                row.key,
                String(row.sequence),
                String(row.skills),
                formatDistance(row.fetched_at, context.now()),
                formatDistance(row.expires_at, context.now()),
                row.problem ?? 'good',
              ]),
              context.terminal.style,
              {
                columns: context.terminal.columns,
                shrink: [
                  [1, 16],
                  [2, 20],
                  [7, 8],
                ],
              },
            ),
      )
    })

  registry
    .command('refresh')
    .description('look for a newer index now; it is done by itself every hour when skills are used')
    .argument('<name>')
    .action(async (name: string) => {
      const row = await context.client.call('refreshRegistry', { params: { name } })
      await context.show(
        row,
        () => `Registry ${row.name} is at number ${row.sequence}: ${skills(row.skills)}.`,
      )
    })

  registry
    .command('remove')
    .description('forget a registry; what was approved of it stays approved')
    .argument('<name>')
    .action(async (name: string) => {
      const answer = await context.client.call('removeRegistry', { params: { name } })
      await context.show(answer, () => `Registry ${name} was removed.`)
    })

  registry
    .command('sign')
    .description('for operators: sign an index; nothing is sent anywhere')
    .argument('<file>', 'the index as JSON, without key and signature')
    .requiredOption('--key <file>', 'the private key, Ed25519 as PEM')
    .addHelpText(
      'after',
      examples(
        ['openssl genpkey -algorithm ed25519 -out registry.pem', 'a key'],
        ['oauth3 registry sign draft.json --key registry.pem > index.json', 'the signed index'],
      ),
    )
    .action(async (file: string, options: { readonly key: string }) => {
      await context.terminal.print(JSON.stringify(await signIndexFile(file, options.key), null, 2))
    })
}

/** What is no address is a path, as the person who types it has it. */
const addressOf = (text: string): string =>
  /^(?:https?|file):/i.test(text) ? text : pathToFileURL(resolve(text)).href

const skills = (count: number): string => (count === 1 ? '1 skill' : `${count} skills`)
