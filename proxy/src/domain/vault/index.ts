export {
  type Cipher,
  createDataKeyring,
  type DataKeyRecord,
  type DataKeyRepository,
  type DataKeyring,
} from './keyring.ts'
export {
  createVault,
  MAX_SECRET_BYTES,
  MIN_SECRET_BYTES,
  type SecretRecord,
  type SecretRepository,
  type Vault,
} from './vault.ts'
