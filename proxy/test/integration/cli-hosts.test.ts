import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MAX_FILE_BYTES } from '../../src/contracts/admin/index.ts'
import { DAY_MS, utcDay } from '../../src/kernel/index.ts'
import { json, useCli } from '../support/cli-commands-kit.ts'
import { PLAYED_REQUEST } from '../support/hosted-kit.ts'
import { patience } from '../support/pace.ts'
import { runCliHere } from '../support/run-cli.ts'

const world = useCli()
const { oauth3, asProcess } = world

test('a hosted agent is asked for a key only where it can be made, and its names are told in words', async () => {
  const bad = await oauth3(['host', 'add', 'Bad Name'], { stdin: 'demo-key-of-a-vendor' })
  expect(bad).toMatchObject({ code: 2, stdout: '' })
  expect(bad.stderr).toBe(
    'oauth3: name: a name is 1–64 of A–Z a–z 0–9 . _ -, with a letter or a digit first.\n',
  )
  const span = await oauth3(['host', 'add', 'good', '--sleep-after', '10x'], {
    stdin: 'demo-key-of-a-vendor',
  })
  expect(span).toMatchObject({
    code: 2,
    stderr: 'oauth3: sleep_after: takes a span like 10m, 1h or never.\n',
  })
  expect(json(await oauth3(['key', 'list', '--json']))).toMatchObject({ keys: [] })
  expect(await oauth3(['host', 'version', ''])).toMatchObject({
    ...{ code: 2, stderr: "oauth3: The argument 'name' is empty.\n" },
  })
})

