import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { COMMANDS, parseCommand } from './commands.ts'
import { renderCommandsPage } from './index.ts'

describe('the table of commands', () => {
  it('is what TELEGRAM-COMMANDS.md says', () => {
    const page = readFileSync(new URL('../../../../TELEGRAM-COMMANDS.md', import.meta.url), 'utf8')
    expect(page).toBe(renderCommandsPage())
  })

  it('fits what Telegram takes for its menu', () => {
    for (const [name, { help }] of Object.entries(COMMANDS)) {
      expect(name).toMatch(/^[a-z0-9_]{1,32}$/)
      expect(help.length).toBeGreaterThanOrEqual(3)
      expect(help.length).toBeLessThanOrEqual(256)
    }
  })
})

describe('parseCommand', () => {
  it.each([
    ['/id', { name: 'id', bot: null, rest: '' }],
    ['/ID@Some_Bot', { name: 'id', bot: 'Some_Bot', rest: '' }],
    [
      '/add_secret A  two blanks\nand lines ',
      { name: 'add_secret', bot: null, rest: 'A  two blanks\nand lines ' },
    ],
    ['/add_secret\nA\nv', { name: 'add_secret', bot: null, rest: 'A\nv' }],
  ])('reads %j', (text, expected) => {
    expect(parseCommand(text)).toEqual(expected)
  })

  it.each(['', 'id', ' /id', '/', '/a-b c', undefined])('takes %j for no command', (text) => {
    expect(parseCommand(text)).toBeUndefined()
  })
})
