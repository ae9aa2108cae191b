import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { commandHelp, noPrograms, runCli } from './program.ts'
import { columnsOf } from './text-layout.ts'

async function helpAt(columns: number, words: readonly string[]): Promise<string> {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: false, columns })
  const around = { stdin: stream, stdout: stream, stderr: stream, env: {}, cwd: '/' }
  expect(await runCli([...words, '--help'], around, noPrograms('1.0.0'))).toBe(0)
  return stream.read() as string
}

/** Commands stay whole, so that they can be copied. */
const isCommand = (line: string): boolean => /^ {2}\$ |^Usage: /.test(line)

const COMMANDS = [[], ...(await commandHelp()).map(({ name }) => name.split(' ').slice(1))]

describe.each([40, 80])('help on a terminal of %i columns', (columns) => {
  test('keeps every line within it, for every command', async () => {
    expect(COMMANDS.length).toBeGreaterThan(40)
    // Commands with others below them.
    expect(COMMANDS).toEqual(expect.arrayContaining([['grants'], ['requests'], ['panic']]))
    for (const words of COMMANDS) {
      const lines = (await helpAt(columns, words)).split('\n')
      expect(lines.filter((line) => !isCommand(line) && columnsOf(line) > columns)).toEqual([])
    }
  })
})

test('breaks no command and drops no word on a narrow terminal', async () => {
  const letters = (text: string): string => text.replaceAll(/\s/g, '')
  for (const words of COMMANDS)
    expect(letters(await helpAt(40, words))).toBe(letters(await helpAt(200, words)))
  expect(await helpAt(40, ['secret', 'add'])).toContain(
    '\n  $ oauth3 secret add OPENAI_API_KEY --hosts api.openai.com\n',
  )
})
