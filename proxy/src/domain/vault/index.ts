export {
  type Cipher,
  createDataKeyring,
  type DataKeyRecord,
  type DataKeyRepository,
  type DataKeyring,
} from './keyring.ts'
export {
  createVault,
  MIN_SECRET_BYTES,
  type SecretRecord,
  type SecretRepository,
  type Vault,
  type VaultEvent,
} from './vault.ts'
