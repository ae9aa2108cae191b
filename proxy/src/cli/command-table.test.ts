import { Command } from 'commander'
import { describe, expect, it, test } from 'vitest'
import { COMMAND_MODULES, modulesFor } from './command-table.ts'
import { createContext } from './context.ts'
import { noPrograms } from './program.ts'

const { stdin, stdout, stderr } = process
const around = { stdin, stdout, stderr, env: {}, cwd: '/' }

describe('the table of commands', () => {
  it.each(COMMAND_MODULES.map((one) => [one.words.join(', '), one] as const))('%s', async (_, one) => {
    const program = new Command()
    const add = await one.load()
    add(
      program,
      createContext(around, () => ({})),
      noPrograms(''),
    )
    expect(program.commands.flatMap((command) => [command.name(), ...command.aliases()]).sort()).toEqual(
      [...one.words].sort(),
    )
  })
})

const OWN = ['daemon']
const needed = (...argv: string[]): string[] => modulesFor(argv, OWN).flatMap(({ words }) => words)
const ALL = COMMAND_MODULES.flatMap(({ words }) => words)

test.each([
  [['secret', 'add'], ['secret']],
  [
    ['--json', '--tenant', 'agent', 'show', 'x'],
    ['requests', 'pending', 'show', 'approve', 'deny', 'stop'],
  ],
  [['--tenant=agent', '--socket=/s', 'secret'], ['secret']],
  [['--version'], []],
  [['--socket', 'secret', '-V'], []],
  [['daemon', 'secret'], []],
])('%j needs %j', (argv, words) => {
  expect(needed(...argv)).toEqual(words)
})

test.each([[[]], [['--help']], [['help', 'secret']], [['secrt']], [['--wrong', 'secret']], [['completion']]])(
  '%j needs all, for help and suggestions',
  (argv: string[]) => {
    expect(needed(...argv)).toEqual(ALL)
  },
)
