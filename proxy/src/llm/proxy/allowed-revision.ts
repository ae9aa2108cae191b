import type { Agents } from '../../identity/agents/index.ts'
import type { ProviderAccess } from '../provider-access/index.ts'
import type { ProviderKeys } from '../provider-keys/index.ts'
import type { Providers } from '../providers/index.ts'

/** What a request is let through by. */
export interface AllowedBy {
  readonly agents: Pick<Agents, 'revision'>
  readonly providers: Pick<Providers, 'revision'>
  readonly access: Pick<ProviderAccess, 'revision'>
  readonly keys: Pick<ProviderKeys, 'revision'>
}

/** Every change makes it larger. */
export const revisionOf = ({ agents, providers, access, keys }: AllowedBy): number =>
  agents.revision + providers.revision + access.revision + keys.revision
