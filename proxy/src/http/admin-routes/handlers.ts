import type { AdminRoutes } from '../../contracts/admin/index.ts'
import type { RouteHandlers } from '../../contracts/index.ts'
import type { Actor, OwnerPrincipal, SessionPrincipal } from '../../identity/index.ts'

/** A function for each route of the owner's table. */
export type AdminHandlers = RouteHandlers<AdminRoutes>

/** Who asks: the daemon's own user at the admin socket, or somebody's signed-in browser. */
export interface Owner {
  readonly principal: OwnerPrincipal | SessionPrincipal
  /** As the audit names it. */
  readonly actor: Actor
  /** Of the console, as the browser has it; null at the admin socket. */
  readonly origin: string | null
}
