/** What an owner does with a daemon on PostgreSQL, by the words of DEPLOYMENT.md. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Docker from 'dockerode'
import { describe, expect, it } from 'vitest'
import { openUninstall } from '../../src/compose/daemon-uninstall.ts'
import { readConfig } from '../../src/config/index.ts'
import { adminCall, createDaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { patience } from '../support/pace.ts'
import { withoutPostgres } from '../support/postgres-binaries.ts'
import { addressOf, asAdmin, asServer } from '../support/postgres-process.ts'
import { freshDatabase, ownServer } from '../support/postgres-server.ts'
import { runCliProcess } from '../support/run-cli.ts'

const missing = withoutPostgres()
const sandbox = async () => createScriptedSandbox()

describe.skipIf(missing !== undefined)(`a daemon on PostgreSQL (${missing ?? 'here'})`, () => {
  it(
    'is backed up by pg_dump and restored by pg_restore, with its secrets and an audit that verifies',
    async () => {
      await using server = await ownServer()
      const dump = join(server.folder, 'oauth3.dump')
      await using kit = await createDaemonKit({ sandbox, environment: { DATABASE_URL: server.url } })
      await kit.admin('PUT', '/v1/secrets/STRIPE_KEY', {
        value: 'sk-not-a-real-one-1',
        hosts: ['api.stripe.com'],
      })
      const asked = await kit.post(
        { skill_id: 'demo/dump', code: 'console.log(1)\n', secrets: ['STRIPE_KEY'] },
        { prefer: 'wait=0' },
      )
      asServer(
        ['pg_dump', '-h', server.folder, '-U', 'postgres', '--format=custom', `--file=${dump}`, 'app'],
        server.folder,
      )
      await asAdmin(server.folder, 'CREATE DATABASE restored OWNER app')
      asServer(
        [
          'pg_restore',
          '-h',
          server.folder,
          '-U',
          'postgres',
          '--exit-on-error',
          '--single-transaction',
          '--dbname=restored',
          dump,
        ],
        server.folder,
      )
      await using again = await createDaemonKit({
        sandbox,
        environment: {
          DATABASE_URL: addressOf(server.folder, 'app', 'restored'),
          OAUTH3_KEY_FILE: join(kit.folder, 'data', 'master.key'),
        },
        agent: 'restored',
      })
      const view = await again.admin('GET', `/v1/requests/${asked.body.request_id}`)
      expect(view.body).toMatchObject({ status: 'pending' })
      expect((await again.admin('GET', '/v1/audit/verify')).body).toMatchObject({ ok: true })
      const decision = { decision: 'once', consent_hash: view.body.consent_hash }
      expect(
        (await again.admin('POST', `/v1/requests/${asked.body.request_id}/decision`, decision)).status,
      ).toBe(200)
      await expect
        .poll(async () => (await again.admin('GET', `/v1/requests/${asked.body.request_id}`)).body.status, {
          timeout: patience(20_000),
        })
        .toBe('success')
    },
    patience(120_000),
  )

  it(
    'has neither backup nor restore of a file, which say what to do',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'oauth3-operation-'))
      try {
        const env = {
          DB_PATH: join(folder, 'proxy.db'),
          DATABASE_URL: 'postgres://oauth3:pass-word-1@127.0.0.1:1/oauth3',
        }
        for (const [command, program] of [
          ['backup', 'pg_dump'],
          ['restore', 'pg_restore'],
        ] as const) {
          const run = await runCliProcess([command, join(folder, 'file.db')], { env })
          expect(run.code).not.toBe(0)
          expect(run.stderr).toContain(program)
          expect(run.stdout + run.stderr).not.toContain('pass-word-1')
        }
        const started = await runCliProcess(['daemon'], { env: { ...env, OAUTH3_SANDBOX: 'embedded' } })
        expect(started).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('The PostgreSQL database cannot be opened (ECONNREFUSED).'),
        })
        expect(started.stdout + started.stderr).not.toMatch(/pass-word-1|127\.0\.0\.1/)
        expect(existsSync(join(folder, 'file.db'))).toBe(false)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
    patience(120_000),
  )

  it(
    'is named by health and doctor, and its database stays when the daemon is uninstalled',
    async () => {
      const server = await freshDatabase()
      const asked: unknown[] = []
      const docker = {
        listContainers: async (options: unknown) => {
          asked.push(options)
          return []
        },
        listVolumes: async () => ({ Volumes: [] }),
        listImages: async () => [],
      } as unknown as Docker
      try {
        const kit = await createDaemonKit({ sandbox, environment: { DATABASE_URL: server.url } })
        const copy = mkdtempSync(join(tmpdir(), 'oauth3-uninstall-'))
        try {
          expect((await kit.get('/health')).body).toMatchObject({
            database: 'ok',
            database_engine: 'postgres',
          })
          const doctor = await adminCall(kit.daemon.adminSocketPath, 'POST', '/v1/doctor')
          expect(doctor.body.checks).toContainEqual(
            expect.objectContaining({
              name: 'database',
              ok: true,
              said: expect.stringContaining('PostgreSQL'),
            }),
          )
          const config = readConfig({
            DB_PATH: join(kit.folder, 'data', 'proxy.db'),
            DATABASE_URL: server.url,
          })
          await expect(openUninstall(config, docker)).rejects.toMatchObject({ code: 'conflict' })
          await kit.daemon.stop()
          cpSync(join(kit.folder, 'data'), copy, {
            recursive: true,
            filter: (path) => !path.endsWith('.sock'),
          })
          using open = await openUninstall({ ...config, dbPath: join(copy, 'proxy.db') }, docker)
          expect(JSON.stringify(asked)).toMatch(/oauth3\.instance=[0-9a-f]{16}/)
          expect(await open.remove({ state: true, files: false })).toEqual([
            expect.stringContaining('DROP DATABASE'),
          ])
          expect(await auditRows(server.adminUrl)).toBeGreaterThan(0)
        } finally {
          await kit[Symbol.asyncDispose]()
          rmSync(copy, { recursive: true, force: true })
        }
      } finally {
        await server.drop()
      }
    },
    patience(120_000),
  )
})

/** Rows of the audit. */
async function auditRows(url: string): Promise<number> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<{ n: number }>('SELECT count(*)::int AS n FROM audit_log')).rows[0]?.n ?? 0
  } finally {
    await client.end()
  }
}
