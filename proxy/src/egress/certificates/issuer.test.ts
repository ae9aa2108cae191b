import { X509Certificate } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type PeerCertificate, type SecureContext } from 'node:tls'
import { expect, test } from 'vitest'
import { createCertificateIssuer } from './issuer.ts'

const DAY_MS = 86_400_000

/** The certificate that a client is shown which trusts this CA alone and asks for this host. */
async function shown(context: SecureContext, ca: string, host: string): Promise<PeerCertificate> {
  const server = createServer({ SNICallback: (_name, done) => done(null, context) })
  // For clients that send no name.
  server.on('tlsClientError', () => {})
  const { promise, resolve, reject } = Promise.withResolvers<PeerCertificate>()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'any.example',
    ca,
    checkServerIdentity: () => undefined,
  })
  socket.once('secureConnect', () => resolve(socket.getPeerCertificate())).once('error', reject)
  try {
    const certificate = await promise
    expect(
      new X509Certificate(certificate.raw)[/^[\d.]+$|:/.test(host) ? 'checkIP' : 'checkHost'](host),
    ).toBeDefined()
    return certificate
  } finally {
    socket.destroy()
    server.close()
  }
}

test('the authority may sign leaves and nothing else, and is another at each start', async () => {
  const [one, two] = await Promise.all([createCertificateIssuer(), createCertificateIssuer()])
  const ca = new X509Certificate(one.caPem)
  expect(ca.ca).toBe(true)
  expect(ca.checkIssued(ca)).toBe(true)
  expect(ca.verify(ca.publicKey)).toBe(true)
  expect(ca.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
  // pathLenConstraint 0 behind cA TRUE, as it stands in the DER.
  expect(ca.raw.includes(Buffer.from('30060101ff020100', 'hex'))).toBe(true)
  expect(one.caPem).not.toContain('PRIVATE')
  expect(new X509Certificate(two.caPem).subject).not.toBe(ca.subject)
  await expect(shown(two.contextFor('a.example'), one.caPem, 'a.example')).rejects.toThrow()
})

test.each([
  ['api.example.com', 'DNS:api.example.com'],
  ['10.0.0.7', 'IP Address:10.0.0.7'],
  ['2001:db8::7', 'IP Address:2001:DB8:0:0:0:0:0:7'],
  [`${'long-label-'.repeat(5)}a.example.com`, `DNS:${'long-label-'.repeat(5)}a.example.com`],
])('a leaf names its host and no other: %s', async (host, name) => {
  const issuer = await createCertificateIssuer()
  const certificate = await shown(issuer.contextFor(host), issuer.caPem, host)
  expect(certificate.subjectaltname).toBe(name)
  const leaf = new X509Certificate(certificate.raw)
  expect(leaf.ca).toBe(false)
  expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  expect(leaf.verify(new X509Certificate(issuer.caPem).publicKey)).toBe(true)
  expect(leaf.validFromDate.getTime()).toBeLessThan(Date.now() - DAY_MS / 2)
  const days = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / DAY_MS
  expect(days).toBeLessThanOrEqual(397)
  expect(leaf.serialNumber.length).toBeGreaterThanOrEqual(16)
})

test('contexts are kept, as many as were asked for, and the longest unused goes first', async () => {
  const issuer = await createCertificateIssuer({ cacheSize: 2 })
  const [a, b] = [issuer.contextFor('a.example'), issuer.contextFor('b.example')]
  expect(issuer.contextFor('a.example')).toBe(a)
  issuer.contextFor('c.example')
  expect(issuer.contextFor('a.example')).toBe(a)
  expect(issuer.contextFor('b.example')).not.toBe(b)
})
