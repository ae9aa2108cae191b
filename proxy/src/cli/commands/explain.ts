import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderCard } from '../terminal-card.ts'

interface ExplainOptions {
  readonly runtime?: string
  readonly network?: string
  readonly secrets?: string
  readonly description?: string
  readonly dynamicCode?: boolean
}

export const addExplainCommand: CommandGroup = (program, context) => {
  program
    .command('explain')
    .description('the card that a program would lead to: what it may send, and what you would be warned of')
    .argument('<file>', 'the program; nothing of it is run, stored or asked about')
    .option(
      '--runtime <name>',
      'deno, node, python or quickjs (default: python for .py, node for .cjs, else deno)',
    )
    .option('--network <hosts>', 'hosts it would ask for, comma-separated (default: those it names)')
    .option('--secrets <names>', 'secrets it would ask for, comma-separated (default: those it reads)')
    .option('--description <text>', 'what it would say that it does')
    .option('--dynamic-code', 'as if it asked to run code made from text')
    .addHelpText(
      'after',
      examples(
        ['oauth3 explain skill.ts', 'methods and paths by host, facts and warnings'],
        ['oauth3 explain skill.py --network api.stripe.com', 'with a list of hosts of your own'],
      ),
    )
    .action(async (file: string, options: ExplainOptions) => {
      const answer = await context.client.call('explain', {
        body: {
          code: await codeOf(file),
          runtime: options.runtime ?? runtimeOf(file),
          ...list('network', options.network),
          ...list('secrets', options.secrets),
          ...(options.description === undefined ? {} : { description: options.description }),
          ...(options.dynamicCode === undefined ? {} : { dynamic_code: options.dynamicCode }),
        },
      })
      await context.show(answer, () =>
        renderCard(answer.card, context.terminal.style, context.now(), {
          title: 'explained: nobody was asked, nothing was run',
          isWaiting: false,
        }),
      )
    })
}

async function codeOf(file: string): Promise<string> {
  const code = await textOf(file)
  if (code === '') throw usageError(`${file} is empty.`)
  return code
}

async function textOf(file: string): Promise<string> {
  try {
    const bytes = await readFile(file)
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'EISDIR'
          ? 'is a folder'
          : 'cannot be read as UTF-8 text'
    throw new CliError('usage', code === 'ENOENT' ? EXIT.notFound : EXIT.usage, `${file} ${why}.`)
  }
}

const runtimeOf = (file: string): string =>
  ({ '.py': 'python', '.cjs': 'node', '.cts': 'node' })[extname(file).toLowerCase()] ?? 'deno'

const list = (name: string, text: string | undefined): Record<string, string[]> =>
  text === undefined
    ? {}
    : {
        [name]: text
          .split(',')
          .map((item) => item.trim())
          .filter(Boolean),
      }
