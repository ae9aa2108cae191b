/** `npm run dev`: one daemon at a time, on a state of its own, started anew when a source changes. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { restartOnChange } from '../../scripts/restart-on-change.ts'
import { patience } from '../support/pace.ts'

const ROOT = join(import.meta.dirname, '../../..')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-dev-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a program that is restarted upon a change', () => {
  const write = (name: string, text: string): void => writeFileSync(join(folder, 'src', name), text)
  const events = (): string[] => {
    const file = join(folder, 'events')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }
  /** Writes down when it begins, each SIGTERM, and its end, which comes once the file `release` is there. */
  const PROGRAM = `
    import { appendFileSync, existsSync } from 'node:fs'
    const note = (text) => appendFileSync('events', text + '\\n')
    let stopping = false
    const beat = setInterval(() => {
      if (!stopping || !existsSync('release')) return
      note('end')
      clearInterval(beat)
    }, 20)
    process.on('SIGTERM', () => {
      note('told to stop')
      stopping = true
    })
    note('begin')
  `
  const release = (): void => writeFileSync(join(folder, 'release'), '')
  const lines: string[] = []
  let running: Promise<number>
  let stopped: AbortController

  afterEach(async () => {
    release()
    stopped.abort()
    await running
  })

  function start(program: string): void {
    mkdirSync(join(folder, 'src'))
    write('program.mjs', program)
    stopped = new AbortController()
    lines.length = 0
    running = restartOnChange({
      command: process.execPath,
      args: [join(folder, 'src/program.mjs')],
      cwd: folder,
      env: process.env,
      watched: [join(folder, 'src')],
      signal: stopped.signal,
      log: (line) => lines.push(line),
    })
  }

  it('begins only after the former has ended, and is told to stop once, however many changes come meanwhile', async () => {
    start(PROGRAM)
    await expect.poll(events).toEqual(['begin'])
    write('a.ts', '1')
    await expect.poll(events).toContain('told to stop')
    write('b.ts', '1')
    await expect.poll(() => lines).toContain('b.ts changed: restarting')
    release()
    await expect.poll(() => events().slice(0, 4)).toEqual(['begin', 'told to stop', 'end', 'begin'])
    stopped.abort()
    expect(await running).toBe(0)
    expect(events().slice(4)).toEqual(['told to stop', 'end'])
  })

  it('is not restarted for its tests, nor for the files that editors leave', async () => {
    start(PROGRAM)
    release()
    await expect.poll(events).toEqual(['begin'])
    for (const name of ['x.test.ts', '.x.ts.swp', 'x.ts~', '4913']) write(name, '1')
    write('x.ts', '1')
    await expect.poll(() => lines).toEqual(['x.ts changed: restarting'])
    stopped.abort()
    await running
  })

  it('that ended by itself is started again by the next change', async () => {
    start('process.exit(3)')
    await expect.poll(() => lines).toEqual(['the program ended with 3; a change starts it again'])
    write('program.mjs', PROGRAM)
    await expect.poll(events).toEqual(['begin'])
    release()
    stopped.abort()
    expect(await running).toBe(0)
  })
})

it('the daemon of npm run dev starts anew when a source changes, and takes neither state nor settings of the shell', {
  timeout: patience(200_000),
}, async () => {
  const state = join(folder, 'state')
  mkdirSync(state)
  writeFileSync(join(state, '.env'), 'PORT=0\nOAUTH3_SANDBOX=embedded\n', { mode: 0o600 })
  const child = spawn(process.execPath, [join(ROOT, 'proxy/scripts/dev.ts'), '--state', state], {
    cwd: ROOT,
    env: {
      ...process.env,
      DB_PATH: join(folder, 'real.db'),
      OAUTH3_KEY_FILE: join(folder, 'real.key'),
      OAUTH3_SANDBOX: 'docker',
      TELEGRAM_BOT_TOKEN: '123:abcdefghijklmnopqrstuvwxyz',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  try {
    let log = ''
    child.stdout.on('data', (chunk) => {
      log += chunk
    })
    const ready = (): string[] => log.split('\n').filter((line) => line.includes('oauth3 is ready'))
    await expect.poll(() => ready().length, { timeout: 60_000 }).toBe(1)
    expect(ready()[0]).toMatch(/"telegram":"off","sandbox":"embedded"/)
    const now = new Date()
    utimesSync(join(ROOT, 'proxy/src/version.ts'), now, now)
    await expect.poll(() => ready().length, { timeout: 60_000 }).toBeGreaterThan(1)
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    expect(existsSync(join(state, 'proxy.db'))).toBe(true)
    expect(existsSync(join(folder, 'real.db')) || existsSync(join(folder, 'real.key'))).toBe(false)
  } finally {
    child.kill('SIGTERM')
  }
  // Longer than its waits: what it started is ended before the time of the test is over.
})
