export { type AdminApiDeps, createAdminApi } from './admin-api.ts'
