import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { EgressDial } from '../../egress/index.ts'
import { SecretValue } from '../../kernel/index.ts'
import type { Provider } from '../providers/index.ts'
import { createKeyCheck } from './key-check.ts'

const GOOD = 'demo-good-key-0001'
/** What the vendor answers: a good key, and any other. */
let answers: { good: number | 'nothing'; other: number }
const asked: { path: string | undefined; key: string | undefined }[] = []
const server = createServer((request, response) => {
  const key = request.headers.authorization?.replace('Bearer ', '')
  asked.push({ path: request.url, key })
  const status = key === GOOD ? answers.good : answers.other
  if (status === 'nothing') request.socket.destroy()
  else response.writeHead(status, { location: '/elsewhere' }).end('{}')
})
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => void server.close())
beforeEach(() => {
  answers = { good: 200, other: 401 }
  asked.length = 0
})

let now = 0
const open = () => {
  const { port } = server.address() as AddressInfo
  const provider: Provider = {
    ...{ name: 'poe', scheme: 'http', host: '127.0.0.1', port, roots: ['/v1'], auth: { kind: 'bearer' } },
    ...{ errors: 'openai', models: [], includeUsage: true, reportsCost: false, private: true, own: false },
  }
  return createKeyCheck({
    providers: { find: (name) => (name === 'poe' ? provider : undefined), revision: 1 },
    dial: { dial: async () => connect(port, '127.0.0.1') } as unknown as EgressDial,
    clock: { now: () => now },
  })
}
const check = (key = GOOD, provider = 'poe') => open().check(provider, new SecretValue(key))

it('takes a key that the vendor takes, by a path that needs one, after one that nobody has was refused', async () => {
  expect(await check()).toBe('valid')
  expect(asked.map(({ path }) => path)).toEqual(['/usage/current_balance', '/usage/current_balance'])
  expect(asked[0]?.key).not.toBe(GOOD)
  expect(asked[1]?.key).toBe(GOOD)
})

it('refuses a key that the vendor refuses, and a provider that it does not know', async () => {
  expect(await check('aaaaaaaaaa')).toBe('refused')
  expect(await check(GOOD, 'nowhere')).toBe('refused')
})

it.each([403, 429, 500, 503, 302, 204, 404, 'nothing'] as const)(
  'knows nothing of a key by %s',
  async (good) => {
    answers = { good, other: 401 }
    expect(await check()).toBe('unknown')
  },
)

it.each([200, 403, 429, 500])(
  'takes no key where any other is answered by %s: the path may be public',
  async (other) => {
    answers = { good: 200, other }
    expect(await check()).toBe('unknown')
    expect(await check('aaaaaaaaaa')).toBe('unknown')
    expect(asked.map(({ key }) => key)).not.toContain(GOOD)
  },
)

it('asks once an hour whether the path needs a key', async () => {
  const checks = open()
  for (let at = 0; at < 3; at += 1) await checks.check('poe', new SecretValue(GOOD))
  expect(asked).toHaveLength(4)
  now += 3_600_001
  await checks.check('poe', new SecretValue(GOOD))
  expect(asked).toHaveLength(6)
})