describe('a hosted agent', () => {
  const host = (words: readonly string[], stdin = '') =>
    runCliHere(['host', ...words], { stdin, env: { OAUTH3_SOCKET: world.kit.socketPath } })

  test('is followed until it has answered, however long that takes, and says by its code that it did not', async () => {
    const say = (stdin: string, ...more: string[]) => host(['chat', 'claw', ...more], stdin)
    await oauth3(['host', 'add', 'claw'], { stdin: 'demo-key-of-a-vendor' })
    expect(await say('hello')).toEqual({ code: 0, stdout: 'you said: hello\n', stderr: '' })
    expect(json(await say('hello', '--json'))).toMatchObject({ number: 2, state: 'done' })
    const failed = await say('fail')
    expect(failed).toMatchObject({ code: 1, stdout: 'you said: fail\n' })
    expect(failed.stderr).toContain('It is gone.')
    expect((await say('two\n\nlines \u202e\n')).stdout).toBe('you said: two\n\nlines ⟨U+202E⟩\n')
    expect((await host(['history', 'claw', '-n', '1'])).stdout).toBe(
      '> two\n\nlines ⟨U+202E⟩\nyou said: two\n\nlines ⟨U+202E⟩\n',
    )
    expect(await say(' \n\n')).toMatchObject({ code: 2, stdout: '' })
    const long = await say('é'.repeat(70_000))
    expect(long).toMatchObject({ code: 2, stderr: 'oauth3: Standard input holds more than 128.0 KiB.\n' })
    expect(await host(['chat', 'nobody'], 'hello')).toMatchObject({ code: 4, stdout: '' })
  })

  test('is said to start first where that takes long, and once it is awake no more', async () => {
    await host(['stop', 'claw'])
    const chat = async () => {
      const typed = ['hello', '']
      const types = () => typed.shift() ?? null
      const env = { OAUTH3_SOCKET: world.kit.socketPath }
      return await runCliHere(['host', 'chat', 'claw'], { env, isTerminal: true, types })
    }
    const first = await chat()
    expect(first.stdout).toBe('you said: hello\n')
    expect(first.stderr).toContain('claw is asleep; it answers once it has started')
    await host(['start', 'claw'])
    expect((await chat()).stderr).not.toContain('started')
  })

  test('answers as it comes, with its tools where somebody looks, and in words alone where a program reads', async () => {
    const chat = async (text: string, onWritten?: (text: string) => void) => {
      const typed = [text, '']
      const types = () => typed.shift() ?? null
      const env = { OAUTH3_SOCKET: world.kit.socketPath, NO_COLOR: '1' }
      const watching = onWritten === undefined ? {} : { onWritten }
      return await runCliHere(['host', 'chat', 'claw'], { env, isTerminal: true, types, ...watching })
    }
    const written: string[] = []
    await chat('use|pieces|a \u{1f469}|\u200d\u{1f680} b|\u202e.', (text) => written.push(text))
    expect(written).toEqual([
      '  · exec {"command":"ls"}',
      ': done in 1.2 s\n',
      ...['you said: use', 'pieces', 'a ', '\u{1f469}\u200d\u{1f680} b', '⟨U+202E⟩.', '\n'],
    ])
    const read = await chat('use|pieces')
    expect(read.stdout).toBe('you said: usepieces\n')
    const failed = await chat('fail', () => {})
    expect([failed.stdout, failed.stderr]).toEqual([
      'you said: fail\n',
      expect.stringContaining('(It is gone.)'),
    ])
  })

  test('is left at its answer by ^C, which says how it is stopped', async () => {
    const { code, stdout, stderr } = await asProcess(['host', 'chat', 'claw'], {
      ...{ stdin: 'wait', givesInputFirst: true },
      whileRunning: async (pid, output) => {
        await expect.poll(() => output.stdout, { timeout: patience(20_000) }).toBe('you said: wait')
        process.kill(pid, 'SIGINT')
      },
    })
    expect([code, stdout]).toEqual([1, 'you said: wait'])
    expect(stderr).toContain('oauth3 host interrupt claw')
  })

  test('has in its history the tools that it used, and what it said unasked', async () => {
    const tool = '  · exec {"command":"ls"}: '
    expect((await host(['chat', 'claw'], 'use')).stdout).toBe('you said: use\n')
    expect((await host(['history', 'claw', '-n', '2'])).stdout).toBe(
      `> use\n${tool}done in 1.2 s\nyou said: use\n\n` +
        `> (nobody asked: woken by request ${PLAYED_REQUEST})\n${tool}did not end\nIt has run.\n`,
    )
  })

  test('is listed with what comes next, uncut where that fits into the terminal', async () => {
    const env = { OAUTH3_SOCKET: world.kit.socketPath, COLUMNS: '80' }
    const { stdout } = await runCliHere(['host', 'list'], { env })
    expect(stdout).toMatch(/claw +running +claude-sonnet-5-5 +paused (?:in|[0-9]).*\n$/)
    expect(stdout).not.toContain('…')
    expect(json(await host(['list', '--json'])).hosts).toMatchObject([{ memory_queue_position: null }])
  })

  test('reaches several hosts by one order, and loses several', async () => {
    const hosts = ['API.example.com', '*.example.org', 'example.net:8443']
    expect((await host(['allow', 'claw', ...hosts])).stdout).toBe(
      'claw may reach api.example.com, *.example.org, example.net:8443.\n',
    )
    expect((await host(['deny', 'claw', 'https://api.example.com:443', '*.example.org'])).stdout).toBe(
      'claw may reach example.net:8443.\n',
    )
    // None of them where one is wrong.
    for (const wrong of ['bücher.example', '*.amazonaws.com', '*.co.uk', '10.0.0.1', 'localhost'])
      expect(await host(['allow', 'claw', 'good.example.com', wrong]), wrong).toMatchObject({ code: 2 })
    expect((await host(['show', 'claw'])).stdout).toContain('may reach   example.net:8443\n')
    expect(await host(['allow', 'claw'])).toMatchObject({ code: 2, stdout: '' })
    expect(await host(['chat', 'claw', 'said as arguments'])).toMatchObject({ code: 2, stdout: '' })
  })

  test('has a bot in Telegram by a token from standard input, and a code for each chat that is paired', async () => {
    const token = '6161616161:demo-bot-token-of-claw'
    expect(await host(['telegram', 'claw'])).toMatchObject({ code: 2, stdout: '' })
    expect(await host(['telegram', 'claw', '--unpair', '1001'], token)).toMatchObject({ code: 4 })
    const { code, stdout } = await host(['telegram', 'claw'], `${token}\n`)
    expect([code, stdout]).toEqual([0, expect.stringContaining('claw is @claw_bot in Telegram')])
    expect(stdout).toContain('ends in claw\n  state       connected\n  paired      1001 Ann, ')
    expect(stdout).toContain('strangers   1 message of theirs, not answered\n')
    expect(stdout).toContain('https://t.me/claw_bot?start=played-code')
    expect(stdout).not.toContain(token)
    // Another token is not passed over in silence.
    expect(await host(['telegram', 'claw'], '6262626262:demo-bot-token-of-new')).toMatchObject({
      ...{ code: 5, stdout: '', stderr: expect.stringContaining('has a bot already, @claw_bot') },
    })
    // Nor is its end waited for, and nobody waits without knowing why.
    const open = { stdin: '6262626262:demo', isLeftOpen: true, env: { OAUTH3_SOCKET: world.kit.socketPath } }
    const refused = await runCliHere(['host', 'telegram', 'claw'], open)
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('and takes no token; a chat') })
    expect(stdout).toMatch(/once, until [0-9-]{10} [0-9:]{8} UTC:/)
    // What it has is asked for no second time.
    expect((await host(['telegram', 'claw', '--unpair', '1001'])).stdout).toContain('nobody')
    expect(json(await host(['telegram', 'claw', '--json']))).toMatchObject({
      bot: { last4: 'claw', created_at: '1970-01-01T00:00:00.002Z', chats: [] },
      code: { expires_at: '1970-01-01T01:06:40.000Z' },
    })
    // The one is a chat's, the other takes all of them.
    const both = ['telegram', 'claw', '--unpair', '1001', '--off']
    expect(await host(both)).toMatchObject({ code: 2, stdout: '' })
    expect((await host(['telegram', 'claw', '--off'])).code).toBe(0)
    expect(await host(['telegram', 'claw', '--off'])).toMatchObject({ code: 4 })
  })

  test('lists what is kept of its files, and rolls it back', async () => {
    const { code, stdout } = await host(['generations', 'claw'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/NUMBER.*NEXT WAKE\n.*2.*4\.0 KiB.*brings these/s)
    expect((await host(['rollback', 'claw', '--to', '2'])).stdout).toContain(
      'claw has the files of generation 2;',
    )
    expect(await host(['rollback', 'claw', '--to', '7'])).toMatchObject({ code: 4, stdout: '' })
    for (const words of [['--to', 'x'], ['--to', '-1'], []])
      expect(await host(['rollback', 'claw', ...words])).toMatchObject({ code: 2, stdout: '' })
  })

  test('shows what runs in it, what it printed and what it is made of', async () => {
    expect((await host(['processes', 'claw'])).stdout).toMatch(
      /PROGRAM.*\n *71 +bash init\.sh +waiting +60 +3\.0 MiB/s,
    )
    expect(await host(['logs', 'claw', '--id', '71'])).toEqual({ code: 0, stdout: 'listening\n', stderr: '' })
    expect(await host(['logs', 'claw', '--id', '72'])).toMatchObject({ code: 4, stdout: '' })
    expect((await host(['version', 'claw'])).stdout).toContain('OpenClaw    2026.9.6\n')
    expect(await host(['processes', 'nobody'])).toMatchObject({ code: 4, stdout: '' })
  })

  test('takes files of any size up to the limit from this machine, and puts them into a folder of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'oauth3-cli-files-'))
    const [local, there] = [join(folder, 'local'), join(folder, 'today')]
    try {
      for (const [bytes, code] of [
        [0, 0],
        [MAX_FILE_BYTES, 0],
        [MAX_FILE_BYTES + 1, 2],
      ] as const) {
        writeFileSync(local, '')
        truncateSync(local, bytes)
        expect(await host(['put', 'claw', local]), `${bytes}`).toMatchObject({ code })
      }
      expect(await host(['put', 'claw', '/dev/zero', 'zeros'])).toEqual({
        ...{ code: 2, stdout: '' },
        stderr: 'oauth3: /dev/zero has more than 25.0 MiB, which is the most.\n',
      })
      expect(await host(['put', 'claw', folder])).toMatchObject({
        ...{ code: 2, stderr: expect.stringContaining('EISDIR') },
      })
      expect((await host(['get', 'claw', 'notes/today', folder])).stdout).toBe(`${there} was written, 4 B.\n`)
      expect(readFileSync(there, 'utf8')).toBe('note')
      expect((await host(['get', 'claw', 'notes/today', folder])).stderr).toContain(
        `${there} is there already`,
      )
      expect((await host(['get', 'claw', 'notes/today', folder, '--force'])).code).toBe(0)
      expect((await host(['get', 'claw', 'notes/today', '-'])).stdout).toBe('note')
      const env = { OAUTH3_SOCKET: world.kit.socketPath }
      const watched = await runCliHere(['host', 'get', 'claw', 'notes/today', '-'], {
        env,
        onWritten: () => {},
      })
      expect(watched).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('may obey') })
      const listed = json(await host(['files', 'claw', '--json']))
      expect(listed.entries).toMatchObject([{ name: 'today', modified_at: '1970-01-01T00:00:00.001Z' }])
      // It is called so there.
      expect(await asProcess(['host', 'get', 'claw', 'notes/-'], { cwd: folder })).toMatchObject({
        ...{ code: 0, stdout: '- was written, 4 B.\n' },
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('shows what a hosted agent used, and nothing of another’s', async () => {
    const show = (...more: string[]) =>
      runCliHere(['host', 'show', 'claw', ...more], { env: { OAUTH3_SOCKET: world.kit.socketPath } })
    const insert = world.kit.db.prepare(
      `INSERT INTO usage_by_day (tenant_id, day, agent_id, provider, model, key_id, requests, failed, untold, input_tokens,
      output_tokens, cache_read_tokens, cache_write_tokens, micro_usd, unpriced)
     VALUES ('default', ?, ?, 'anthropic', 'm', 1, ?, 0, 0, ?, 30, 0, 0, 1250000, ?)`,
    )
    // Of a day that is not over when this test is.
    const [soon, before] = [utcDay(Date.now() + DAY_MS), utcDay(Date.now() - 10 * DAY_MS)]
    insert.run(soon, 'agt_0000000000000001', 2, 1_000, 0)
    insert.run(before, 'agt_0000000000000001', 5, 7_000, 1)
    insert.run(soon, 'agt_0000000000000002', 100, 900_000, 0)
    const { stdout } = await show()
    expect(stdout).toContain('today       awake 62 s, 11 GB-seconds, 2 model calls, 1,030 tokens, $1.25\n')
    expect(stdout).toContain('30 days     awake 62 s, 11 GB-seconds, 7 model calls, 8,060 tokens, $2.50 +\n')
    expect(json(await show('--json'))).toMatchObject({
      name: 'claw',
      usage: { today: { awake_seconds: 61.5, gb_seconds: 11.25, requests: 2 }, days_30: { requests: 7 } },
    })
  })
})
