import { randomToken, type TenantId } from '../../kernel/index.ts'
import type { FilesKey } from './ports.ts'

/** Below it stands all that is kept of a tenant's machines. */
export const prefixOfTenant = (tenant: TenantId): string => `machines/${tenant}/`
/** Below it stands all that is kept of a machine. */
export const prefixOf = ({ tenant, machine }: FilesKey): string => `${prefixOfTenant(tenant)}${machine}/`

/**
 * A name that no object ever had, also where a database of before was put back: whatever an earlier attempt still writes or removes
 * late is nothing of this one's.
 */
export const newAttempt = (number: number): string => `${number}-${randomToken(96)}`

export const packName = (key: FilesKey, attempt: string, index: number): string =>
  `${prefixOf(key)}${attempt}/${index}`
export const manifestName = (key: FilesKey, attempt: string): string => `${prefixOf(key)}${attempt}/manifest`

/** The number of the attempt that wrote it; undefined for what none did. */
export function numberOf(key: FilesKey, name: string): number | undefined {
  const [, digits] = /^(\d{1,15})-[A-Za-z0-9_-]{16}\//.exec(name.slice(prefixOf(key).length)) ?? []
  return digits === undefined ? undefined : Number(digits)
}
