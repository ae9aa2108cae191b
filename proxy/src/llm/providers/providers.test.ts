import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { collect } from '../../../test/support/collect.ts'
import { createDomainKit, type DomainKit } from '../../../test/support/domain-kit.ts'
import { createTestProviders, found } from '../../../test/support/providers-kit.ts'
import { inDatabase } from '../../../test/support/stored.ts'
import { parseHostPattern } from '../../kernel/index.ts'
import type { OwnProvider, Providers } from './ports.ts'
import { createProviders } from './providers.ts'
import { PROVIDER_TABLE } from './table.ts'

const ACTOR = 'cli:0'
const failing = (code: string) => expect.objectContaining({ code })
const own = (change: Partial<OwnProvider> = {}): Omit<OwnProvider, 'createdAt'> => ({
  name: 'mine',
  url: 'https://llm.example.com/v1',
  auth: { kind: 'bearer' },
  errors: 'openai',
  private: false,
  ...change,
})

describe('the table of providers', () => {
  it('is usable: every row is one host with one spelling, and its roots are paths', () => {
    for (const [name, row] of PROVIDER_TABLE) {
      expect(name).toMatch(/^[a-z][a-z0-9-]{0,31}$/)
      const filled = row.origin.replace(/\{[a-z]+\}/g, 'x')
      expect([name, parseHostPattern(filled)]).toEqual([name, expect.objectContaining({ wildcard: false })])
      expect(row.roots.length).toBeGreaterThan(0)
      for (const root of row.roots) expect(root).toMatch(/^(?:\/[a-z0-9{}-]+)*$/)
      const wanted = [...`${row.origin}${row.roots.join('')}`.matchAll(/\{([a-z]+)\}/g)].map(
        ([, param]) => param,
      )
      expect([name, [...(row.params ?? [])]]).toEqual([name, [...new Set(wanted)]])
      if (row.origin.startsWith('http:')) expect(name).toBe('ollama')
    }
  })

  it('has nothing that every object has', async () => {
    const providers = await createTestProviders()
    for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty', 'valueOf', '']) {
      expect(providers.find(name)).toBeUndefined()
    }
  })

  it('tells what has to be filled in before a provider can be used', async () => {
    const providers = await createTestProviders()
    expect(providers.find('azure')).toEqual({ missing: ['resource'] })
    expect(providers.list().find(({ name }) => name === 'azure')).toMatchObject({
      url: 'https://{resource}.openai.azure.com/openai',
      missing: ['resource'],
    })
    await providers.setParam('azure', 'resource', 'demo-one', ACTOR)
    expect(found(providers, 'azure')).toMatchObject({ host: 'demo-one.openai.azure.com', port: 443 })
    await providers.setParam('cloudflare', 'account', 'a1', ACTOR)
    expect(found(providers, 'cloudflare').roots[0]).toBe('/client/v4/accounts/a1/ai/v1')
  })

  it('knows the one that runs beside the daemon', async () => {
    expect(found(await createTestProviders(), 'ollama')).toMatchObject({
      scheme: 'http',
      host: '127.0.0.1',
      port: 11_434,
      private: true,
      auth: { kind: 'none' },
    })
  })

  it.each([
    ['azure', 'resource', ''],
    ['azure', 'resource', 'a.evil.example'],
    ['azure', 'resource', 'a/b'],
    ['azure', 'resource', 'a@b'],
    ['azure', 'resource', 'A'],
    ['azure', 'resource', '-a'],
    ['azure', 'resource', 'a-'],
    ['azure', 'resource', 'a\n'],
    ['azure', 'resource', 'x'.repeat(64)],
    ['cloudflare', 'account', '../other'],
  ])('does not take %s %s=%j', async (provider, name, value) => {
    const providers = await createTestProviders()
    await expect(providers.setParam(provider, name, value, ACTOR)).rejects.toThrow(failing('invalid_request'))
    expect(providers.find(provider)).toEqual({ missing: [name] })
  })

  it.each([
    ['openai', 'resource'],
    ['azure', 'constructor'],
    ['nobody', 'resource'],
  ])('has no parameter for %s %s', async (provider, name) => {
    await expect((await createTestProviders()).setParam(provider, name, 'x', ACTOR)).rejects.toThrow(
      failing('not_found'),
    )
  })
})

