import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DnsDouble, startDnsDouble } from '../../../test/support/dns-double.ts'
import { createHostsFile } from './hosts-file.ts'
import { createSystemResolver, TooManyLookups } from './resolve.ts'

const SIX = 'fd00:0000:0000:0000:0000:0000:0000:0001'

let dns: DnsDouble
beforeEach(async () => {
  dns = await startDnsDouble({
    'api.example.com': [SIX, '192.0.2.7', '192.0.2.8'],
    'six.example.com': [SIX],
    'gone.example.com': 'nxdomain',
    box: 'nxdomain',
    'printer.local': 'nxdomain',
  })
})
afterEach(() => dns[Symbol.asyncDispose]())

const never = new AbortController().signal
const nowhere = (): readonly string[] => []
const noSystem = (): Promise<never> => Promise.reject(new Error('the system was asked'))
const resolverFor = (options: Parameters<typeof createSystemResolver>[0] = {}) =>
  createSystemResolver({
    servers: [dns.address],
    hosts: nowhere,
    lookupWithSystem: noSystem,
    ...options,
  })

test('A and AAAA are both asked for, and every address of either is found', async () => {
  const resolve = resolverFor()
  expect(await resolve('API.example.com.', never, 'a')).toEqual(['192.0.2.7', '192.0.2.8', 'fd00::1'])
  expect(await resolve('six.example.com', never, 'a')).toEqual(['fd00::1'])
})

test('a name that does not exist is no address, and no thread is asked for it', async () => {
  await expect(resolverFor()('gone.example.com', never, 'a')).rejects.toMatchObject({ code: 'ENOTFOUND' })
})

describe('a name server that says nothing', () => {
  test('holds up its own agent, and no other one', async () => {
    const resolve = resolverFor()
    const leave = new AbortController()
    const hostile = Array.from({ length: 200 }, (_, at) =>
      resolve(`n${at}.silent.example`, leave.signal, 'hostile').then(
        () => 'found',
        (error: unknown) => error,
      ),
    )
    await dns.silentQueries(16)
    expect(await resolve('api.example.com', never, 'other')).toContain('192.0.2.7')
    leave.abort(new Error('gone'))
    const outcomes = await Promise.all(hostile)
    // Eight are asked for, 64 wait, and the rest is told so at once.
    expect(outcomes.filter((one) => one instanceof TooManyLookups)).toHaveLength(128)
    expect(outcomes.filter((one) => one instanceof Error && one.message === 'gone')).toHaveLength(72)
    expect(new Set(dns.asked.filter((name) => name.endsWith('silent.example'))).size).toBe(8)
  })

  test('is left at once by whoever gives up, and the place is free', async () => {
    const resolve = resolverFor()
    const leave = new AbortController()
    const held = Array.from({ length: 8 }, (_, at) =>
      resolve(`n${at}.silent.example`, leave.signal, 'a').catch((error: Error) => error.message),
    )
    await dns.silentQueries(16)
    const waits = resolve('api.example.com', never, 'a')
    leave.abort(new Error('gone'))
    expect(await Promise.all(held)).toEqual(Array(8).fill('gone'))
    expect(await waits).toContain('192.0.2.7')
  })

  test('is given up on in the end', async () => {
    await expect(resolverFor({ timeoutMs: 50 })('a.silent.example', never, 'a')).rejects.toMatchObject({
      name: 'TimeoutError',
    })
  })

  test('leaves no socket and no timer behind', async () => {
    const before = process.getActiveResourcesInfo().length
    const leave = new AbortController()
    const held = resolverFor()('a.silent.example', leave.signal, 'a').catch(() => {})
    await dns.silentQueries(2)
    leave.abort()
    await held
    // Closed sockets are gone with a later turn of the loop.
    await expect.poll(() => process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before)
  })

  test('for AAAA only does not keep what was found for A', async () => {
    await using half = await startDnsDouble({ 'half.example.com': ['192.0.2.9'] }, { silentTypes: [28] })
    const resolve = resolverFor({ servers: [half.address] })
    expect(await resolve('half.example.com', never, 'a')).toEqual(['192.0.2.9'])
  })
})

describe('names that no name server is asked for', () => {
  test('localhost and what is under it are loopback', async () => {
    const resolve = resolverFor()
    for (const name of ['localhost', 'LOCALHOST.', 'a.b.localhost']) {
      expect(await resolve(name, never, 'a')).toEqual(['127.0.0.1', '::1'])
    }
    expect(dns.asked).toEqual([])
  })

  test('the hosts file comes first, and a change of it counts', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'oauth3-hosts-'))
    const path = join(directory, 'hosts')
    writeFileSync(
      path,
      '# 192.0.2.1 no.example\n192.0.2.2\tAPI.example.com alias # x\n192.0.2.3 alias\nbad name\n',
    )
    try {
      const resolve = resolverFor({ hosts: createHostsFile(path, 0) })
      expect(await resolve('api.example.com', never, 'a')).toEqual(['192.0.2.2'])
      expect(await resolve('alias', never, 'a')).toEqual(['192.0.2.2', '192.0.2.3'])
      appendFileSync(path, '192.0.2.4 six.example.com\n')
      expect(await resolve('six.example.com', never, 'a')).toEqual(['192.0.2.4'])
      rmSync(path)
      expect(await resolve('six.example.com', never, 'a')).toEqual(['fd00::1'])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('names that DNS does not know', () => {
  test('of one label or .local are asked of the system', async () => {
    const resolve = resolverFor({ lookupWithSystem: async (host) => [`192.0.2.${host.length}`] })
    expect(await resolve('box', never, 'a')).toEqual(['192.0.2.3'])
    expect(await resolve('printer.local', never, 'a')).toEqual(['192.0.2.13'])
    await expect(resolve('gone.example.com', never, 'a')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })

  test('hold one thread of an agent at most, also when it gave up', async () => {
    const running: string[] = []
    const { promise, resolve: release } = Promise.withResolvers<readonly string[]>()
    const resolve = resolverFor({
      lookupWithSystem: (host) => {
        running.push(host)
        return promise
      },
      servers: [dns.address],
      hosts: nowhere,
    })
    const leave = new AbortController()
    const first = resolve('box', leave.signal, 'hostile').catch((error: Error) => error.message)
    await expect.poll(() => running.length).toBe(1)
    leave.abort(new Error('gone'))
    expect(await first).toBe('gone')
    const second = resolve('box', never, 'hostile')
    const other = resolve('printer.local', never, 'other')
    await expect.poll(() => running).toEqual(['box', 'printer.local'])
    release(['192.0.2.1'])
    expect(await Promise.all([second, other])).toEqual([['192.0.2.1'], ['192.0.2.1']])
  })
})
