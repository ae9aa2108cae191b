import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SecretValue } from '../../src/kernel/index.ts'
import { addAgent, createDomainKit, requestOf } from '../support/domain-kit.ts'
import { owner } from '../support/principals.ts'

it.runIf(existsSync('/usr/bin/sqlite3'))(
  'the database is looked at with the sqlite3 command while the daemon runs',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'oauth3-inspection-'))
    try {
      await using kit = await createDomainKit({ dir })
      const agent = await addAgent(kit)
      await kit.storage.transaction((tx) =>
        kit.vault.put(tx, 'DEMO_KEY', new SecretValue('demo-value-0123456789'), { actor: 'cli:0' }),
      )
      const execution = await kit.executions.submit(agent, requestOf())
      await kit.executions.decide(execution.requestId, execution.consentHash, 'forever', owner())
      const ask = (sql: string): Record<string, unknown>[] =>
        JSON.parse(
          execFileSync('/usr/bin/sqlite3', ['-readonly', '-json', join(dir, 'proxy.db'), sql], {
            encoding: 'utf8',
          }),
        )
      const { requestId, codeHash } = execution
      expect(ask('SELECT * FROM executions ORDER BY created_at DESC LIMIT 10;')).toMatchObject([
        { request_id: requestId, skill_id: 'demo-skill', approved: 1, code_hash: codeHash },
      ])
      expect(ask("SELECT * FROM approvals WHERE trust_level = 'forever';")).toMatchObject([
        { skill_id: 'demo-skill', code_hash: codeHash, expires_at: null },
      ])
      expect(ask('SELECT name, encrypted_value, created_at, updated_at FROM secrets;')).toMatchObject([
        { name: 'DEMO_KEY' },
      ])
      expect(ask("SELECT * FROM audit_log WHERE event = 'approval.decided'")).toHaveLength(1)
    } finally {
      rmSync(dir, { recursive: true })
    }
  },
)
