export { uncovered, widerThan } from './changes.ts'
export {
  type Consent,
  type ConsentSecret,
  consentAgent,
  consentCode,
  openConsent,
  type SealedConsent,
  type SourceRelation,
  sealConsent,
} from './consent.ts'
