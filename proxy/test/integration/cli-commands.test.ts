import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { json, useCli } from '../support/cli-commands-kit.ts'
import { runCliHere, runCliProcess } from '../support/run-cli.ts'

const world = useCli()
const { oauth3, asProcess } = world

describe('secrets', () => {
  test('takes the value from standard input without its one last line break, and never shows it', async () => {
    const run = await asProcess(['secret', 'add', 'STDIN_KEY', '--hosts', 'b.example.com,A.example.com'], {
      stdin: 'demo-value-with-\n-two-lines\n\n',
    })
    expect(run.code).toBe(0)
    expect(run.stdout).toContain('a.example.com, b.example.com')
    expect(run.stdout + run.stderr).not.toContain('demo-value')
    expect(
      (await world.kit.storage.transaction((tx) => world.kit.vault.open(tx, 'STDIN_KEY', 'req_test'))).open(),
    ).toBe('demo-value-with-\n-two-lines\n')
  })

  test('has no way to give the value as an argument', async () => {
    const run = await oauth3(['secret', 'add', 'ARG_KEY', 'demo-value-argument'], { stdin: '' })
    expect(run.code).toBe(2)
    expect(run.stderr).toContain('asked for, or read from standard input')
    expect(run.stderr).not.toContain('demo-value')
    expect(await world.kit.storage.read((tx) => world.kit.vault.find(tx, 'ARG_KEY'))).toBeUndefined()
    for (const stdin of ['\n', '\r\n', '          \n', '\t\n'.repeat(9)]) {
      const empty = await oauth3(['secret', 'add', 'ARG_KEY'], { stdin })
      expect(empty, stdin).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('empty') })
    }
  })

  test('keeps the value out of the process list and of the environment', async () => {
    const seen: string[] = []
    await asProcess(['secret', 'add', 'LISTED_KEY'], {
      stdin: 'demo-value-not-in-proc',
      async whileRunning(pid) {
        await new Promise((resolve) => setTimeout(resolve, 150))
        seen.push(
          readFileSync(`/proc/${pid}/cmdline`, 'latin1'),
          readFileSync(`/proc/${pid}/environ`, 'latin1'),
        )
      },
    })
    expect(seen[0]).toContain('LISTED_KEY')
    expect(seen.join()).not.toContain('demo-value')
  })

  test('lists, renames and removes', async () => {
    await oauth3(['secret', 'add', 'OLD_KEY'], { stdin: 'demo-value-1' })
    expect(json(await oauth3(['secret', 'rename', 'OLD_KEY', 'NEW_KEY', '--json']))).toMatchObject({
      name: 'NEW_KEY',
    })
    expect((await oauth3(['secret', 'risk', 'NEW_KEY', 'high'])).stdout).toContain('NEW_KEY is of high risk.')
    expect((await oauth3(['secret', 'risk', 'NEW_KEY', 'dire'])).code).toBe(2)
    const listed = await oauth3(['secret', 'list'])
    expect(listed.stdout).toMatch(/NEW_KEY +2 +not bound +high/)
    expect((await oauth3(['secret', 'add', 'NEW_KEY'], { stdin: 'demo-value-2' })).stdout).toContain(
      'of high risk',
    )
    const lowered = ['secret', 'add', 'NEW_KEY', '--risk', 'normal', '--json']
    expect(json(await oauth3(lowered, { stdin: 'demo-value-3' }))).toMatchObject({ risk: 'normal' })
    expect(listed.stdout).not.toContain('OLD_KEY')
    expect((await oauth3(['secret', 'remove', 'NEW_KEY'])).code).toBe(0)
    expect(await oauth3(['secret', 'remove', 'NEW_KEY'])).toMatchObject({ code: 4, stdout: '' })
    expect((await oauth3(['secret', 'rename', 'NONE_KEY', 'OTHER_KEY'])).code).toBe(4)
  })

  test('keeps a binding on replacement unless --any-host ends it', async () => {
    await oauth3(['secret', 'add', 'BOUND_KEY', '--hosts', 'api.example.com'], { stdin: 'demo-value-1' })
    await oauth3(['secret', 'add', 'BOUND_KEY'], { stdin: 'demo-value-2' })
    expect((await world.kit.storage.read((tx) => world.kit.vault.find(tx, 'BOUND_KEY')))?.hosts).toEqual([
      'api.example.com',
    ])
    const both = ['secret', 'add', 'BOUND_KEY', '--any-host', '--hosts', 'b.example.com']
    expect((await oauth3(both, { stdin: 'demo-value-3' })).code).toBe(2)
    const freed = await oauth3(['secret', 'add', 'BOUND_KEY', '--any-host'], { stdin: 'demo-value-3' })
    expect(freed.stdout).toContain('not bound to hosts')
    expect((await world.kit.storage.read((tx) => world.kit.vault.find(tx, 'BOUND_KEY')))?.hosts).toBeNull()
  })

  test('takes addresses and localhost as hosts, and no other name without a dot', async () => {
    for (const host of ['localhost:8080', '10.0.0.5', '[::1]:443']) {
      expect(
        (await oauth3(['secret', 'add', 'INSIDE_KEY', '--hosts', host], { stdin: 'demo-value' })).code,
      ).toBe(0)
    }
    const run = await oauth3(['secret', 'add', 'NONE_BOUND', '--hosts', 'none'], { stdin: 'demo-value' })
    expect(run.code).toBe(2)
    expect(run.stderr).toContain('"none" has no dot')
    expect(await world.kit.storage.read((tx) => world.kit.vault.find(tx, 'NONE_BOUND'))).toBeUndefined()
  })

  test('refuses a reserved name and a bad host as wrong usage, in one line', async () => {
    for (const args of [
      ['secret', 'add', 'LD_PRELOAD'],
      ['secret', 'add', 'X=1'],
      ['secret', 'add', 'HOST_KEY', '--hosts', 'not a host'],
    ]) {
      const run = await oauth3(args, { stdin: 'demo-value-2' })
      expect(run.code).toBe(2)
      expect(run.stderr).toMatch(/^oauth3: .+\n$/)
    }
  })
})

