export { differencesFrom, uncovered } from './changes.ts'
export {
  type Consent,
  type ConsentImports,
  type ConsentSecret,
  consentCode,
  openConsent,
  type SealedConsent,
  type SignedSource,
  sealConsent,
} from './consent.ts'
