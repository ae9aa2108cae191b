import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTestCa } from '../../../test/support/test-ca.ts'
import { startTlsUpstream, type TlsUpstream } from '../../../test/support/tls-upstream.ts'
import { createEgressDial } from './egress-dial.ts'

const HOST = 'api.example.com'
const nobody: ReadonlySet<string> = new Set()
const { signal } = new AbortController()

let upstream: TlsUpstream
beforeEach(async () => {
  upstream = await startTlsUpstream([HOST], (_request, response) => response.end())
})
afterEach(() => upstream[Symbol.asyncDispose]())

const here = { resolve: async () => ['127.0.0.1'], isPublic: (address: string) => address === '127.0.0.1' }
const target = () => ({ host: HOST, port: upstream.port })

test('a verified connection speaks HTTP/1.1, and the next one takes up its TLS session', async () => {
  const dial = createEgressDial({ ...here, tls: { ca: upstream.ca } })
  const first = await dial.dialTls(target(), nobody, signal)
  expect(first.alpnProtocol).toBe('http/1.1')
  expect(first.isSessionReused()).toBe(false)
  // The ticket comes with the first bytes of an answer.
  first.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  await new Promise((resolve) => first.once('data', resolve))
  const second = await dial.dialTls(target(), nobody, signal)
  expect(second.isSessionReused()).toBe(true)
  first.destroy()
  second.destroy()
})

test.each([
  ['10.0.0.1', '10.0.0.1', true],
  ['10.0.0.1', '10.0.0.2', false],
  ['::ffff:10.0.0.1', '10.0.0.1', false],
  ['fd00:0::0001', 'fd00::1', true],
])('where a name leads to %s and %s was approved, it may be dialled: %s', async (found, approved, may) => {
  const dial = createEgressDial({ resolve: async () => [found], connectTimeoutMs: 1 })
  const outcome = dial.dial(target(), new Set([approved]), signal)
  await expect(outcome).rejects.toMatchObject({ reason: may ? 'unreachable' : 'address_not_public' })
})

test('by default only public addresses are dialled, and only the roots of the system are trusted', async () => {
  await expect(
    createEgressDial({ resolve: here.resolve }).dial(target(), nobody, signal),
  ).rejects.toMatchObject({ reason: 'address_not_public' })
  await expect(createEgressDial(here).dialTls(target(), nobody, signal)).rejects.toMatchObject({
    reason: 'tls_not_verified',
  })
})

test('a certificate of another authority of the same name is not verified', async () => {
  const dial = createEgressDial({ ...here, tls: { ca: createTestCa().certificate } })
  await expect(dial.dialTls(target(), nobody, signal)).rejects.toMatchObject({ reason: 'tls_not_verified' })
  expect(upstream.seen).toEqual([])
})

test('the text of a failure names no address', async () => {
  const dial = createEgressDial({ resolve: async () => ['10.1.2.3'] })
  await expect(dial.dial(target(), nobody, signal)).rejects.toThrow(/^upstream: address_not_public$/)
})

test('the roots of the system are read by the first dial and none before, each once', async () => {
  const real = await vi.importActual<typeof import('node:tls')>('node:tls')
  const roots = vi.fn((kind: string) => (kind === 'system' ? ['A', 'B', 'A'] : ['B', 'C']))
  const context = vi.fn((_options: object) => real.createSecureContext())
  vi.doMock('node:tls', () => ({ ...real, getCACertificates: roots, createSecureContext: context }))
  vi.resetModules()
  vi.useFakeTimers()
  try {
    const fresh = await import('./egress-dial.ts')
    const dial = fresh.createEgressDial({ resolve: async () => ['10.1.2.3'] })
    vi.advanceTimersByTime(3_600_000)
    expect(roots).not.toHaveBeenCalled()
    vi.useRealTimers()
    for (const _ of [1, 2]) await expect(dial.dial(target(), nobody, signal)).rejects.toThrow('not_public')
    expect(context).toHaveBeenCalledExactlyOnceWith({ ca: ['A', 'B', 'C'], minVersion: 'TLSv1.2' })
  } finally {
    vi.useRealTimers()
    vi.doUnmock('node:tls')
    vi.resetModules()
  }
})
