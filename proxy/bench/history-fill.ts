import { createHmac, hash } from 'node:crypto'
import { join } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { sealConsent } from '../src/approvals/consent/index.ts'
import { DEFAULT_TENANT, sha256Hex, systemClock, type Tx } from '../src/kernel/index.ts'
import { readDataKeys } from '../src/storage/files/index.ts'
import { createSodiumCipher, readKeyFile } from '../src/vault/crypto/index.ts'
import { createDataKeyring } from '../src/vault/index.ts'
import { sampleConsent, sampleRawSecret } from '../test/support/sample-consent.ts'

/** Programs that the filled history repeats: agents run a few of them often. */
const PROGRAMS = 1_000
const AT_ONCE = 20_000
const FIRST_AT = 1_790_000_000_000

/**
 * Fills the database of a stopped daemon with trusted runs, each a row of `executions` and five of the audit, whose chain and seal
 * are genuine. Works on a database of before consents stood in a table of their own too.
 */
export async function fillHistory(
  folder: string,
  executions: number,
  /** `whole`: each row has its consent and the hash of the one before, as builds of before stored them. */
  layout: 'shared' | 'whole' = 'shared',
): Promise<void> {
  const path = join(folder, 'proxy.db')
  const db = new SqliteDatabase(path)
  const auditKey = await auditKeyOf(db, join(folder, 'master.key'))
  db.pragma('synchronous = OFF')
  db.pragma('cache_size = -262144')
  const hasConsents =
    layout === 'shared' &&
    db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'consents'").get() !== undefined
  const agentId = db.prepare<[], string>('SELECT id FROM agents LIMIT 1').pluck().get() ?? ''
  const insertExecution =
    db.prepare(`INSERT INTO executions (tenant_id, request_id, skill_id, code_hash, status, approved, executed_at, duration_ms,
      result, created_at, agent_id, consent_hash, changes, expires_at, trusted, decision, decided_by, decided_at, finished_at, seen_at,
      output_bytes, consent)
    VALUES ('${DEFAULT_TENANT}', ?, ?, ?, 'success', 1, ?, 12, ?, ?, ?, ?, '[]', ?, 1, NULL, NULL, ?, ?, ?, ?, ?)`)
  const insertConsent = hasConsents
    ? db.prepare(
        `INSERT OR IGNORE INTO consents (tenant_id, hash, agent_id, text) VALUES ('${DEFAULT_TENANT}', ?, ?, ?)`,
      )
    : undefined
  const insertRow =
    db.prepare(`INSERT INTO audit_log (tenant_id, id, at, event, actor, request_id, data, prev_hash, hash)
    VALUES ('${DEFAULT_TENANT}', ?, ?, ?, ?, ?, ?, ?, ?)`)
  const newest = db
    .prepare<[], { id: number; hash: string }>(
      `SELECT id, hash FROM audit_log WHERE tenant_id = '${DEFAULT_TENANT}' ORDER BY id DESC LIMIT 1`,
    )
    .get()
  let head = newest ?? { id: 0, hash: '0'.repeat(64) }
  const result = JSON.stringify({ exitCode: 0, stdout: '{"ok":true}\n', stderr: '', truncated: false })
  const programs = Array.from({ length: PROGRAMS }, (_, index) => {
    const code = sha256Hex(`program ${index}`)
    return {
      code,
      ...sealConsent(
        sampleConsent({
          skill_id: `skill-${index}`,
          description: 'reads the newest charges and says which of them failed',
          agent: { id: agentId, name: 'clawd' },
          code: { sha256: code, bytes: 1_812 },
          runtime: { name: 'deno', image: `sha256:${sha256Hex('image')}`, isolation: 'docker' },
          secrets: [sampleRawSecret({ name: 'STRIPE_KEY', hosts: ['api.stripe.com'] })],
          network: ['api.stripe.com'],
        }),
      ),
    }
  })
  const one = (index: number): void => {
    const program = programs[index % PROGRAMS] as (typeof programs)[number]
    const id = `req_${sha256Hex(`run ${index}`).slice(0, 32)}`
    const at = FIRST_AT + index * 10
    insertConsent?.run(program.hash, agentId, program.json)
    insertExecution.run(
      ...[id, `skill-${index % PROGRAMS}`, program.code, at + 1, result, at, agentId, program.hash],
      ...[at + 86_400_000, at, at + 5, at + 6, Buffer.byteLength(result)],
      hasConsents ? '' : program.json,
    )
    const append = (event: string, actor: string, data: string): void => {
      const row = [head.id + 1, at, event, actor, id, data, head.hash]
      const next = hash('sha256', JSON.stringify(row))
      insertRow.run(...row.slice(0, 6), hasConsents && head.id > 0 ? '' : head.hash, next)
      head = { id: head.id + 1, hash: next }
    }
    const hashes = `"code_hash":"${program.code}","consent_hash":"${program.hash}"`
    append('request.received', `agent:${agentId}`, `{${hashes},"skill_id":"skill-${index % PROGRAMS}"}`)
    append('trust.used', 'daemon', '{"grant":17,"level":"forever"}')
    append('secret.opened', 'daemon', '{"name":"STRIPE_KEY","version":1}')
    append('execution.started', 'daemon', `{${hashes}}`)
    append(
      'execution.finished',
      'daemon',
      '{"duration_ms":12,"exit_code":0,"failure":null,"status":"success"}',
    )
  }
  for (let done = 0; done < executions; done += AT_ONCE) {
    const end = Math.min(executions, done + AT_ONCE)
    db.transaction(() => {
      for (let index = done; index < end; index++) one(index)
      const mac = createHmac('sha256', auditKey).update(`oauth3 audit seal v1\n${head.id}\n${head.hash}`)
      db.prepare(
        `INSERT OR REPLACE INTO meta (tenant_id, key, value) VALUES ('${DEFAULT_TENANT}', 'audit_seal', ?)`,
      ).run(JSON.stringify({ ...head, mac: mac.digest('hex') }))
    })()
    if (end % 200_000 === 0) console.log(`  filled ${end} of ${executions} executions`)
  }
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
}

/** Read past the storage, which would bring a database of another build to this one's version. */
async function auditKeyOf(db: Database, masterKeyPath: string): Promise<Uint8Array> {
  const masterKey = readKeyFile(masterKeyPath, false)
  const keyring = createDataKeyring({ cipher: await createSodiumCipher(), clock: systemClock, masterKey })
  const tx = {
    dataKeys: { list: async () => readDataKeys(db) },
    meta: { get: async () => undefined, set: async () => {} },
    onCommit: () => {},
  }
  await keyring.load(tx as unknown as Tx)
  const sealed = db
    .prepare<[], string>(`SELECT value FROM meta WHERE tenant_id = '${DEFAULT_TENANT}' AND key = 'audit_key'`)
    .pluck()
    .get()
  return Buffer.from(keyring.open('for:audit-key', sealed ?? '').open(), 'hex')
}
