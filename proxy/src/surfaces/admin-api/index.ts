export { createAdminApi } from './admin-api.ts'
export { createAdminDescription } from './openapi.ts'
