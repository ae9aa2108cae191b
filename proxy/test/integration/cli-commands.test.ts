import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { columnsOf } from '../../src/cli/text-layout.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { rawControls } from '../support/raw-controls.ts'
import { type CliRun, type CliRunOptions, runCliHere, runCliProcess } from '../support/run-cli.ts'

let kit: AdminKit
const oauth3 = (args: readonly string[], options: CliRunOptions = {}): Promise<CliRun> =>
  runCliProcess(args, { ...options, env: { OAUTH3_SOCKET: kit.socketPath, ...options.env } })
const json = (run: CliRun) => {
  expect(run).toMatchObject({ code: 0, stderr: '' })
  return JSON.parse(run.stdout)
}

beforeAll(async () => {
  kit = await startAdminKit({
    stdout: 'plain \u001b[31mred\u001b[0m \u202edone\n',
    doctorChecks: [
      { name: 'sandbox', run: async () => ({ ok: true, said: 'engine answers' }) },
      { name: 'wall', run: async () => ({ ok: true, warning: true, said: 'could be stronger' }) },
      { name: 'wake', run: async () => ({ ok: false, said: 'hook answered 401' }) },
      { name: 'broken', run: () => Promise.reject(new Error('threw by itself')) },
    ],
  })
})
afterAll(() => kit[Symbol.asyncDispose]())

