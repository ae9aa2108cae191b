export { createAccountsApi } from './api.ts'
export {
  callerOf,
  credentialOf,
  holderOf,
  type SignedIn,
  signedInNow,
} from './caller.ts'
export { createAccountsOpenApi } from './openapi.ts'
export { apiPlaceOf } from './place.ts'
