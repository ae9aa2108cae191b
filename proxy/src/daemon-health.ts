import { createWallChecks } from './adapters/sandbox/index.ts'
import type { AuditLog } from './domain/audit/index.ts'
import type { Sandbox } from './domain/executions/index.ts'
import type { DoctorCheck, HealthReport } from './domain/health/index.ts'
import { VERSION } from './version.ts'

/** What `/health` tells, from the parts that know. */
export function createHealth(deps: {
  readonly sandbox: Sandbox
  readonly telegram: () => HealthReport['telegram']
  readonly askDatabase: () => unknown
}): () => Promise<HealthReport> {
  const started = performance.now()
  return async () => {
    const status = await deps.sandbox.status()
    const telegram = deps.telegram()
    const database = answers(deps.askDatabase) ? 'ok' : 'error'
    const degraded = telegram === 'disconnected' || database === 'error' || status.kind === 'unavailable'
    return {
      status: degraded ? 'degraded' : 'ok',
      telegram,
      database,
      sandbox: status.kind,
      version: VERSION,
      uptime_s: Math.round((performance.now() - started) / 1_000),
      notes: status.notes,
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

export function auditCheck(audit: AuditLog): DoctorCheck {
  return {
    name: 'audit',
    async run() {
      const verdict = audit.verify()
      return verdict.ok
        ? { ok: true, said: `${verdict.rows} rows, chain and seal hold` }
        : { ok: false, said: `row ${verdict.brokenId}: ${verdict.reason}` }
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
