import { argon2 } from 'node:crypto'
import { beforeEach, expect, it, vi } from 'vitest'
import { SecretValue } from '../../kernel/index.ts'
import { createPasswords } from './passwords.ts'

vi.mock('node:crypto', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:crypto')>()
  return { ...real, argon2: vi.fn(real.argon2) }
})
const derived = vi.mocked(argon2)
beforeEach(() => void derived.mockClear())

const passwords = createPasswords()
const secret = (text: string) => new SecretValue(text)
const owner = { network: '192.0.2.1', email: 'ann@example.com' }

it('are kept as Argon2id with what OWASP asks for, salted, and match in every form of the same letters', async () => {
  const [first, second] = [
    await passwords.hash(secret('pässword'), owner),
    await passwords.hash(secret('pässword'), owner),
  ]
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  expect(second).not.toBe(first)
  expect(await passwords.matches(secret('pa\u0308ssword'), first, 'n')).toBe(true)
  expect(await passwords.matches(secret('passwort'), first, 'n')).toBe(false)
})

it('cost the same work where there is nobody', async () => {
  const hash = await passwords.hash(secret('a battery, a staple'), owner)
  derived.mockClear()
  await passwords.matches(secret('another one'), hash, 'n')
  expect(await passwords.matches(secret('another one'), null, 'n')).toBe(false)
  const cost = derived.mock.calls.map(([, { memory, passes, parallelism }]) => [memory, passes, parallelism])
  expect(cost).toEqual([
    [19_456, 2, 1],
    [19_456, 2, 1],
  ])
})

it('match by the parameters that they were made with', async () => {
  const old = '$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$'
  derived.mockClear()
  await passwords.matches(secret('whatever'), `${old}${'A'.repeat(43)}`, 'n')
  expect(derived.mock.calls[0]?.[1]).toMatchObject({ memory: 8, passes: 1, parallelism: 1 })
})

it.each(['short', 'aaaaaaaaaaaa', 'ababababab', 'x'.repeat(257), 'Ann@Example.com'])(
  '%j is none',
  async (text) => {
    await expect(passwords.hash(secret(text), owner)).rejects.toMatchObject({ code: 'invalid_request' })
    expect(derived).not.toHaveBeenCalled()
  },
)

it('of one network wait for each other, and are refused when too many do; others take their turn', async () => {
  const many = Array.from({ length: 40 }, () => passwords.matches(secret('guess'), null, '192.0.2.9'))
  const other = passwords.matches(secret('guess'), null, '192.0.2.10')
  const settled = await Promise.allSettled(many)
  const refused = settled.filter((one) => one.status === 'rejected')
  expect(refused.length).toBe(40 - 17)
  expect(refused[0]?.reason).toMatchObject({ code: 'rate_limited' })
  expect(await other).toBe(false)
})
