export type { BotCodeView, BotView } from '../bot-schemas.ts'
export { type FileListView, MAX_FILE_BYTES } from '../file-schemas.ts'
export type { MachineLogView, MachineVersionsView, ProcessListView } from '../inspection-schemas.ts'
export { type AccountRow, accountRow } from './account-routes.ts'
export type {
  ApprovalChoiceView,
  ApprovalSummary,
  ApprovalView,
  ShownLine,
} from './approval-schemas.ts'
export { approvalDecisionBody } from './approval-schemas.ts'
export * from './audit-schemas.ts'
export {
  APP_NETWORK_WORDS,
  APP_SCOPE_WORDS,
  type AppFileRow,
  type AppLimitsView,
  type AppView,
  type MadeApp,
  type RunDetail,
  type RunEvents,
  type RunRow,
  type RunSessionView,
} from './claude-run-schemas.ts'
export {
  type GenerationView,
  HOST_ORDERS,
  type HostedAgentView,
  type ToolCallView,
  type TurnView,
} from './host-schemas.ts'
export * from './llm-schemas.ts'
export { assertionJson, type PasskeyView, passkeyLabel, registrationJson } from './passkey-routes.ts'
export type { QuorumList } from './quorum-routes.ts'
export type { ReceiptKeyView } from './receipt-routes.ts'
export type { RegistryView, SkillView } from './registry-routes.ts'
export { ADMIN_ROUTES, type AdminRoutes } from './routes.ts'
export * from './schemas.ts'
export type { SessionRow } from './session-routes.ts'
export type { TenantView } from './tenant-routes.ts'