describe('own providers', () => {
  let dir: string
  let kit: DomainKit
  let removed: string[]
  let providers: Providers
  const build = async () => {
    const built = createProviders({
      ...kit,
      events: { publish: async (_tx, { name }) => void removed.push(name) },
    })
    await kit.storage.read(built.load)
    return built
  }
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'oauth3-providers-'))
    kit = await createDomainKit({ dir })
    removed = []
    providers = await build()
  })
  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })

  it('are kept with everything that was said of them', async () => {
    const added = await providers.add(
      own({
        url: 'http://10.0.0.7:8000/serving/v1/',
        auth: { kind: 'header', name: 'x-key' },
        private: true,
      }),
      ACTOR,
    )
    expect(added).toEqual({
      name: 'mine',
      scheme: 'http',
      host: '10.0.0.7',
      port: 8000,
      roots: ['/serving/v1'],
      auth: { kind: 'header', name: 'x-key' },
      errors: 'openai',
      models: [],
      includeUsage: true,
      reportsCost: false,
      private: true,
      own: true,
    })
    await providers.setParam('azure', 'resource', 'demo', ACTOR)
    const later = await build()
    expect(later.find('mine')).toEqual(added)
    expect(later.list()).toEqual(providers.list())
    expect(later.find('azure')).toMatchObject({ host: 'demo.openai.azure.com' })
  })

  it('are found without asking the database, until something changes', async () => {
    await providers.add(own(), ACTOR)
    const first = providers.find('mine')
    inDatabase(dir, (db) => db.exec('DELETE FROM providers'))
    expect(providers.find('mine')).toBe(first)
    const { revision } = providers
    await providers.add(own({ name: 'other' }), ACTOR)
    expect(providers.revision).toBeGreaterThan(revision)
    expect(providers.find('mine')).toBeUndefined()
  })

  it('are gone when removed, and whoever depends on them is told inside the transaction', async () => {
    await providers.add(own(), ACTOR)
    await expect(providers.add(own(), ACTOR)).rejects.toThrow(failing('conflict'))
    const { revision } = providers
    await providers.remove('mine', ACTOR)
    expect(providers.find('mine')).toBeUndefined()
    expect(providers.revision).toBeGreaterThan(revision)
    expect(removed).toEqual(['mine'])
    await expect(providers.remove('mine', ACTOR)).rejects.toThrow(failing('not_found'))
    await expect(providers.remove('openai', ACTOR)).rejects.toThrow(failing('not_found'))
    expect((await collect(kit.audit.export())).map(({ event }) => event)).toEqual([
      'provider.added',
      'provider.removed',
    ])
  })

  it.each(['openai', 'ollama-cloud', 'zhipu'])('cannot take the name of the built-in %s', async (name) => {
    await expect(providers.add(own({ name }), ACTOR)).rejects.toThrow(failing('conflict'))
  })

  it.each([
    '',
    'A',
    '1a',
    '-a',
    'a b',
    'a/b',
    'a\n',
    'x'.repeat(33),
    'chat',
    'responses',
    'models',
    'fine_tuning',
    '__proto__',
  ])('cannot be named %j', async (name) => {
    await expect(providers.add(own({ name }), ACTOR)).rejects.toThrow(failing('invalid_request'))
  })

  it.each<[string, Partial<OwnProvider>]>([
    ['plain HTTP', { url: 'http://llm.example.com/v1' }],
    ['a private address', { url: 'https://10.0.0.7/v1' }],
    ['loopback', { url: 'https://127.0.0.1/v1' }],
    ['loopback in IPv6', { url: 'https://[::1]/v1' }],
    ['the metadata address', { url: 'https://169.254.169.254/' }],
    ['a mapped address', { url: 'https://[::ffff:10.0.0.1]/' }],
    ['this machine by name', { url: 'https://localhost:8000' }],
  ])('may not be at %s unless they are private', async (_what, change) => {
    await expect(providers.add(own(change), ACTOR)).rejects.toThrow(failing('invalid_request'))
    expect((await providers.add(own({ ...change, private: true }), ACTOR)).private).toBe(true)
  })

  it.each([
    '',
    'llm.example.com',
    'ftp://llm.example.com',
    'https://',
    'https://user@llm.example.com/v1',
    'https://user:pass@llm.example.com',
    'https://llm.example.com/v1?x=1',
    'https://llm.example.com/v1#x',
    'https://llm.example.com?x',
    'https://*.example.com',
    'https://llm.example.com:0',
    'https://llm.example.com:65536',
    'https://llm.example.com\\v1',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://127.1/',
    'https://llm.example.com/a/../b',
    'https://llm.example.com/%2e%2e/b',
    'https://llm.example.com//v1',
    'https://llm.example.com/v1//',
    'https://llm.example.com/a b',
    'https://llm.example.com /v1',
    ' https://llm.example.com/v1',
    'https://llm.example.com/v1\n',
    'https://exämple.com',
  ])('are not at %j', async (url) => {
    await expect(providers.add(own({ url, private: true }), ACTOR)).rejects.toThrow(
      failing('invalid_request'),
    )
    expect(inDatabase(dir, (db) => db.prepare('SELECT count(*) FROM providers').pluck().get())).toBe(0)
  })

  it.each([
    ...['', 'X-Key', 'host', 'content-length', 'transfer-encoding', 'connection', 'a b', 'x:y', 'x\n'],
    ...['content-encoding', 'content-type', 'cookie', 'expect', 'keep-alive', 'proxy-authorization'],
    ...['proxy-connection', 'te', 'trailer', 'upgrade'],
  ])('do not take their key in a header %j', async (name) => {
    await expect(providers.add(own({ auth: { kind: 'header', name } }), ACTOR)).rejects.toThrow(
      failing('invalid_request'),
    )
  })
})
