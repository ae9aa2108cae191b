export { type AccessTokens, createAccessTokens } from './access-tokens.ts'
export { accountRoutes, viewAccount } from './account-routes.ts'
export { createAccountStore } from './account-store.ts'
export { type Accounts, createAccounts, personOfAccount } from './accounts.ts'
export {
  type AccountDirectory,
  type AccountTenant,
  createAccountDirectory,
  type KeyVerdict,
  type SignedInAccount,
  type SignUpMode,
} from './directory.ts'
export { createPasswords, PASSWORD_LENGTH, type Passwords } from './passwords.ts'
export { ACCESS_SCOPES, type AccessKey, type AccessScope, type Account } from './ports.ts'
