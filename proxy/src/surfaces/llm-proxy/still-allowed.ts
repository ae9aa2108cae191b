import type { IncomingMessage } from 'node:http'
import type { Agents } from '../../domain/agents/index.ts'
import type { KeySharing, ProviderAccess } from '../../domain/provider-access/index.ts'
import type { ProviderKeys } from '../../domain/provider-keys/index.ts'
import type { Providers } from '../../domain/providers/index.ts'
import { isStillGranted } from './admission.ts'
import type { Identity } from './identity.ts'
import type { Reading } from './read-head.ts'
import type { Ready } from './wanted-request.ts'

export interface StillAllowedDeps {
  readonly agents: Pick<Agents, 'revision'>
  readonly providers: Pick<Providers, 'revision'>
  readonly access: ProviderAccess
  readonly keys: ProviderKeys
  readonly identity: Identity
  readonly sharing: KeySharing
}

/**
 * For what is under way: whether token, grant and key stand as they did when it was let through. It is asked for every
 * piece that passes, so it evaluates only when anything of the kind has changed since.
 */
export function watchAllowed(
  ready: Ready,
  reading: Reading,
  request: IncomingMessage,
  deps: StillAllowedDeps,
): () => boolean {
  let evaluatedAt = revisionOf(deps)
  let isAllowed = true
  return () => {
    const now = revisionOf(deps)
    if (now === evaluatedAt) return isAllowed
    evaluatedAt = now
    isAllowed = isAllowedNow(ready, reading, request, deps)
    return isAllowed
  }
}

/** Every change makes it larger. */
const revisionOf = ({ agents, providers, access, keys }: StillAllowedDeps): number =>
  agents.revision + providers.revision + access.revision + keys.revision

function isAllowedNow(
  ready: Ready,
  reading: Reading,
  request: IncomingMessage,
  { identity, access, keys, sharing }: StillAllowedDeps,
): boolean {
  const { provider, key } = ready
  const agent = identity.revalidateToken(reading.credential.token, request)
  if (agent === null || !isStillGranted(ready, access)) return false
  if (ready.needsOwnKey && !sharing.isOwn(provider.name, key?.id ?? 0, agent.id)) return false
  if (key === null) return true
  const stored = keys.list(provider.name).find(({ id }) => id === key.id)
  return stored?.tags.every((tag) => agent.tags.includes(tag)) === true
}
