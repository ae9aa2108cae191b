export {
  createTrust,
  type Grant,
  type GrantRepository,
  TRUST_24H_MS,
  type Trust,
  type TrustLevel,
  type TrustVerdict,
} from './trust.ts'
