import { describe, expect, it } from 'vitest'
import { parsedHost } from './compiled-capability.ts'
import { createLoopbackNames } from './loopback-names.ts'

const namesOf = (...network: string[]) =>
  createLoopbackNames({ policy: { network: network.map(parsedHost) } })

describe('the names of a run as addresses of loopback', () => {
  it('are one address a name, whatever its ports, and each address is that name', () => {
    const names = namesOf('api.demo.test', 'http://api.demo.test', 'api.demo.test:8443', 'other.demo.test')
    expect(names.addressOf('api.demo.test')).toEqual({ kind: 'approved', address: '127.64.0.1' })
    expect(names.addressOf('other.demo.test')).toEqual({ kind: 'approved', address: '127.64.0.2' })
    expect(names.nameAt('127.64.0.1')).toBe('api.demo.test')
    expect(names.nameAt('127.64.0.2')).toBe('other.demo.test')
    expect(names.nameAt('127.64.0.3')).toBeUndefined()
  })

  it('are the same in any case and with the dot of the root', () => {
    const names = namesOf('api.demo.test')
    expect(names.addressOf('API.Demo.test.')).toEqual(names.addressOf('api.demo.test'))
  })

  it.each([
    'demo.test',
    'x.api.demo.test',
    'api.demo.test.evil.test',
    'evil-api.demo.test',
    '',
    '.',
    'api..demo.test',
    'api.demo.test..',
    'a b.test',
    'api.demo.test:443',
    'user@api.demo.test',
    '*.demo.test',
    '127.0.0.1',
  ])('are not given to %j', (name) => {
    expect(namesOf('api.demo.test').addressOf(name)).toEqual({ kind: 'not_approved' })
  })

  it('are given below a wildcard, and not to the suffix itself', () => {
    const names = namesOf('*.wild.test')
    expect(names.addressOf('a.b.wild.test')).toEqual({ kind: 'approved', address: '127.64.0.1' })
    expect(names.nameAt('127.64.0.1')).toBe('a.b.wild.test')
    for (const name of ['wild.test', 'evilwild.test', 'a.wild.test.evil.test'])
      expect(names.addressOf(name)).toEqual({ kind: 'not_approved' })
  })

  it('have an end below wildcards, which takes no address from a name that was approved by itself', () => {
    const names = namesOf('*.wild.test', 'api.demo.test')
    const answers = Array.from({ length: 1_100 }, (_, at) => names.addressOf(`n${at}.wild.test`))
    expect(answers.filter(({ kind }) => kind === 'approved')).toHaveLength(1_023)
    expect(answers.at(-1)).toEqual({ kind: 'exhausted' })
    expect(names.addressOf('n0.wild.test')).toMatchObject({ kind: 'approved' })
    expect(names.addressOf('api.demo.test')).toMatchObject({ kind: 'approved' })
    const addresses = answers.flatMap((answer) => (answer.kind === 'approved' ? [answer.address] : []))
    expect(new Set(addresses).size).toBe(1_023)
    for (const address of addresses) expect(address).toMatch(/^127\.64\.[0-4]\.\d{1,3}$/)
  })

  it('leave an address alone that was approved by itself', () => {
    const names = namesOf('127.64.0.1:8080', 'api.demo.test')
    expect(names.addressOf('api.demo.test')).toEqual({ kind: 'approved', address: '127.64.0.2' })
    expect(names.nameAt('127.64.0.1')).toBeUndefined()
  })

  it("are the sandbox itself for the machine's own name, unless that was approved as a host", () => {
    for (const name of ['sandbox', 'Sandbox.'])
      expect(namesOf('api.demo.test').addressOf(name)).toEqual({ kind: 'approved', address: '127.0.0.1' })
    expect(namesOf('sandbox').addressOf('sandbox')).toEqual({ kind: 'approved', address: '127.64.0.1' })
  })

  it('are the sandbox itself for localhost, whatever was approved', () => {
    for (const name of ['localhost', 'LOCALHOST.', 'a.localhost'])
      expect(namesOf('*.a.localhost').addressOf(name)).toEqual({ kind: 'approved', address: '127.0.0.1' })
  })
})

describe('names of what is approved while the run goes on', () => {
  it('have an address while they are, keep it, and it is nobody else’s', () => {
    const session = { policy: { network: [] as ReturnType<typeof parsedHost>[] } }
    const names = createLoopbackNames(session)
    expect(names.addressOf('late.demo.test')).toEqual({ kind: 'not_approved' })
    session.policy = { network: [parsedHost('late.demo.test')] }
    expect(names.addressOf('late.demo.test')).toEqual({ kind: 'approved', address: '127.64.0.1' })
    session.policy = { network: [parsedHost('other.demo.test')] }
    expect(names.addressOf('late.demo.test')).toEqual({ kind: 'not_approved' })
    expect(names.addressOf('other.demo.test')).toEqual({ kind: 'approved', address: '127.64.0.2' })
    session.policy = { network: [parsedHost('late.demo.test')] }
    expect(names.addressOf('late.demo.test')).toEqual({ kind: 'approved', address: '127.64.0.1' })
  })
})
