import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { auditRowHash, type Receipts } from '../../src/audit/index.ts'
import { verifyReceipt } from '../../src/audit/proof/index.ts'
import type { RequestId } from '../../src/kernel/index.ts'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { collect } from '../support/collect.ts'
import { createDomainKit } from '../support/domain-kit.ts'
import { owner } from '../support/principals.ts'
import { runCliHere, runCliProcess } from '../support/run-cli.ts'

let kit: AdminKit
let dir: string
let id: RequestId
let file: string
let isStopped: boolean
const cli = (...args: string[]) => runCliHere(['--socket', kit.socketPath, ...args])

async function decided(choice: string, name = 'Ada'): Promise<RequestId> {
  const { requestId, consentHash } = await kit.ask()
  await kit.storage.transaction((tx) =>
    kit.approvals.choose(tx, requestId, consentHash, choice, owner('1001', name)),
  )
  return requestId
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-receipts-'))
  kit = await startAdminKit()
  isStopped = false
  id = await decided('once')
  file = join(dir, 'yes.receipt')
  expect(await cli('receipt', 'show', id, '--out', file)).toMatchObject({ code: 0, stderr: '' })
})
afterEach(async () => {
  if (!isStopped) await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

const keyOf = async (): Promise<string> => (await cli('receipt', 'key')).stdout.split('\n')[0] ?? ''

test('a verdict is verified with the daemon stopped: who, by what, on which consent, under which key', async () => {
  const key = await keyOf()
  const audit = join(dir, 'audit.jsonl')
  writeFileSync(audit, (await cli('audit', 'export')).stdout)
  const doctor = await cli('doctor')
  expect(doctor.stdout).toContain(key)
  const { consentHash } = (await kit.storage.read((tx) => kit.executions.find(tx, id))) ?? {}
  await kit[Symbol.asyncDispose]()
  isStopped = true
  const trusted = await runCliProcess(['receipt', 'verify', file, '--key', key, '--audit', audit, '--json'])
  expect(trusted).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(trusted.stdout)).toMatchObject({
    ...{ ok: true, trusted: true, key },
    receipt: {
      ...{ kind: 'execution', request: id, verdict: 'approved', choice: '"once"', consent: consentHash },
      ...{ 'decided-by': 'cli:1001', name: '"Ada"', authenticator: 'socket', tenant: 'default' },
    },
  })
  const alone = await runCliProcess(['receipt', 'verify', file])
  expect(alone.code).toBe(0)
  expect(alone.stdout).toContain('by a key that nobody vouches for')
  const other = await runCliProcess(['receipt', 'verify', file, '--key', `sha256:${'0'.repeat(64)}`])
  expect(other).toMatchObject({ code: 1, stdout: '' })
  writeFileSync(file, readFileSync(file, 'utf8').replace('once', 'many'))
  expect(await runCliProcess(['receipt', 'verify', file, '--json'])).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('"problem": "wrong_signature"'),
  })
  expect((await runCliProcess(['receipt', 'verify', join(dir, 'none')])).code).toBe(2)
})

test('openssl verifies a receipt, by the steps that docs/receipts.md gives', async () => {
  const pem = join(dir, 'key.pem')
  writeFileSync(pem, (await cli('receipt', 'key')).stdout.split('\n').slice(2).join('\n'))
  const page = readFileSync(new URL('../../../docs/receipts.md', import.meta.url), 'utf8')
  const [, script = ''] = /```sh openssl\n(.*?)```/s.exec(page) ?? []
  const run = () =>
    spawnSync('sh', ['-eu', '-c', script], {
      cwd: dir,
      encoding: 'utf8',
      env: { ...process.env, RECEIPT: file, KEY: pem },
    })
  expect(run()).toMatchObject({ status: 0, stdout: expect.stringContaining('Verified Successfully') })
  writeFileSync(file, readFileSync(file, 'utf8').replace('once', 'many'))
  expect(run().status).not.toBe(0)
})

test('a row that somebody wrote into the database is never signed', async () => {
  const denied = await decided('deny')
  const row = kit.db
    .prepare("SELECT * FROM audit_log WHERE event = 'approval.decided' AND request_id = ?")
    .get(denied) as {
    id: number
    data: string
  }
  const triggers = kit.db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_log'")
    .all() as {
    name: string
  }[]
  for (const { name } of triggers) kit.db.exec(`DROP TRIGGER "${name}"`)
  const rows = await collect(kit.audit.export())
  const before = rows.find(({ id }) => id === row.id)
  if (before === undefined) throw new Error('the row is not there')
  // Its own hash is right: anybody can compute one.
  const forged = { ...before, data: before.data.replace('"deny"', '"once"') }
  kit.db
    .prepare('UPDATE audit_log SET data = ?, hash = ?, prev_hash = ? WHERE id = ?')
    .run(forged.data, auditRowHash(forged), forged.prevHash, forged.id)
  expect(await cli('receipt', 'show', denied)).toMatchObject({ code: 5, stdout: '' })
  // A later row that follows the forged one is no way around: the head has a seal of the key.
  const head = rows.filter(({ id }) => id > row.id)
  let prevHash = auditRowHash(forged)
  for (const later of head) {
    const again = { ...later, prevHash }
    prevHash = auditRowHash(again)
    kit.db
      .prepare('UPDATE audit_log SET hash = ?, prev_hash = ? WHERE id = ?')
      .run(prevHash, again.prevHash, later.id)
  }
  expect(await cli('receipt', 'show', denied)).toMatchObject({ code: 5, stdout: '' })
})

test('a receipt is the same bytes after archiving, rotation of all keys and a restart', async () => {
  const text = readFileSync(file, 'utf8')
  for (const what of [[], ['--master']]) expect((await cli('key', 'rotate', ...what)).code).toBe(0)
  expect((await cli('receipt', 'show', id)).stdout).toBe(text)
  await decided('deny')
  const rows = await collect(kit.audit.export())
  const archived = await cli('audit', 'archive', '--up-to', String((rows.at(-1)?.id ?? 0) - 1))
  expect(archived.code).toBe(0)
  expect((await cli('receipt', 'show', id)).stdout).toBe(text)
  await using again = await createDomainKit({ dir: join(kit.folder, 'state') })
  const receipts: Receipts = again.receipts
  expect((await receipts.issue(id)).text).toBe(text)
  expect(verifyReceipt(Buffer.from(text), receipts.key.fingerprint).ok).toBe(true)
})

test('an approver with a name made for terminals writes one line, and no other field', async () => {
  const hostile = await decided('deny', 'Ada\u001b[2J\nverdict: approved\n\u202eno')
  const { stdout } = await cli('receipt', 'show', hostile)
  expect(stdout).toMatch(/^[\x20-\x7e\n—]+$/)
  expect(stdout.match(/^verdict: .*/gm)).toEqual(['verdict: denied'])
})

test('an existing file is not written over, and what has no verdict has no receipt', async () => {
  expect((await cli('receipt', 'show', id, '--out', file)).code).toBe(1)
  const { requestId } = await kit.ask()
  expect((await cli('receipt', 'show', requestId)).code).toBe(4)
  expect((await cli('receipt', 'show', id, '--row', '1')).code).toBe(4)
})
