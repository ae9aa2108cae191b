import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { type Consent, sealConsent } from '../src/approvals/consent/index.ts'
import { createClockGuard } from '../src/approvals/index.ts'
import { createTrust, type Trust } from '../src/approvals/trust/index.ts'
import type { AuditLog } from '../src/audit/index.ts'
import { STORES } from '../src/compose/compose-stores.ts'
import { DEFAULT_TENANT, type Storage, sha256Hex, systemClock } from '../src/kernel/index.ts'
import { openStorage } from '../src/storage/index.ts'
import { sampleConsent, sampleRawSecret } from '../test/support/sample-consent.ts'
import { type BenchDaemon, percentile, printComparison, startBenchDaemon, timed } from './support.ts'

/** Trust lookups and pages of GET /execute, over one thousand executions (baseline) and one million. */
export async function benchStorage(sizes: { small: number; large: number }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-storage-'))
  try {
    const small = await prepare(join(folder, 'small'), sizes.small)
    const large = await prepare(join(folder, 'large'), sizes.large)
    await using one = small.daemon
    await using two = large.daemon
    for (const path of [
      '/execute?limit=20',
      '/execute?limit=20&status=success',
      '/execute?limit=20&status=pending,failed',
    ]) {
      const [theirs, ours] = await interleave(
        300,
        () => page(one, path),
        () => page(two, path),
      )
      printComparison({
        name: `GET ${path}: ${sizes.large} rows (oauth3) against ${sizes.small} (baseline)`,
        ours,
        baseline: theirs,
        unit: 'ms',
      })
      console.log(
        `${'slower by'.padEnd(12)}${(percentile(ours, 0.5) / percentile(theirs, 0.5)).toFixed(2).padStart(8)}×`,
      )
    }
    const [theirs, ours] = await interleave(300, small.lookUp, large.lookUp)
    printComparison({
      name: `20 trust lookups: ${sizes.large} rows (oauth3) against ${sizes.small} (baseline)`,
      ours,
      baseline: theirs,
      unit: 'ms',
    })
    console.log(
      `${'slower by'.padEnd(12)}${(percentile(ours, 0.5) / percentile(theirs, 0.5)).toFixed(2).padStart(8)}×`,
    )
    await small.close()
    await large.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const CONSENT: Consent = sealConsent(
  sampleConsent({
    skill_id: 'bench',
    description: 'a consent of usual size',
    code: { sha256: sha256Hex('bench'), bytes: 5 },
    runtime: { name: 'deno', image: `sha256:${sha256Hex('image')}`, isolation: 'docker' },
    secrets: [sampleRawSecret({ name: 'BENCH_SECRET', hosts: [] })],
  }),
).consent

async function interleave(
  rounds: number,
  first: () => Promise<void>,
  second: () => Promise<void>,
): Promise<[number[], number[]]> {
  const a: number[] = []
  const b: number[] = []
  for (let round = 0; round < rounds + 20; round++) {
    const [tookA, tookB] = [await timed(first), await timed(second)]
    if (round >= 20) {
      a.push(tookA)
      b.push(tookB)
    }
  }
  return [a, b]
}

async function page(daemon: BenchDaemon, path: string): Promise<void> {
  const response = await fetch(daemon.url + path, { headers: { authorization: `Bearer ${daemon.token}` } })
  const body = (await response.json()) as { executions: unknown[] }
  if (body.executions.length === 0) throw new Error(`${path} answered an empty page`)
}

interface Prepared {
  readonly daemon: BenchDaemon
  /** Twenty trust lookups. */
  lookUp(): Promise<void>
  close(): Promise<void>
}

async function prepare(folder: string, rows: number): Promise<Prepared> {
  const daemon = await startBenchDaemon({ OAUTH3_SANDBOX: 'embedded' }, folder)
  const path = join(folder, 'proxy.db')
  fill(path, folder, rows)
  const opened = await openStorage({ database: { path }, stores: STORES, onDefect: console.error })
  const storage = opened.forTenant(DEFAULT_TENANT)
  const clockGuard = createClockGuard({ storage, clock: systemClock })
  await storage.read((tx) => clockGuard.load(tx))
  const audit = { append: async () => {} } as unknown as AuditLog
  const trust = createTrust({ audit, storage, clock: systemClock, clockGuard })
  await grantTo(trust, storage, rows)
  return {
    daemon,
    lookUp: () =>
      storage.transaction(async (tx) => {
        for (let index = 0; index < 20; index++) await trust.take(tx, CONSENT)
      }, 'grouped'),
    close: async () => opened[Symbol.asyncDispose](),
  }
}

function fill(path: string, folder: string, rows: number): void {
  const db = new SqliteDatabase(path, { timeout: 10_000 })
  const agentId = db.prepare<[], string>('SELECT id FROM agents LIMIT 1').pluck().get() ?? ''
  const sealed = sealConsent(CONSENT)
  const insert =
    db.prepare(`INSERT INTO executions (tenant_id, request_id, skill_id, code_hash, status, approved, executed_at, duration_ms,
    result, created_at, agent_id, consent, consent_hash, changes, expires_at, trusted, decided_at, finished_at, seen_at)
    VALUES ('${DEFAULT_TENANT}', ?, ?, ?, ?, 1, ?, 12, '{"stdout":"ok","stderr":"","exitCode":0,"truncated":false}', ?, ?, ?, ?, '[]', ?, 0, ?, ?, ?)`)
  const filler = (end: number, count: number): void => {
    for (let index = end - count; index < end; index++) {
      const id = `req_${sha256Hex(`${folder}${index}`).slice(0, 32)}`
      const at = 1_700_000_000_000 + index
      const waits = index % 500 === 0
      insert.run(
        id,
        `skill-${index % 100}`,
        sha256Hex(String(index % 1_000)),
        waits ? 'pending' : index % 7 === 0 ? 'failed' : 'success',
        at,
        at,
        agentId,
        sealed.json,
        waits ? sha256Hex(id) : sealed.hash,
        4_000_000_000_000,
        at,
        at,
        at,
      )
    }
  }
  for (let done = 0; done < rows; done += 50_000) {
    const count = Math.min(50_000, rows - done)
    db.transaction(() => filler(done + count, count))()
    if (rows > 100_000 && done % 200_000 === 0) console.log(`  filled ${done + count} of ${rows} rows`)
  }
  db.close()
}

async function grantTo(trust: Trust, storage: Storage, rows: number): Promise<void> {
  await storage.transaction(async (tx) => {
    for (let index = 0; index < Math.max(20, rows / 100); index++) {
      const other = sealConsent({
        ...CONSENT,
        skill_id: `skill-${index}`,
        code: { sha256: sha256Hex(String(index)), bytes: 9 },
      })
      await trust.grant(tx, {
        sealed: other,
        level: 'forever',
        anyArgs: false,
        requestId: `req_g${index}`,
        actor: 'cli:0',
      })
    }
    await trust.grant(tx, {
      sealed: sealConsent(CONSENT),
      level: 'forever',
      anyArgs: false,
      requestId: 'req_bench',
      actor: 'cli:0',
    })
  })
}
