export type { AccessKeyRow, AccountView } from './account-routes.ts'
export type { PasskeyCeremonies } from './passkey-routes.ts'
export { CONSOLE_PREFIX, CONSOLE_ROUTES, type ConsoleRoutes } from './routes.ts'
export type { SessionView } from './session-view.ts'
