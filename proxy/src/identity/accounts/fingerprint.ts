import { type SecretValue, sha256Hex } from '../../kernel/index.ts'

/** What tells a key at a provider: vendors' keys are long and random, so that a plain hash gives none away. */
export const fingerprintOf = (provider: string, key: SecretValue): string =>
  sha256Hex(`${provider}\0${key.open()}`)