describe('agents', () => {
  test('prints a working token once and keeps only its hash', async () => {
    const added = json(
      await oauth3([
        'agent',
        'add',
        'bot-1',
        '--cidr',
        '10.0.0.0/8,127.0.0.0/8',
        '--cidr',
        '::1/128',
        '--json',
      ]),
    )
    expect(added.token).toMatch(/^oa3_[A-Za-z0-9_-]{43}$/)
    expect(world.kit.agents.authenticate(`Bearer ${added.token}`, '127.0.0.1').name).toBe('bot-1')
    expect(added.agent.cidrs).toEqual(['10.0.0.0/8', '127.0.0.0/8', '::1/128'])
    expect(readFileSync(world.kit.dbPath, 'latin1')).not.toContain(added.token)
    const again = await oauth3(['agent', 'add', 'bot-1'])
    expect(again.code).toBe(5)
    expect((await oauth3(['agent', 'add', 'bot-2', '--cidr', 'everywhere'])).code).toBe(2)
  })

  test("seals the wake token, read from standard input, under the agent's own id", async () => {
    const args = [
      'agent',
      'add',
      'woken',
      '--wake',
      'openclaw-hook',
      '--wake-target',
      'http://127.0.0.1:18789',
      '--session-key',
      'main',
    ]
    expect((await oauth3(args)).code).toBe(2)
    const added = json(
      await oauth3([...args, '--wake-token-stdin', '--json'], { stdin: 'demo-hook-token\n' }),
    )
    expect(added.agent.wake).toEqual({
      kind: 'openclaw-hook',
      target: 'http://127.0.0.1:18789',
      session_key: 'main',
    })
    const sealed = world.kit.agents.byId(added.agent.id)?.wake?.sealedToken ?? ''
    expect(sealed).not.toContain('demo-hook-token')
    expect(world.kit.vault.openFor(`agent-wake:${added.agent.id}`, sealed).open()).toBe('demo-hook-token')
  })

  test.each([
    [['--wake', 'carrier-pigeon', '--wake-target', 'x']],
    [['--wake', 'webhook', '--wake-token-stdin']],
    [['--wake', 'webhook', '--wake-token-stdin', '--wake-target', 'ftp://example.com']],
    [['--wake', 'webhook', '--wake-token-stdin', '--wake-target', 'https://user:word@example.com']],
    [['--wake-target', 'http://127.0.0.1']],
    [['--wake', 'openclaw-cli', '--wake-target', 'openclaw', '--wake-token-stdin']],
  ])('refuses the wake options %j', async (options) => {
    expect((await oauth3(['agent', 'add', 'never', ...options], { stdin: 'demo-hook-token' })).code).toBe(2)
    expect(world.kit.agents.list().some((agent) => agent.name === 'never')).toBe(false)
  })

  test('rotates a token: the agent stays, the old token is good as long as it is said', async () => {
    const added = json(await oauth3(['agent', 'add', 'rotating', '--json']))
    const known = (token: string): string => world.kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1').id
    const first = json(await oauth3(['agent', 'rotate', 'rotating', '--overlap', '1h', '--json']))
    expect([known(added.token), known(first.token)]).toEqual([added.agent.id, added.agent.id])
    expect((await oauth3(['agent', 'list'])).stdout).toMatch(/rotating.*active; its old token until/)
    const second = await oauth3(['agent', 'rotate', 'rotating'])
    expect(second.stdout).toContain('the old one is refused from now on')
    for (const token of [added.token, first.token]) expect(() => known(token)).toThrow()
    expect(known(/oa3_[A-Za-z0-9_-]{43}/.exec(second.stdout)?.[0] ?? '')).toBe(added.agent.id)
    expect((await oauth3(['agent', 'rotate', 'rotating', '--overlap', '8d'])).code).toBe(2)
    expect((await oauth3(['agent', 'rotate', 'nobody'])).code).toBe(4)
    await oauth3(['agent', 'revoke', 'rotating'])
    expect(await oauth3(['agent', 'rotate', 'rotating'])).toMatchObject({
      code: 4,
      stderr: 'oauth3: rotating was already revoked.\n',
    })
  })

  test('revokes a token at once', async () => {
    const { token } = json(await oauth3(['agent', 'add', 'short-lived', '--json']))
    expect((await oauth3(['agent', 'revoke', 'short-lived'])).code).toBe(0)
    expect(() => world.kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1')).toThrow()
    expect(await oauth3(['agent', 'revoke', 'short-lived'])).toMatchObject({
      code: 4,
      stderr: 'oauth3: short-lived was already revoked.\n',
    })
    expect((await oauth3(['agent', 'list'])).stdout).toMatch(/short-lived.*nothing \(polls\).*revoked/)
  })
})

describe('usage', () => {
  test.each([
    [[]],
    [['frobnicate']],
    [['secret', 'frobnicate']],
    [['show']],
    [['pending', '--colour']],
    [['audit', 'list', '-n', 'x']],
  ])('%j is wrong usage and says so in one line', async (args) => {
    const run = await oauth3(args)
    expect(run.code).toBe(2)
    expect(run.stderr.trim().split('\n').at(-1)).toMatch(/^oauth3: .+/)
    const asJson = await oauth3([...args, '--json'])
    expect(JSON.parse(asJson.stderr).error).toMatchObject({ exit_code: 2 })
    expect(asJson.stdout).toBe('')
  })

  test.each([
    [['doctor', 'demo-value-surplus']],
    [['price', 'remove', 'openai', 'gpt-demo', 'demo-value-surplus']],
    [['key', 'demo-value-surplus']],
    [['secret', 'add', 'FOO=demo-value-surplus']],
    [['secret', 'add', 'FOO', '--value=demo-value-surplus']],
    [['secret', 'add', 'FOO', '-----BEGIN PRIVATE KEY-----\ndemo-value-surplus']],
    [['key', 'add', 'demo-value-surplus']],
  ])('%j is not repeated: it may be a value', async (args) => {
    const run = await oauth3(args, { stdin: '' })
    expect([2, 4]).toContain(run.code)
    expect(run.stderr).not.toContain('demo-value')
    expect(run.stderr).not.toContain('BEGIN')
    expect((await oauth3([...args, '--json'], { stdin: '' })).stderr).not.toContain('demo-value')
  })

  test('help explains with examples and succeeds', async () => {
    const run = await oauth3(['approve', '--help'])
    expect(run.code).toBe(0)
    expect(run.stdout).toContain('Examples:')
    expect(run.stdout).toContain('--any-args')
  })

  test('says that no daemon runs, with the path it tried', async () => {
    const socket = `${world.kit.folder}/none.sock`
    const run = await oauth3(['pending', '--socket', socket])
    expect(run).toMatchObject({ code: 3, stdout: '' })
    expect(run.stderr).toContain(socket)
    expect(JSON.parse((await oauth3(['--json', '--socket', socket, 'pending'])).stderr).error).toMatchObject({
      code: 'not_running',
      exit_code: 3,
    })
  })

  test('finds the socket beside DB_PATH', async () => {
    const run = await runCliProcess(['status', '--json'], { env: { DB_PATH: world.kit.dbPath } })
    expect(run.code).toBe(0)
  })
})

test('what is missing is said in words that lead on: an argument, code', async () => {
  const bare = await oauth3(['approve'])
  expect(bare).toMatchObject({ code: 2, stdout: '' })
  expect(bare.stderr).toBe("oauth3: missing required argument 'id'; add --help to see what it takes\n")
  const empty = await oauth3(['explain', '/dev/null'])
  expect(empty).toMatchObject({ code: 2, stderr: 'oauth3: /dev/null is empty.\n' })
})

test('a value is asked for only where a daemon is there to take it', async () => {
  const run = await runCliHere(['secret', 'add', 'A_KEY'], {
    env: { OAUTH3_SOCKET: '/nonexistent/admin.sock' },
    isTerminal: true,
  })
  expect(run.code).toBe(3)
  expect(run.stderr).not.toContain('Value of')
})
