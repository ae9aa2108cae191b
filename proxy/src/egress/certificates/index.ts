export { createDeferredIssuer } from './deferred-issuer.ts'
export { createCertificateIssuer } from './issuer.ts'
export { lastingKey, lastingKeyDraft } from './lasting-key.ts'
export { newPrivateKey, selfSignedCertificate } from './self-signed.ts'
