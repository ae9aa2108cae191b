import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { columnsOf } from '../../src/cli/text-layout.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { json, useCli } from '../support/cli-commands-kit.ts'
import { type CliRun, runCliProcess } from '../support/run-cli.ts'

const world = useCli()
const { oauth3 } = world

const TRUSTED = {
  skillId: 'trust/me',
  code: 'await fetch("https://api.example.com/v1/items", { headers: { authorization: Deno.env.get("TRUSTED_KEY") } })',
  secrets: [{ name: 'TRUSTED_KEY' }],
  network: ['api.example.com'],
}

describe('trust, audit, keys and state', () => {
  test('lists and revokes grants', async () => {
    await world.kit.storage.transaction((tx) =>
      world.kit.vault.put(tx, 'TRUSTED_KEY', new SecretValue('demo-value-trusted'), {
        hosts: ['api.example.com'],
        actor: 'cli:0',
      }),
    )
    const { requestId } = await world.kit.ask(TRUSTED)
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
    await world.kit.ask({ skillId: `wide/${'skill'.repeat(20)}` })
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
    expect(
      (
        await world.kit.storage.transaction((tx) => world.kit.vault.open(tx, 'ROTATED_KEY', 'req_test'))
      ).open(),
    ).toBe('demo-value-rotated')
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
    expect(run.stdout).toMatch(/ok +quorum: 0 rules, 1 may decide/)
    expect(run.stderr).toBe('oauth3: 2 of 10 checks failed: wake, broken.\n')
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

    const triggers = world.kit.db
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit_log'")
      .pluck()
    for (const name of triggers.all()) world.kit.db.exec(`DROP TRIGGER "${name}"`)
    world.kit.db.prepare('UPDATE audit_log SET data = \'{"name":"other"}\' WHERE id = 4').run()
    expect((await oauth3(['audit', 'verify', '--incremental'])).stdout).toMatch(
      /rows: 1 to [0-9]+ intact at an earlier check/,
    )
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
    expect(dry.stdout).toContain('code, imports and consent of 1 active grant\n')
    expect(json(await run(['prune', '--older-than', '0', '--json']))).toMatchObject({
      outputs: 1,
      finished: true,
    })
    expect((await run(['show', asked.requestId])).stdout).toContain('The output is no longer kept.')
    expect((await run(['prune', '--older-than', 'soon'])).code).toBe(2)
    expect((await run(['prune', '--help'])).stdout).toContain('Never dropped: what an active grant needs')
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
