import type { KeySharing } from '../provider-access/index.ts'
import type { ProviderKeys } from '../provider-keys/index.ts'
import { type AllowedBy, revisionOf } from './allowed-revision.ts'
import type { AccessRules } from './caller.ts'
import type { LlmRequest } from './client.ts'
import { isStillGranted } from './grant-check.ts'
import type { Identity } from './identity.ts'
import type { Reading } from './read-head.ts'
import type { Ready } from './wanted-request.ts'

export interface StillAllowedDeps extends AllowedBy {
  readonly access: AccessRules
  readonly keys: ProviderKeys
  readonly identity: Identity
  readonly sharing: KeySharing
}

/**
 * For what goes out and is under way: whether token, grant and key stand as they did when it was let through. It is asked before
 * the first piece and for every one that passes, so it evaluates only when anything of the kind has changed since.
 */
export function watchAllowed(
  ready: Ready,
  reading: Reading,
  request: LlmRequest,
  deps: StillAllowedDeps,
): () => boolean {
  let evaluatedAt = ready.revision
  let isAllowed = true
  return () => {
    const now = revisionOf(deps)
    if (now === evaluatedAt) return isAllowed
    evaluatedAt = now
    isAllowed = isAllowedNow(ready, reading, request, deps)
    return isAllowed
  }
}

function isAllowedNow(
  ready: Ready,
  reading: Reading,
  request: LlmRequest,
  { identity, access, keys, sharing }: StillAllowedDeps,
): boolean {
  const { provider, key } = ready
  const agent = identity.revalidateToken(reading.credential.token, request)
  if (agent === null || !isStillGranted(ready, access)) return false
  if (ready.needsOwnKey && !sharing.isOwn(provider.name, key?.id ?? 0, agent.id)) return false
  if (key === null) return true
  const stored = keys.list(provider.name).find(({ id }) => id === key.id)
  if (stored?.isSeat !== (agent.usesSeat ?? false)) return false
  return stored.tags.every((tag) => agent.tags.includes(tag))
}
