import type { Config } from '../config/index.ts'
import { type AdminApi, createAdminApi } from '../http/admin-api/index.ts'
import type { AccountDirectory, AccountTenant } from '../identity/accounts/index.ts'
import { parseActor } from '../identity/index.ts'
import type { ConsoleAddress } from '../identity/sessions/index.ts'
import { DEFAULT_TENANT, type DoctorCheck } from '../kernel/index.ts'
import type { Composition } from './compose.ts'
import type { TenantParts } from './compose-tenant.ts'
import { auditCheck, databaseCheck, diskCheck, isolationChecks, sandboxCheck } from './daemon-health.ts'

/** The parts of one tenant, and what of the installation its owner may do something to. */
type AdminParts = TenantParts & Pick<Composition, 'sandbox' | 'tenants' | 'keys' | 'installation'>

/** What the owner of the host reaches over the unix socket, and persons who are signed in at the console. */
export function composeAdminApi(
  parts: AdminParts,
  deps: {
    /** Where agents reach the daemon, once it listens. */
    readonly url: () => string
    /** Where apps do, once it listens; null while runs are off. */
    readonly appsUrl: () => string | null
    readonly consoleAddress: () => ConsoleAddress
    readonly doctorChecks: () => readonly DoctorCheck[]
    readonly directory: () => AccountDirectory<AccountTenant>
  },
): AdminApi {
  return createAdminApi({
    ...parts,
    ...deps,
    hasOwnersPasskey: async (tx) =>
      (await tx.passkeys.all()).some(({ person }) =>
        /^(?:cli|account)$/.test(parseActor(person)?.kind ?? ''),
      ),
    keys: { ...parts.keys, rotateData: (actor) => parts.vault.rotate(actor) },
    quotas: {
      list: () => parts.tenants.all().map(({ settings: { id, name }, storage }) => ({ id, name, storage })),
      defaults: parts.installation.config.hosting,
      audit: parts.tenants.named(DEFAULT_TENANT).audit,
    },
    appsAllowedFrom: parts.installation.claudeRuns?.settings.allowedFrom ?? [],
    archiveFolder: parts.settings.archiveFolder,
    runner: parts.installation.claudeRuns?.runner ?? null,
    hasDefaultWake: parts.settings.wake !== null,
  })
}

/** What `oauth3 doctor` tries. `checksIsolation`: also what stands between code and host, of a sandbox of the daemon's own. */
export function composeDoctorChecks(
  config: Config,
  parts: AdminParts,
  checksIsolation: boolean,
): () => readonly DoctorCheck[] {
  const { sandbox, telegram } = parts
  const fixedChecks: readonly DoctorCheck[] = [
    sandboxCheck(sandbox),
    ...(checksIsolation ? isolationChecks(sandbox, config.sandbox) : []),
    databaseCheck({ ...parts, dbPath: config.dbPath }),
    auditCheck(parts.archiver),
    diskCheck({ ...parts, minFreeBytes: config.storage.minFreeBytes }),
    ...(telegram ? [telegram.check] : []),
  ]
  return () => [...fixedChecks, ...parts.installation.machines.checks, ...parts.waker.checks]
}
