import type { Express } from 'express'
import type { Composition } from './compose.ts'
import type { Config } from './config/index.ts'
import { auditCheck, diskCheck, sandboxCheck, wallChecks } from './daemon-health.ts'
import type { DoctorCheck } from './domain/health/index.ts'
import { createAdminApi } from './surfaces/admin-api/index.ts'

/** What the owner of the host reaches over the unix socket. */
export function composeAdminApi(
  config: Config,
  parts: Composition,
  deps: {
    /** Where agents reach the daemon, once it listens. */
    readonly url: () => string
    readonly doctorChecks: () => readonly DoctorCheck[]
  },
): Express {
  return createAdminApi({
    ...parts,
    ...deps,
    archiveFolder: config.storage.auditArchiveDirectory,
    hasDefaultWake: config.wake !== null,
  })
}

/** What `oauth3 doctor` tries. `checksWalls`: also what stands between code and host, of a sandbox of the daemon's own. */
export function composeDoctorChecks(
  config: Config,
  parts: Composition,
  checksWalls: boolean,
): () => readonly DoctorCheck[] {
  const { sandbox, telegram } = parts
  const fixedChecks: readonly DoctorCheck[] = [
    sandboxCheck(sandbox),
    ...(checksWalls ? wallChecks(sandbox, config.sandbox) : []),
    auditCheck(parts.archiver),
    diskCheck({ ...parts, minFreeBytes: config.storage.minFreeBytes }),
    ...(telegram ? [telegram.check] : []),
  ]
  return () => [...fixedChecks, ...parts.waker.checks]
}
