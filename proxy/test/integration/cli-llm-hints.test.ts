/** What a command for language models says of what is still missing, so that nobody finds it out by a refused request. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { type CliRun, runCliHere } from '../support/run-cli.ts'

let kit: AdminKit
const oauth3 = (args: readonly string[], stdin?: string): Promise<CliRun> =>
  runCliHere(args, {
    env: { OAUTH3_SOCKET: kit.socketPath },
    ...(stdin === undefined ? {} : { stdin }),
  })
beforeAll(async () => {
  kit = await startAdminKit()
})
afterAll(() => kit[Symbol.asyncDispose]())

test('a grant for a provider without a key says that nothing goes out yet, and which command helps', async () => {
  const given = await oauth3(['grant', 'add', 'clawd', 'openai'])
  expect(given.code).toBe(0)
  expect(given.stdout).toContain('oauth3 key add openai')
  const [grant] = kit.access.grants()
  expect((await oauth3(['grant', 'limit', String(grant?.id), '--rpm', '5'])).stdout).toContain(
    'oauth3 key add openai',
  )
  await oauth3(['key', 'add', 'openai', '--tag', 'work'], 'demo-key-for-work')
  const tagged = (await oauth3(['grant', 'add', 'clawd', 'openai'])).stdout
  expect(tagged).toMatch(/has a tag that clawd lacks.*oauth3 agent tag clawd/)
  await oauth3(['key', 'add', 'openai'], 'demo-key-for-all')
  expect((await oauth3(['grant', 'add', 'clawd', 'openai'])).stdout).not.toContain('nothing goes out')
  const json = JSON.parse((await oauth3(['--json', 'grant', 'add', 'clawd', 'anthropic'])).stdout)
  expect(json).toMatchObject({ key: 'none', missing_params: [] })
})

test('a grant says which parameter its provider misses, and asks for no key where none is taken', async () => {
  await oauth3(['key', 'add', 'azure'], 'demo-key-for-azure')
  expect((await oauth3(['grant', 'add', 'clawd', 'azure'])).stdout).toContain(
    'oauth3 provider set azure resource=',
  )
  await oauth3('provider add local --url http://10.0.0.7:8000/v1 --auth none --private'.split(' '))
  expect((await oauth3(['grant', 'add', 'clawd', 'local'])).stdout).not.toContain('key add')
})

test('an ask that is approved says the same', async () => {
  const use = { provider: 'groq', model: 'm', group: 'inference' } as const
  const ask = await kit.access.ask({ agentId: kit.agent.id, ...use, path: '/v1/chat/completions' })
  expect((await oauth3(['approve', ask.id, '--24h', '--yes'])).stdout).toContain('oauth3 key add groq')
})

test('a parameter that a provider does not have is answered with those that it has', async () => {
  const azure = await oauth3(['provider', 'set', 'azure', 'foo=bar'])
  expect(azure.code).toBe(4)
  expect(azure.stderr).toContain('azure takes resource, url, include_usage')
  await oauth3('provider add mine --url https://llm.example.com/v1'.split(' '))
  expect((await oauth3(['provider', 'set', 'mine', 'url=https://x.example.com'])).stderr).toContain(
    'mine takes include_usage',
  )
  expect((await oauth3(['provider', 'set', 'nobody', 'foo=bar'])).stderr).toMatch(/no provider nobody/i)
})

test('a price names sound, images and what is charged by the piece', async () => {
  const prices = 'price set openai gpt-own --input 1 --output 2 --audio-input 10 --image-output 40'.split(' ')
  const set = await oauth3([...prices, '--item', 'image=0.007', '--item', 'web_search=0.01'])
  expect(set.code).toBe(0)
  expect(set.stdout).toContain('image $0.007')
  const { prices: all } = JSON.parse((await oauth3(['--json', 'price', 'list', 'openai'])).stdout)
  expect(all[0]).toMatchObject({
    ...{ model: 'gpt-own', audio_input: 10_000_000, image_output: 40_000_000, own: true },
    items: { image: 7_000, web_search: 10_000 },
  })
  for (const wrong of ['image', 'image=', 'image=-1', 'unicorn=1'])
    expect((await oauth3([...prices, '--item', wrong])).code).toBe(2)
  expect((await oauth3([...prices, '--item', 'unicorn=1'])).stderr).toMatch(/web_search.*image/)
})
