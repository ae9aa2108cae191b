import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runCliHere } from '../support/run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'oauth3-completion-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a real bash offers for the last of these words. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const script = join(folder, 'oauth3.bash')
  writeFileSync(script, (await runCliHere(['completion', 'bash'])).stdout)
  const ask = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _oauth3; echo "$' + '{COMPREPLY[*]}"'
  const said = execFileSync('bash', ['-c', ask, script, 'oauth3', ...words], {
    encoding: 'utf8',
    cwd: folder,
  })
  return said.trim().split(' ')
}

test('completes commands, groups and options where they stand, in a real bash', async () => {
  expect(await offered('sec')).toEqual(['secret'])
  expect(await offered('secret', '')).toEqual(expect.arrayContaining(['add', 'list', 'remove', 'rename']))
  expect(await offered('--json', 'secret', 'add', 'NAME', '--h')).toEqual(['--hosts', '--help'])
  expect(await offered('approve', 'req_1', '--fore')).toEqual(['--forever'])
  expect(await offered('nothing-like-it', 'x')).toEqual([''])
})

test('evaluates nothing that is typed', async () => {
  const trap = join(folder, 'evaluated')
  for (const typed of [`$(touch ${trap})`, `\`touch ${trap}\``, `';touch ${trap};'`]) {
    await offered('secret', typed, '')
    await offered(typed)
  }
  expect(existsSync(trap)).toBe(false)
})

test('a shell that is none is wrong usage', async () => {
  expect((await runCliHere(['completion', 'tcsh'])).code).toBe(2)
})