describe('secrets', () => {
  test('takes the value from standard input without its one last line break, and never shows it', async () => {
    const run = await oauth3(['secret', 'add', 'STDIN_KEY', '--hosts', 'b.example.com,A.example.com'], {
      stdin: 'demo-value-with-\n-two-lines\n\n',
    })
    expect(run.code).toBe(0)
    expect(run.stdout).toContain('a.example.com, b.example.com')
    expect(run.stdout + run.stderr).not.toContain('demo-value')
    expect(kit.vault.open('STDIN_KEY', 'req_test').open()).toBe('demo-value-with-\n-two-lines\n')
  })

  test('has no way to give the value as an argument', async () => {
    const run = await oauth3(['secret', 'add', 'ARG_KEY', 'demo-value-argument'], { stdin: '' })
    expect(run.code).toBe(2)
    expect(run.stderr).toContain('asked for, or read from standard input')
    expect(run.stderr).not.toContain('demo-value')
    expect(kit.vault.find('ARG_KEY')).toBeUndefined()
    const empty = await oauth3(['secret', 'add', 'ARG_KEY'], { stdin: '\n' })
    expect(empty).toMatchObject({ code: 2, stdout: '' })
    expect(empty.stderr).toContain('empty')
  })

  test('keeps the value out of the process list and of the environment', async () => {
    const seen: string[] = []
    await oauth3(['secret', 'add', 'LISTED_KEY'], {
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
    const listed = await oauth3(['secret', 'list'])
    expect(listed.stdout).toContain('NEW_KEY')
    expect(listed.stdout).not.toContain('OLD_KEY')
    expect((await oauth3(['secret', 'remove', 'NEW_KEY'])).code).toBe(0)
    expect(await oauth3(['secret', 'remove', 'NEW_KEY'])).toMatchObject({ code: 4, stdout: '' })
    expect((await oauth3(['secret', 'rename', 'NONE_KEY', 'OTHER_KEY'])).code).toBe(4)
  })

  test('keeps a binding on replacement unless --any-host ends it', async () => {
    await oauth3(['secret', 'add', 'BOUND_KEY', '--hosts', 'api.example.com'], { stdin: 'demo-value-1' })
    await oauth3(['secret', 'add', 'BOUND_KEY'], { stdin: 'demo-value-2' })
    expect(kit.vault.find('BOUND_KEY')?.hosts).toEqual(['api.example.com'])
    const both = ['secret', 'add', 'BOUND_KEY', '--any-host', '--hosts', 'b.example.com']
    expect((await oauth3(both, { stdin: 'demo-value-3' })).code).toBe(2)
    const freed = await oauth3(['secret', 'add', 'BOUND_KEY', '--any-host'], { stdin: 'demo-value-3' })
    expect(freed.stdout).toContain('not bound to hosts')
    expect(kit.vault.find('BOUND_KEY')?.hosts).toBeNull()
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
    expect(kit.vault.find('NONE_BOUND')).toBeUndefined()
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
    expect(kit.agents.authenticate(`Bearer ${added.token}`, '127.0.0.1').name).toBe('bot-1')
    expect(added.agent.cidrs).toEqual(['10.0.0.0/8', '127.0.0.0/8', '::1/128'])
    expect(readFileSync(kit.dbPath, 'latin1')).not.toContain(added.token)
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
    const sealed = kit.agents.byId(added.agent.id)?.wake?.sealedToken ?? ''
    expect(sealed).not.toContain('demo-hook-token')
    expect(kit.vault.openFor(`agent-wake:${added.agent.id}`, sealed).open()).toBe('demo-hook-token')
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
    expect(kit.agents.list().some((agent) => agent.name === 'never')).toBe(false)
  })

  test('rotates a token: the agent stays, the old token is good as long as it is said', async () => {
    const added = json(await oauth3(['agent', 'add', 'rotating', '--json']))
    const known = (token: string): string => kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1').id
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
    expect(() => kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1')).toThrow()
    expect(await oauth3(['agent', 'revoke', 'short-lived'])).toMatchObject({
      code: 4,
      stderr: 'oauth3: short-lived was already revoked.\n',
    })
    expect((await oauth3(['agent', 'list'])).stdout).toMatch(/short-lived.*nothing \(polls\).*revoked/)
  })
})

describe('requests', () => {
  test('shows the card with the whole code, approves once by a short id, and shows the outcome without control characters', async () => {
    const { requestId } = await kit.ask({ code: 'console.log("whole code")\n', skillId: 'show/me' })
    expect((await oauth3(['pending'])).stdout).toContain('show/me')
    const shown = await oauth3(['show', requestId.slice(4, 16)])
    expect(shown.stdout).toContain('console.log("whole code")')
    expect(shown.stdout).toContain(`approve ${requestId.slice(0, 16)}`)

    const approved = await oauth3(['approve', requestId.slice(0, 16), '--once'])
    expect(approved.code).toBe(0)
    expect(approved.stdout).toContain('approved (once); it will run now.')
    expect(approved.stdout).toContain(`consent ${kit.executions.resolve(requestId).consentHash}`)
    expect(await kit.finished(requestId)).toMatchObject({
      status: 'success',
      decision: 'once',
      decidedBy: `cli:${process.getuid?.()}`,
    })

    const after = await oauth3(['show', requestId])
    expect(shown.stdout).toContain('1 line, 26 bytes')
    expect(shown.stdout).toMatch(/^ {2}Expires /m)
    expect(after.stdout).not.toMatch(/^ {2}Expires /m)
    expect(after.stdout).toContain('⟨U+001B⟩[31mred')
    expect(rawControls(after.stdout)).toEqual([])
    const raw = await oauth3(['show', requestId, '--json'])
    expect(rawControls(raw.stdout)).toEqual([])
    expect(JSON.parse(raw.stdout).result.stdout).toBe('plain \u001b[31mred\u001b[0m \u202edone\n')
    expect(await oauth3(['approve', requestId, '--once'])).toMatchObject({ code: 5, stdout: '' })
  })

  test.each([
    ['--24h', [], 'trust24h'],
    ['--forever', [], 'forever'],
    ['--24h', ['--any-args'], 'trust24h_any'],
    ['--forever', ['--any-args'], 'forever_any'],
  ])('%s %j stores that decision', async (level, more, decision) => {
    const { requestId } = await kit.ask({ skillId: `level/${decision}`, argsJson: '{"a":1}' })
    expect((await oauth3(['approve', requestId, level, ...more])).code).toBe(0)
    expect((await kit.finished(requestId)).decision).toBe(decision)
    const word = `${level.slice(2)}${more.length > 0 ? ', any args' : ''}`
    expect((await oauth3(['show', requestId])).stdout).toContain(`${word} by `)
    expect(json(await oauth3(['trust', 'list', '--json'])).grants[0]).toMatchObject({
      any_args: more.length > 0,
    })
  })

  test.each([
    [[]],
    [['--once', '--forever']],
    [['--once', '--any-args']],
    [['--forever', '--any-args']],
    [['--often']],
  ])('refuses to approve with %j and decides nothing', async (options) => {
    const { requestId } = await kit.ask({ skillId: 'usage/approve' })
    const run = await oauth3(['approve', requestId, ...options])
    expect(run.code).toBe(2)
    expect(run.stderr).toMatch(/^oauth3: .+\n$/)
    expect(kit.executions.resolve(requestId).status).toBe('pending')
  })

  test('refuses when the consent is not the one that was looked at', async () => {
    const { requestId, consentHash } = await kit.ask({ skillId: 'bound/consent' })
    expect((await oauth3(['approve', requestId, '--once', '--consent', 'deadbeef'])).code).toBe(5)
    expect(kit.executions.resolve(requestId).status).toBe('pending')
    expect((await oauth3(['approve', requestId, '--once', '--consent', consentHash.slice(0, 8)])).code).toBe(
      0,
    )
  })

  test('denies, and says which secret an approved request still waits for', async () => {
    const denied = await kit.ask({ skillId: 'to/deny' })
    expect(json(await oauth3(['deny', denied.requestId, '--json']))).toMatchObject({ status: 'denied' })
    const waiting = await kit.ask({ skillId: 'to/wait', secrets: [{ name: 'LATE_KEY' }] })
    const run = await oauth3(['approve', waiting.requestId, '--once'])
    expect(run.stdout).toContain('approved (once); it waits for LATE_KEY.')
    expect(run.stdout).toContain('oauth3 secret add LATE_KEY')
    await oauth3(['secret', 'add', 'LATE_KEY'], { stdin: 'demo-value-late' })
    expect((await kit.finished(waiting.requestId)).status).toBe('success')
  })

  test('names an unknown and an ambiguous id', async () => {
    await kit.ask({ skillId: 'one/of-many' })
    expect(await oauth3(['show', 'req_ffffffffffffffffffffffffffffffff'])).toMatchObject({ code: 4 })
    expect(await oauth3(['show', 'req_'])).toMatchObject({ code: 2 })
    expect(await oauth3(['show', 'req_%'])).toMatchObject({ code: 4 })
    const body = JSON.parse((await oauth3(['deny', 'ffffffffffffffff', '--json'])).stderr)
    expect(body.error).toMatchObject({ code: 'not_found', exit_code: 4 })
    expect(body.error.message).toContain('begin with req_, or with ask_')
  })
})

const TRUSTED = {
  skillId: 'trust/me',
  code: 'await fetch("https://api.example.com/v1/items", { headers: { authorization: Deno.env.get("TRUSTED_KEY") } })',
  secrets: [{ name: 'TRUSTED_KEY' }],
  network: ['api.example.com'],
}

describe('trust, audit, keys and state', () => {
  test('lists and revokes grants', async () => {
    kit.vault.put('TRUSTED_KEY', new SecretValue('demo-value-trusted'), {
      hosts: ['api.example.com'],
      actor: 'cli:0',
    })
    const { requestId } = await kit.ask(TRUSTED)
    await oauth3(['approve', requestId, '--forever'])
    const grant = json(await oauth3(['trust', 'list', '--json'])).grants.find(
      (row: { skill_id: string }) => row.skill_id === 'trust/me',
    )
    expect((await oauth3(['trust', 'list'])).stdout).toContain('trust/me')
    expect(grant).toMatchObject({ agent: 'clawd', secrets: ['TRUSTED_KEY'], hosts: ['api.example.com'] })
    const wide = await oauth3(['trust', 'list'], { env: { COLUMNS: '250' } })
    expect(wide.stdout).toMatch(/clawd +trust\/me .*TRUSTED_KEY +api\.example\.com/)
    const narrow = await oauth3(['trust', 'list'], { env: { COLUMNS: '120' } })
    for (const line of narrow.stdout.trimEnd().split('\n'))
      expect(columnsOf(line), line).toBeLessThanOrEqual(120)
    expect((await oauth3(['trust', 'revoke', String(grant.id)])).code).toBe(0)
    expect((await oauth3(['trust', 'revoke', String(grant.id)])).code).toBe(4)
    const misnamed = await oauth3(['trust', 'revoke', 'all'])
    expect(misnamed.code).toBe(2)
    expect(misnamed.stderr).toContain('N is the number from `oauth3 trust list`')
  })

  test('tables of pending requests and of the audit keep to the width there is', async () => {
    await kit.ask({ skillId: `wide/${'skill'.repeat(20)}` })
    for (const args of [['pending'], ['audit', 'list', '-n', '200']]) {
      const { stdout } = await oauth3(args, { env: { COLUMNS: '80' } })
      for (const line of stdout.trimEnd().split('\n')) expect(columnsOf(line), line).toBeLessThanOrEqual(80)
    }
    expect((await oauth3(['pending'], { env: { COLUMNS: '80' } })).stdout).toMatch(/wide\/skill.*…/)
  })

  test('rotates the data key and the master key; secrets still open', async () => {
    await oauth3(['secret', 'add', 'ROTATED_KEY'], { stdin: 'demo-value-rotated' })
    expect((await oauth3(['key', 'rotate'])).code).toBe(0)
    expect(json(await oauth3(['key', 'rotate', '--master', '--json']))).toEqual({
      what: 'master',
      secrets: null,
    })
    expect(kit.vault.open('ROTATED_KEY', 'req_test').open()).toBe('demo-value-rotated')
  })

  test('doctor prints every check and fails when one does', async () => {
    const run = await oauth3(['doctor'])
    expect(run.code).toBe(1)
    expect(run.stdout).toMatch(/ok +sandbox: engine answers/)
    expect(run.stdout).toMatch(/warn +wall: could be stronger/)
    expect(run.stdout).toMatch(/fail +wake: hook answered 401/)
    expect(run.stdout).toMatch(/fail +broken: threw by itself/)
    expect(run.stdout).toMatch(/ok +telegram: not set up/)
    expect(run.stdout).toMatch(/ok +llm providers: none usable; no key stored/)
    expect(run.stderr).toBe('oauth3: 2 of 6 checks failed: wake, broken.\n')
  })

  test('tells its state', async () => {
    expect(json(await oauth3(['status', '--json']))).toMatchObject({ status: 'ok', pid: process.pid })
    expect((await oauth3(['status'])).stdout).toContain('sandbox docker')
  })

  test('exports JSON Lines that carry the chain, verifies, and names the row that somebody altered', async () => {
    const listed = await oauth3(['audit', 'list', '-n', '3', '--json'])
    expect(json(listed).rows).toHaveLength(3)
    expect((await oauth3(['audit', 'list', '-n', '5'])).stdout.trim().split('\n')).toHaveLength(6)
    const lines = (await oauth3(['audit', 'export'])).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines[0]).toMatchObject({ id: 1, event: 'agent.added', data: { name: 'clawd' } })
    lines.slice(1).forEach((row, index) => {
      expect(row.prev_hash).toBe(lines[index].hash)
    })
    expect((await oauth3(['audit', 'verify'])).code).toBe(0)

    const triggers = kit.db
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit_log'")
      .pluck()
    for (const name of triggers.all()) kit.db.exec(`DROP TRIGGER "${name}"`)
    kit.db.prepare('UPDATE audit_log SET data = \'{"name":"other"}\' WHERE id = 4').run()
    const broken = await oauth3(['audit', 'verify'])
    expect(broken).toMatchObject({ code: 1, stdout: '' })
    expect(broken.stderr).toMatch(/^oauth3: The audit is broken at row 4: .+\n$/)
    expect(JSON.parse((await oauth3(['audit', 'verify', '--json'])).stdout)).toMatchObject({
      ok: false,
      broken_id: 4,
    })
  })
})

describe('disk and retention', () => {
  let own: AdminKit
  const run = (args: readonly string[]): Promise<CliRun> =>
    runCliProcess(args, { env: { OAUTH3_SOCKET: own.socketPath } })
  beforeAll(async () => {
    own = await startAdminKit({ stdout: 'o'.repeat(10_000) })
  })
  afterAll(() => own[Symbol.asyncDispose]())

  test('a prune says what would go, what went, and what stays', async () => {
    const asked = await own.ask()
    expect((await run(['approve', asked.requestId, '--forever', '--yes'])).code).toBe(0)
    await own.finished(asked.requestId)
    await own.ask({ code: 'waits' })

    const dry = await run(['prune', '--dry-run', '--older-than', '0d'])
    expect(dry).toMatchObject({ code: 0, stderr: '' })
    expect(dry.stdout).toMatch(/^Would go: 1 output \(\d+\.\d KiB\), code of 0 programs/)
    expect(dry.stdout).toContain('waiting or running: 1 request\n')
    expect(dry.stdout).toContain('code, imports and consent of 1 standing grant\n')
    expect(json(await run(['prune', '--older-than', '0', '--json']))).toMatchObject({
      outputs: 1,
      finished: true,
    })
    expect((await run(['show', asked.requestId])).stdout).toContain('The output is no longer kept.')
    expect((await run(['prune', '--older-than', 'soon'])).code).toBe(2)
    expect((await run(['prune', '--help'])).stdout).toContain('Never dropped: what a standing grant needs')
  })

  test('the code of what was denied is told as no longer kept', async () => {
    const asked = await own.ask({ code: 'denied' })
    const denied = await run(['deny', asked.requestId])
    expect(denied.code).toBe(0)
    expect((await run(['prune'])).code).toBe(0)
    const shown = await run(['show', asked.requestId])
    expect(shown.code).toBe(0)
    expect(shown.stdout.replaceAll(/\s+/g, ' ')).toContain(
      `The code is no longer kept; its hash is ${asked.codeHash}`,
    )
  })

  test('old events go into archives that verify reads and export names', async () => {
    expect((await run(['audit', 'archive'])).code).toBe(2)
    expect((await run(['audit', 'archives'])).stdout).toBe('Nothing is in an archive.\n')
    expect((await run(['audit', 'archive', '--older-than', '90d'])).stdout).toBe('Nothing was old enough.\n')
    const { archives } = json(await run(['audit', 'archive', '--up-to', '4', '--json']))
    expect(archives).toMatchObject([{ first: 1, last: 4 }])
    expect((await run(['audit', 'archives'])).stdout).toContain(archives[0].name)
    expect((await run(['audit', 'verify'])).stdout).toContain('1 to 4 in archives, intact')
    const exported = await run(['audit', 'export'])
    expect(exported.stderr).toContain('Rows 1 to 4 are not in this export')
    expect(JSON.parse(exported.stdout.split('\n')[0] ?? '')).toMatchObject({ id: 5 })
    rmSync(join(own.folder, 'state', 'audit-archive', archives[0].name))
    const broken = await run(['audit', 'verify'])
    expect(broken).toMatchObject({ code: 1, stdout: '' })
    expect(broken.stderr).toContain(`archive ${archives[0].name}: it is missing`)
    expect((await run(['audit', 'verify', '--live-only'])).stdout).toContain('were not read')
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
    expect(JSON.parse(asJson.stderr.trim().split('\n').at(-1) ?? '').error).toMatchObject({ exit_code: 2 })
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
    const socket = `${kit.folder}/none.sock`
    const run = await oauth3(['pending', '--socket', socket])
    expect(run).toMatchObject({ code: 3, stdout: '' })
    expect(run.stderr).toContain(socket)
    expect(JSON.parse((await oauth3(['--json', '--socket', socket, 'pending'])).stderr).error).toMatchObject({
      code: 'not_running',
      exit_code: 3,
    })
  })

  test('finds the socket beside DB_PATH', async () => {
    const run = await runCliProcess(['status', '--json'], { env: { DB_PATH: kit.dbPath } })
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
