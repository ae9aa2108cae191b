/** Conversations with hosted agents at a terminal. */
import type { TurnView } from '../../contracts/admin/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { CommandContext, CommandGroup } from '../context.ts'
import { terminalText } from '../text-layout.ts'
import { createTurnPrinter, toolLine } from '../turn-printer.ts'

type Program = Parameters<CommandGroup>[0]

export function addHostChatCommands(host: Program, context: CommandContext): void {
  host
    .command('history')
    .description('what was said to a hosted agent and what it answered, the newest last; wakes none')
    .argument('<name>')
    .option('-n, --limit <count>', 'so many turns', '20')
    .action(async (name: string, { limit }: { readonly limit: string }) => {
      const answer = await context.client.call('listTurns', { params: { name }, query: { limit } })
      await context.show(answer, () =>
        answer.turns.length === 0
          ? 'Nothing was said yet.'
          : answer.turns.map((turn) => `${beganBy(turn)}\n${answerOf(turn)}`).join('\n\n'),
      )
    })

  host
    .command('interrupt')
    .description('stop what a hosted agent is answering, and what waits behind it; what had come stays')
    .argument('<name>')
    .action(async (name: string) => {
      const { turns } = await context.client.call('listTurns', { params: { name }, query: {} })
      const open = turns.filter(({ state, origin }) => state === 'open' && origin === 'person')
      // At once: one that waits ends behind the one before it.
      await Promise.all(
        open.map(({ number }) => context.client.call('stopTurn', { params: { name, number } })),
      )
      await context.show({ stopped: open.length }, () =>
        open.length === 0 ? `${name} answers nothing now.` : `${name} was interrupted.`,
      )
    })

  host
    .command('chat')
    .description(
      'talk to a hosted agent, which is woken for it; one message from standard input where nobody types; ^C leaves it at its answer',
    )
    .argument('<name>')
    .action((name: string) => chat(context, name))
}

async function chat(context: CommandContext, name: string): Promise<void> {
  const { terminal } = context
  if (!terminal.isInteractive) {
    const text = await terminal.readSecretFromInput()
    if (text.trim() === '') throw usageError('There is no message on standard input.')
    const { state, problem } = await converse(context, name, text)
    if (state !== 'done') throw new CliError('failed', EXIT.failed, problem ?? 'It was stopped.')
    return
  }
  terminal.note(`You talk to ${name}. An empty line ends it.`)
  for (;;) {
    const text = await terminal.ask('> ')
    if (text === null || text.trim() === '') return
    const { state, problem } = await converse(context, name, text)
    if (state !== 'done') terminal.note(`(${problem ?? state})`)
  }
}

const SLOW_STATES: ReadonlySet<string> = new Set(['creating', 'starting', 'stopping', 'asleep', 'failed'])

/** A start takes longer than anybody looks at a silent terminal. */
export async function noteStart({ client, terminal }: CommandContext, name: string): Promise<void> {
  const host = (await client.call('listHosts')).hosts.find((row) => row.name === name)
  if (host !== undefined && SLOW_STATES.has(host.state))
    terminal.note(`${name} is ${host.state}; it answers once it has started, which takes up to a minute.`)
}

/** Followed to its end, and printed as it comes; as JSON when it is whole. */
async function converse(context: CommandContext, name: string, text: string): Promise<TurnView> {
  const { client, terminal, json, show } = context
  using interrupt = terminal.catchInterrupt()
  const { signal } = interrupt
  await noteStart(context, name)
  const { number } = await client.call('sayToHost', { params: { name }, body: { text } })
  const printer = createTurnPrinter(terminal)
  try {
    for await (const { event, data } of client.events('followTurn', { params: { name, number }, signal })) {
      if (event === 'end' && 'asked' in data) {
        await (json ? show(data, () => '') : printer.end(data))
        return data
      }
      if (json) continue
      if (event === 'text' && 'text' in data) await printer.text(data.text)
      if (event === 'tool' && 'duration_ms' in data) await printer.tool(data)
    }
  } catch (error) {
    if (!signal.aborted) throw error
    await terminal.write(terminal.isWatched ? '\n' : '')
    throw new CliError(
      'interrupted',
      EXIT.failed,
      `${name} goes on with its answer. Stop it: oauth3 host interrupt ${name}. Read it later: oauth3 host history ${name}.`,
    )
  }
  throw new CliError('connection_lost', EXIT.failed, 'The daemon stopped before it was answered.')
}

const beganBy = ({ origin, request_id, asked }: TurnView): string => {
  if (origin === 'person') return `> ${terminalText(asked)}`
  return `> (nobody asked: woken ${request_id === null ? 'by itself' : `by request ${request_id}`})`
}

const answerOf = ({ answer, state, problem, tools }: TurnView): string =>
  [
    ...tools.map(toolLine),
    ...(answer === null || answer === '' ? [] : [terminalText(answer)]),
    ...(state === 'done' ? [] : [`(${problem ?? state})`]),
  ].join('\n')
