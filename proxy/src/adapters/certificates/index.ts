export { createCertificateIssuer } from './issuer.ts'
