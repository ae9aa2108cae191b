import type { AuditArchiver } from '../audit/index.ts'
import type { DoctorCheck, HealthReport } from '../kernel/index.ts'
import { formatBytes } from '../kernel/index.ts'
import type { FreeSpace, Retention } from '../retention/index.ts'
import { createIsolationChecks } from '../sandbox/doctor/index.ts'
import type { Sandbox } from '../sandbox/index.ts'
import type { Lockdown } from '../vault/index.ts'
import { VERSION } from '../version.ts'

type DatabaseEngine = HealthReport['database_engine']
const DATABASE_ANSWER_MS = 2_000

/** What `/health` tells, from the parts that know. */
export function createHealth(deps: {
  readonly sandbox: Sandbox
  readonly telegram: () => HealthReport['telegram']
  /** Why the chat hears nothing, or what to set for it. */
  readonly telegramNote: () => Promise<string | null>
  readonly askDatabase: () => Promise<unknown>
  readonly engine: DatabaseEngine
  readonly freeSpace: Pick<FreeSpace, 'isLow' | 'freeBytes'>
  readonly lockdown: Pick<Lockdown, 'state'>
}): () => Promise<HealthReport> {
  const started = performance.now()
  return async () => {
    const status = await deps.sandbox.status()
    const telegram = deps.telegram()
    const database = (await answers(deps.askDatabase)) ? 'ok' : 'error'
    const { isLow, freeBytes } = deps.freeSpace
    // It is of the chat's messages, which are in the database.
    const note = database === 'ok' ? await deps.telegramNote() : null
    const isBuilding = status.kind === 'unavailable' && status.cause === 'building'
    const degraded =
      isLow ||
      deps.lockdown.state !== null ||
      note !== null ||
      telegram === 'disconnected' ||
      database === 'error' ||
      (status.kind === 'unavailable' && !isBuilding)
    return {
      status: degraded ? 'degraded' : isBuilding ? 'starting' : 'ok',
      telegram,
      database,
      database_engine: deps.engine,
      disk: isLow ? 'low' : 'ok',
      sandbox: status.kind,
      version: VERSION,
      uptime_s: Math.round((performance.now() - started) / 1_000),
      notes: [
        ...(deps.lockdown.state === null
          ? []
          : ['locked: the owner has stopped everything (oauth3 panic end)']),
        ...(isLow ? [lowDiskMessage(freeBytes)] : []),
        ...(note === null ? [] : [note]),
        ...status.notes,
      ],
    }
  }
}

export function sandboxCheck(sandbox: Sandbox): DoctorCheck {
  return {
    name: 'sandbox',
    async run() {
      const status = await sandbox.status()
      const runtimes = status.runtimes
        .map((runtime) => `${runtime.name} ${runtime.image.slice(0, 19)}`)
        .join(', ')
      return {
        ok: status.kind !== 'unavailable',
        said: [`${status.kind}; ${runtimes || 'no runtime'}; ${status.warm} warm`, ...status.notes].join(
          '; ',
        ),
      }
    },
  }
}

/** What isolates code from the host, one check each. */
export function isolationChecks(
  sandbox: Sandbox,
  { ociRuntime, seccomp }: { readonly ociRuntime: string | null; readonly seccomp: 'oauth3' | 'engine' },
): DoctorCheck[] {
  if (sandbox.kind === 'embedded') return [NO_CONTAINER]
  return createIsolationChecks({ ociRuntime: ociRuntime ?? undefined, seccomp })
}

const NO_CONTAINER: DoctorCheck = {
  name: 'walls',
  run: async () => ({
    ok: true,
    warning: true,
    said: "no container: Deno's permissions alone stand between code and this host; OAUTH3_SANDBOX=docker adds walls",
  }),
}

/** Which engine it is, and that it answers. */
export function databaseCheck(deps: {
  readonly engine: DatabaseEngine
  readonly dbPath: string
  readonly askDatabase: () => Promise<unknown>
}): DoctorCheck {
  return {
    name: 'database',
    async run() {
      await deps.askDatabase()
      const said =
        deps.engine === 'sqlite'
          ? `SQLite, ${deps.dbPath}; it answers`
          : 'PostgreSQL, the one of DATABASE_URL; it answers, and no other daemon works on it'
      return { ok: true, said }
    },
  }
}

/** Longer and whoever asked would give up. */
const AUDIT_CHECK_MS = 20_000

export function auditCheck(archiver: Pick<AuditArchiver, 'verify'>): DoctorCheck {
  return {
    name: 'audit',
    async run() {
      const verdict = await archiver.verify({ archives: false, ms: AUDIT_CHECK_MS })
      if (!verdict.ok) return { ok: false, said: `row ${verdict.brokenId}: ${verdict.reason}` }
      const { finished, rows, earlier, archived } = verdict
      const parts = [
        finished
          ? `${rows} rows, chain and seal hold`
          : `the chain holds up to row ${rows}; oauth3 audit verify --incremental goes on from there`,
        ...(earlier === 0
          ? []
          : [`rows to ${earlier} held at an earlier check, oauth3 audit verify reads them again`]),
        ...(archived === 0 ? [] : [`rows to ${archived} are in archives, which oauth3 audit verify reads`]),
      ]
      return { ok: true, said: parts.join('; ') }
    },
  }
}

/** For a person, wherever they look first. */
export const lowDiskMessage = (freeBytes: number | undefined): string =>
  `the disk is nearly full${freeBytes === undefined ? '' : ` (${formatBytes(freeBytes)} free)`}: new requests are refused, answers still count; free some, or run oauth3 prune`

export function diskCheck(deps: {
  readonly freeSpace: FreeSpace
  readonly retention: Pick<Retention, 'size'>
  readonly minFreeBytes: number
  readonly engine: DatabaseEngine
}): DoctorCheck {
  return {
    name: 'disk',
    async run() {
      await deps.freeSpace.look()
      const { used, free } = await deps.retention.size()
      const { freeBytes, isLow } = deps.freeSpace
      const disk = freeBytes === undefined ? 'free space is not known' : `${formatBytes(freeBytes)} free`
      const kept =
        deps.engine === 'sqlite'
          ? `the database uses ${formatBytes(used)}, ${formatBytes(free)} of its file are free`
          : `the database uses ${formatBytes(used)} on its server, whose disk is not looked at`
      const said = `${disk}, ${formatBytes(deps.minFreeBytes)} wanted; ${kept}`
      return { ok: !isLow, said: isLow ? `${said}; new requests are refused` : said }
    },
  }
}

/** A server that is cut off does not answer at all. */
async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  const { promise: timedOut, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, DATABASE_ANSWER_MS, undefined)
  try {
    return (await Promise.race([ask(), timedOut])) !== undefined
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}
