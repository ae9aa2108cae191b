export { createDeferredIssuer } from './deferred-issuer.ts'
export { createCertificateIssuer } from './issuer.ts'
