/** Lists on a narrow terminal: nothing is wrapped by the terminal, and nothing is lost that has no other place. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { columnsOf } from '../../src/cli/text-layout.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { type CliRun, runCliHere } from '../support/run-cli.ts'

let kit: AdminKit
const oauth3 = (args: readonly string[], columns: number): Promise<CliRun> =>
  runCliHere(args, { env: { OAUTH3_SOCKET: kit.socketPath, COLUMNS: String(columns) } })

beforeAll(async () => {
  kit = await startAdminKit()
  await kit.storage.transaction((tx) =>
    kit.vault.put(tx, 'A_SECRET_WITH_A_NAME_OF_SOME_LENGTH', new SecretValue('demo-value-narrow'), {
      hosts: ['api.example.com', 'another-host.example.com'],
      actor: 'cli:0',
    }),
  )
  const { requestId } = await kit.ask({ skillId: `narrow/${'skill'.repeat(12)}` })
  await oauth3(['approve', requestId, '--forever', '--yes'], 140)
  await kit.ask({ skillId: `narrow/${'other'.repeat(12)}` })
  const use = { provider: 'openai', model: 'gpt-demo-2026-11-28', group: 'inference' } as const
  await kit.access.ask({ agentId: kit.agent.id, ...use, path: '/v1/chat/completions' })
  await oauth3(['grant', 'add', 'clawd', 'anthropic', '--models', 'claude-opus*,claude-sonnet*'], 140)
  await runCliHere(['key', 'add', 'anthropic'], {
    env: { OAUTH3_SOCKET: kit.socketPath },
    stdin: 'demo-key-of-nobody',
  })
})
afterAll(() => kit[Symbol.asyncDispose]())

const LISTS = [
  ['pending'],
  ['agent', 'list'],
  ['secret', 'list'],
  ['trust', 'list'],
  ['grant', 'list'],
  ['provider', 'list'],
  ['price', 'list'],
  ['key', 'list'],
  ['audit', 'list', '-n', '50'],
]

describe.each([80, 40, 20])('in %i columns', (columns) => {
  test.each(LISTS.map((args) => [args.join(' '), args] as const))('%s keeps to them', async (_name, args) => {
    const { code, stdout } = await oauth3(args, columns)
    expect(code).toBe(0)
    for (const line of stdout.trimEnd().split('\n'))
      expect(columnsOf(line), line).toBeLessThanOrEqual(columns)
  })
})

test('a list that does not fit has a line for each cell, with its title and all of its text', async () => {
  const { stdout } = await oauth3(['agent', 'list'], 40)
  expect(stdout).toMatch(/^NAME +clawd$/m)
  expect(stdout.replaceAll(/\n +/g, '')).toContain(kit.agent.id)
  const wide = await oauth3(['agent', 'list'], 140)
  expect(wide.stdout).toMatch(/^NAME +ID +FROM +TAGS/m)
})
