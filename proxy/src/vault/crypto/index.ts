export {
  type Argon2Parameters,
  deriveFromPassphrase,
  keyDraftPath,
  keyFingerprint,
  newArgon2Parameters,
  newKeyBytes,
  nextKeyPath,
  promoteNextKey,
  readKeyFile,
  writeKeyFile,
} from './master-key.ts'
export { createSecretStreams, type SecretStreams } from './secret-stream.ts'
export { createSodiumCipher } from './sodium-cipher.ts'
