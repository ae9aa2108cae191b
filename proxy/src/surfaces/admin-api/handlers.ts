import type { AdminRoutes } from '../../contracts/admin/index.ts'
import type { RouteHandlers } from '../../contracts/index.ts'

/** A function for each route of the owner's table. */
export type AdminHandlers = RouteHandlers<AdminRoutes>

/** Who asks: the daemon's own user. */
export interface Owner {
  readonly uid: string
  readonly name: string
  /** As the audit names it. */
  readonly actor: string
}
