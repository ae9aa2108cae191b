export { createAccountsApi } from './api.ts'
export { createAccountsOpenApi } from './openapi.ts'
