export { createDataKeyStore } from './data-key-store.ts'
export {
  type Cipher,
  createDataKeyring,
  type DataKeyRecord,
  type DataKeyring,
  destroyDataKeys,
  unwrapDataKeys,
} from './keyring.ts'
export { createLockdown, LOCKED, type Lockdown, type LockdownEvent } from './lockdown.ts'
export { createSecretStore } from './secret-store.ts'
export {
  createVault,
  type SecretRecord,
  type Vault,
  type VaultEvent,
} from './vault.ts'
