import { expect, it } from 'vitest'
import { createDeferredIssuer } from './deferred-issuer.ts'
import { createCertificateIssuer } from './issuer.ts'

it('makes its keys when it is first waited for, once', async () => {
  let made = 0
  const issuer = createDeferredIssuer(() => {
    made += 1
    return createCertificateIssuer()
  })
  expect(made).toBe(0)
  expect(() => issuer.caPem).toThrow('before it is ready')
  expect(() => issuer.contextFor('api.example.com')).toThrow('before it is ready')
  await Promise.all([issuer.ready(), issuer.ready()])
  expect(made).toBe(1)
  expect(issuer.caPem).toContain('BEGIN CERTIFICATE')
  expect(issuer.contextFor('api.example.com')).toBe(issuer.contextFor('api.example.com'))
})
