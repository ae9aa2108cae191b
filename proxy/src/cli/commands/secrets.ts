import { Argument, Option } from 'commander'
import { RISKS } from '../../contracts/admin/index.ts'
import { isIpLiteral, isReservedName, parseHostPattern, SECRET_NAME } from '../../kernel/index.ts'
import { usageError } from '../cli-error.ts'
import type { CommandGroup } from '../context.ts'
import { examples } from '../help.ts'
import { renderTable } from '../table.ts'
import { formatTime } from '../text-layout.ts'
import { commaList } from './shared.ts'

export const addSecretCommands: CommandGroup = (program, context) => {
  const secret = program.command('secret').description('store and manage secrets')

  secret
    .command('add')
    .description('store or replace a secret; its value is never an argument')
    .argument('<name>', 'what the code reads it by')
    .option(
      '--hosts <list>',
      'the only hosts its value may be sent to, comma-separated; left out: as before, or as the waiting request showed',
      commaList,
    )
    .option('--any-host', 'bind it to no host; ends an earlier binding')
    .addOption(
      new Option('--risk <risk>', 'high: a yes to its use takes a passkey; left out: as before').choices(
        RISKS,
      ),
    )
    .addHelpText(
      'after',
      examples(
        ['oauth3 secret add OPENAI_API_KEY --hosts api.openai.com', 'asks for the value, hidden'],
        ['oauth3 secret add DEPLOY_KEY < key.pem', 'takes it from standard input'],
      ),
    )
    .action(async (name: string, options: { hosts?: string[]; anyHost?: boolean; risk?: Risk }) => {
      assertName(name)
      const hosts = bindingFrom(options)
      // Nobody types a value for a daemon that is not there.
      if (context.terminal.isInteractive) await context.client.call('listSecrets')
      const value = await context.terminal.readSecret(`Value of ${name}:`)
      if (value === '') throw usageError('The value is empty; nothing was stored.')
      const { risk } = options
      const body = { value, ...(hosts ? { hosts } : {}), ...(risk ? { risk } : {}) }
      const stored = await context.client.call('putSecret', { params: { name }, body })
      const what = stored.version === 1 ? 'stored' : `replaced, version ${stored.version}`
      const where = stored.hosts ? `may go to ${stored.hosts.join(', ') || 'no host'}` : 'not bound to hosts'
      const of = stored.risk === 'high' ? '; of high risk: a yes to its use takes a passkey' : ''
      await context.show(stored, () => `${stored.name} ${what}; ${where}${of}.`)
    })

  secret
    .command('list')
    .description('names, versions and hosts; never values')
    .action(async () => {
      const answer = await context.client.call('listSecrets')
      await context.show(answer, () =>
        answer.secrets.length === 0
          ? 'No secrets yet; add one with: oauth3 secret add NAME'
          : renderTable(
              ['NAME', 'VERSION', 'MAY GO TO', 'RISK', 'CHANGED'],
              answer.secrets.map((row) => [
                row.name,
                String(row.version),
                row.hosts === null ? 'not bound' : row.hosts.join(', ') || 'no host',
                row.risk,
                formatTime(row.updated_at),
              ]),
              context.terminal.style,
              { columns: context.terminal.columns, shrink: [[2, 16]] },
            ),
      )
    })

  secret
    .command('risk')
    .description('say of which risk a secret is: high takes a passkey of whoever approves its use')
    .argument('<name>')
    .addArgument(new Argument('<risk>').choices(RISKS))
    .action(async (name: string, risk: Risk) => {
      const answer = await context.client.call('setSecretRisk', { params: { name }, body: { risk } })
      await context.show(answer, () => `${name} is of ${answer.risk} risk.`)
    })

  secret
    .command('remove')
    .description('forget a secret; a new value under its name keeps its hosts')
    .argument('<name>')
    .action(async (name: string) => {
      const answer = await context.client.call('removeSecret', { params: { name } })
      await context.show(answer, () => `${name} removed.`)
    })

  secret
    .command('rename')
    .description('give a secret another name')
    .argument('<from>')
    .argument('<to>')
    .action(async (from: string, to: string) => {
      const renamed = await context.client.call('renameSecret', {
        params: { name: from },
        body: {
          to,
        },
      })
      await context.show(renamed, () => `${from} is now ${renamed.name}.`)
    })
}

type Risk = (typeof RISKS)[number]

/** Before the value is asked for: nobody types one for a name that is refused. */
function assertName(name: string): void {
  if (!SECRET_NAME.test(name)) {
    throw usageError(
      "That is not a secret's name, which is A–Z a–z 0–9 _ and does not begin with a digit; its value is asked for, or read from standard input.",
    )
  }
  if (isReservedName(name)) throw usageError(`${name} steers the runtime and cannot be a secret's name.`)
}

/** No list keeps the binding that the name has, or takes the one that was asked for; an empty one ends it. */
function bindingFrom(options: { hosts?: string[]; anyHost?: boolean }): readonly string[] | undefined {
  if (!options.anyHost) {
    for (const host of options.hosts ?? []) assertHost(host)
    return options.hosts
  }
  if (options.hosts) throw usageError('Choose one of --hosts and --any-host.')
  return []
}

/** A name without a dot is rather a slip, like `none`, than a place on the internet. */
function assertHost(text: string): void {
  const pattern = parseHostPattern(text)
  if ('problem' in pattern) throw usageError(`Host "${text}" ${pattern.problem}.`)
  if (pattern.host.includes('.') || pattern.host === 'localhost' || isIpLiteral(pattern.host)) return
  throw usageError(`Host "${text}" has no dot, so it is no internet host; --any-host ends a binding.`)
}
