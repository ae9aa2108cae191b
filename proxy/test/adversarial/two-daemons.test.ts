/** Two daemons on one PostgreSQL database, each with a folder of its own: one works, whatever becomes of the other. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { adminCall } from '../support/daemon-kit.ts'
import { patience } from '../support/pace.ts'
import { withoutPostgres } from '../support/postgres-binaries.ts'
import { freshDatabase, type TestServer } from '../support/postgres-server.ts'
import { programEnv } from '../support/program-env.ts'
import { runCliProcess } from '../support/run-cli.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const missing = withoutPostgres()
const RUNS = 'A daemon already runs on this PostgreSQL database.'

describe.skipIf(missing !== undefined)(
  `two daemons on one PostgreSQL database (${missing ?? 'here'})`,
  () => {
    let folder: string
    let server: TestServer
    let key: string
    const running: ChildProcess[] = []
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'oauth3-two-'))
      key = join(folder, 'master.key')
      server = await freshDatabase()
    })
    afterEach(async () => {
      for (const child of running.splice(0)) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await server.drop()
      rmSync(folder, { recursive: true, force: true })
    })

    const settings = (name: string) => ({
      DB_PATH: join(folder, name, 'proxy.db'),
      DATABASE_URL: server.url,
      OAUTH3_KEY_FILE: key,
      OAUTH3_SANDBOX: 'embedded',
      OAUTH3_POOL_SIZE: '0',
      PORT: '0',
      LOG_LEVEL: 'error',
    })
    const socket = (name: string): string => join(folder, name, 'admin.sock')
    const begin = async (name: string): Promise<{ child: ChildProcess; said: () => string }> => {
      const child = spawn(process.execPath, [MAIN, 'daemon'], {
        cwd: folder,
        env: { ...programEnv(), ...settings(name) },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      running.push(child)
      let said = ''
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding('utf8').on('data', (text) => (said += text))
      await expect
        .poll(
          async () =>
            child.exitCode !== null
              ? said
              : await adminCall(socket(name), 'GET', '/v1/status').then(
                  ({ status }) => status,
                  () => 0,
                ),
          { timeout: patience(60_000), interval: 200 },
        )
        .toBe(200)
      return { child, said: () => said }
    }
    const auditOf = async (event: string): Promise<number> => {
      const client = new pg.Client({ connectionString: server.adminUrl })
      await client.connect()
      try {
        const { rows } = await client.query('SELECT count(*)::int AS n FROM audit_log WHERE event = $1', [
          event,
        ])
        return rows[0]?.n
      } finally {
        await client.end()
      }
    }

    it(
      'refuses the second with the reason, also to a copy of the database; lets it in when the first was killed',
      async () => {
        const first = await begin('one')
        expect(await runCliProcess(['daemon'], { env: settings('two') })).toMatchObject({
          code: 5,
          stderr: expect.stringContaining(RUNS),
        })
        const copy = await runCliProcess(['migrate', '--to', join(folder, 'copy.db')], {
          env: settings('two'),
        })
        expect(copy).toMatchObject({ code: 5, stderr: expect.stringContaining(RUNS) })
        expect(await auditOf('daemon.started')).toBe(1)
        first.child.kill('SIGKILL')
        await once(first.child, 'exit')
        await begin('two')
        expect(await auditOf('daemon.started')).toBe(2)
      },
      patience(240_000),
    )

    it(
      'ends the one whose lock another has taken, with the reason and without a word to the database',
      async () => {
        const { child, said } = await begin('one')
        const thief = new pg.Client({ connectionString: server.url })
        await thief.connect()
        const taking = thief.query(`SELECT pg_advisory_lock(${0x6f617574}, 1)`)
        const admin = new pg.Client({ connectionString: server.adminUrl })
        await admin.connect()
        await expect
          .poll(
            async () =>
              (await admin.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
                .rowCount,
          )
          .toBe(1)
        const ended = once(child, 'exit')
        await admin.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'oauth3-%'",
        )
        await taking
        const [code] = await ended
        expect({ code, said: said() }).toMatchObject({
          code: 5,
          said: expect.stringContaining('Another daemon works on this PostgreSQL database'),
        })
        expect(await auditOf('daemon.stopped')).toBe(0)
        await thief.end()
        await admin.end()
      },
      patience(240_000),
    )
  },
)
