import { createWallChecks } from './adapters/sandbox/index.ts'
import type { AuditArchiver } from './domain/audit/index.ts'
import type { Sandbox } from './domain/executions/index.ts'
import type { DoctorCheck, HealthReport } from './domain/health/index.ts'
import type { FreeSpace, Retention } from './domain/retention/index.ts'
import { formatBytes } from './kernel/index.ts'
import { VERSION } from './version.ts'

/** What `/health` tells, from the parts that know. */
export function createHealth(deps: {
  readonly sandbox: Sandbox
  readonly telegram: () => HealthReport['telegram']
  /** Why the chat hears nothing, or what to set for it. */
  readonly telegramNote: () => string | null
  readonly askDatabase: () => unknown
  readonly freeSpace: Pick<FreeSpace, 'isLow' | 'freeBytes'>
}): () => Promise<HealthReport> {
  const started = performance.now()
  return async () => {
    const status = await deps.sandbox.status()
    const telegram = deps.telegram()
    const database = answers(deps.askDatabase) ? 'ok' : 'error'
    const { isLow, freeBytes } = deps.freeSpace
    const note = deps.telegramNote()
    const isBuilding = status.kind === 'unavailable' && status.cause === 'building'
    const degraded =
      isLow ||
      note !== null ||
      telegram === 'disconnected' ||
      database === 'error' ||
      (status.kind === 'unavailable' && !isBuilding)
    return {
      status: degraded ? 'degraded' : isBuilding ? 'starting' : 'ok',
      telegram,
      database,
      disk: isLow ? 'low' : 'ok',
      sandbox: status.kind,
      version: VERSION,
      uptime_s: Math.round((performance.now() - started) / 1_000),
      notes: [
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

/** Which walls stand between code and host. */
export function wallChecks(
  sandbox: Sandbox,
  { ociRuntime, seccomp }: { readonly ociRuntime: string | null; readonly seccomp: 'oauth3' | 'engine' },
): DoctorCheck[] {
  if (sandbox.kind === 'embedded') return [NO_CONTAINER]
  return createWallChecks({ ociRuntime: ociRuntime ?? undefined, seccomp })
}

const NO_CONTAINER: DoctorCheck = {
  name: 'walls',
  run: async () => ({
    ok: true,
    warning: true,
    said: "no container: Deno's permissions alone stand between code and this host; OAUTH3_SANDBOX=docker adds walls",
  }),
}

export function auditCheck(archiver: Pick<AuditArchiver, 'verify'>): DoctorCheck {
  return {
    name: 'audit',
    async run() {
      const verdict = await archiver.verify({ archives: false })
      return verdict.ok
        ? {
            ok: true,
            said: `${verdict.rows} rows, chain and seal hold${verdict.archived === 0 ? '' : `; rows to ${verdict.archived} are in archives, which oauth3 audit verify reads`}`,
          }
        : { ok: false, said: `row ${verdict.brokenId}: ${verdict.reason}` }
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
}): DoctorCheck {
  return {
    name: 'disk',
    async run() {
      deps.freeSpace.look()
      const { used, free } = deps.retention.size()
      const { freeBytes, isLow } = deps.freeSpace
      const disk = freeBytes === undefined ? 'free space is not known' : `${formatBytes(freeBytes)} free`
      const said = `${disk}, ${formatBytes(deps.minFreeBytes)} wanted; the database uses ${formatBytes(used)}, ${formatBytes(free)} of its file are free`
      return { ok: !isLow, said: isLow ? `${said}; new requests are refused` : said }
    },
  }
}

function answers(ask: () => unknown): boolean {
  try {
    return ask() !== undefined
  } catch {
    return false
  }
}
