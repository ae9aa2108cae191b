export { type AdminApi, createAdminApi } from './admin-api.ts'
export { createAdminDescription } from './openapi.ts'
export { ownerAtSocket } from './owner.ts'
