import { userInfo } from 'node:os'
import { ownerOfSocket } from '../../identity/authentication.ts'
import { actorOf } from '../../identity/index.ts'
import type { TenantId } from '../../kernel/index.ts'
import type { Owner } from '../admin-routes/index.ts'

/**
 * Whoever asks over the admin socket. Node has no SO_PEERCRED; the socket's mode (0600) admits this process's own user and root, so
 * that is who, without a token, and nobody else gets this far.
 */
export function ownerAtSocket(tenant: TenantId): Owner {
  const uid = String(process.getuid?.() ?? 0)
  let name = `uid ${uid}`
  try {
    name = userInfo().username
  } catch {
    // A uid without a passwd entry is usual in containers.
  }
  const principal = ownerOfSocket(tenant, { uid, name })
  return { principal, actor: actorOf(principal), origin: null }
}
