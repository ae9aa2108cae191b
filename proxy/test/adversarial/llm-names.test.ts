/** Names of models with slashes in a segment of the path: byte for byte to the vendor, and one reading for grants, groups and limits. */
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { json } from '../support/vendor-answers.ts'

const ARN = 'arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fabc'
const ARN_NAME = decodeURIComponent(ARN)
const CONVERSE = {
  messages: [{ role: 'user', content: [{ text: 'hello' }] }],
  inferenceConfig: { maxTokens: 9 },
}

let kit: LlmKit
let serial = 0
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.admin('PUT', '/v1/providers/bedrock/params/region', { value: 'us-east-1' })
  await kit.addKey('openai')
  await kit.addKey('bedrock')
  await kit.addKey('anthropic')
})
afterAll(() => kit?.[Symbol.asyncDispose]())

async function granted(provider: string, more: Parameters<LlmKit['grant']>[1] = {}): Promise<string> {
  serial += 1
  const agent = `agent-${serial}`
  const token = await kit.addAgent(agent)
  await kit.grant(provider, { agent, ...more })
  return token
}
const model = (id: string) => json({ id, object: 'model', created: 1_790_000_000, owned_by: 'demo' })
const NO_WAIT = { prefer: 'wait=0' }

describe('a name with a slash in its segment', () => {
  it('passes byte for byte, as the SDK of OpenAI sends it', async () => {
    const token = await granted('openai')
    kit.vendors.next('openai', model('lab/gpt-a'))
    const client = new OpenAI({ apiKey: token, baseURL: kit.base('openai', '/v1'), maxRetries: 0 })
    expect((await client.models.retrieve('lab/gpt-a')).id).toBe('lab/gpt-a')
    expect(kit.vendors.callsTo('openai').at(-1)?.url).toBe('/v1/models/lab%2Fgpt-a')
  })

  it('of Bedrock passes byte for byte, and is in the usage by its name', async () => {
    const token = await granted('bedrock')
    const answer = await kit.ask(`/llm/bedrock/model/${ARN}/converse`, { token, body: CONVERSE })
    expect(answer.status).toBe(200)
    expect(kit.vendors.callsTo('bedrock').at(-1)?.url).toBe(`/model/${ARN}/converse`)
    expect((await kit.usageOf(ARN_NAME, 1)).output_tokens).toBeGreaterThan(0)
  })

  it('is covered by a grant for that name, and by no grant for another', async () => {
    const token = await granted('bedrock', { modelsAllowed: [ARN_NAME] })
    const ask = (segment: string) =>
      kit.ask(`/llm/bedrock/model/${segment}/converse`, { token, body: CONVERSE, headers: NO_WAIT })
    expect((await ask(ARN)).status).toBe(200)
    expect((await ask(ARN.replace('%2F', '%2f').replaceAll('%3A', ':'))).status).toBe(200)
    for (const other of [`${ARN}d`, `x%2F${ARN}`, ARN.replace('%2F', '%252F'), ARN.slice(0, -6)]) {
      const answer = await ask(other)
      expect([other, answer.status === 200]).toEqual([other, false])
    }
  })

  it.each([
    '/llm/openai/v1%2Fmodels/x',
    '/llm/openai/v1/models/a%2F..%2F..%2Ffiles',
    '/llm/openai/v1/models/a%252Fb',
    '/llm/openai/v1/chat%2Fcompletions',
    '/llm/openai%2Fv1/models/x',
    '/v1/models/openai%2F..%2Fx',
  ])('is refused where it could be read as another path: %s', async (path) => {
    const token = await granted('openai')
    const before = kit.vendors.calls.length
    const answer = await kit.ask(path, { token, headers: NO_WAIT })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(kit.vendors.calls.length).toBe(before)
  })

  it.each(['/llm/lab/api/models/x%2Fpredictions', '/llm/lab/v1/models/a%2Fb%2Fpredictions'])(
    'is of no known group where a server that decodes it would do something else: POST %s',
    async (path) => {
      await kit.admin('POST', '/v1/providers', { name: 'lab', url: 'https://ollama.com' }).catch(() => {})
      const token = await granted('lab', { groups: ['inference', 'models'] })
      const answer = await kit.ask(path, { token, body: {}, headers: NO_WAIT })
      expect(answer.headers.get('x-oauth3-error')).toBe('owner_only')
    },
  )
})

describe('the models of all providers', () => {
  it('are asked about one by one under the names of their list', async () => {
    const token = await granted('openai')
    for (const path of [
      '/v1/models/openai%2Fgpt-demo',
      '/v1/models/openai/gpt-demo',
      '/v1/models/gpt-demo',
    ]) {
      kit.vendors.next('openai', model('gpt-demo'))
      const answer = await kit.ask(path, { token })
      expect([path, answer.status, answer.json.id]).toEqual([path, 200, 'gpt-demo'])
      expect(kit.vendors.callsTo('openai').at(-1)?.url).toBe('/v1/models/gpt-demo')
    }
  })

  it('have the time of their making, and 0 where their provider does not tell it', async () => {
    serial += 1
    const agent = `agent-${serial}`
    const token = await kit.addAgent(agent)
    for (const provider of ['openai', 'anthropic', 'bedrock']) await kit.grant(provider, { agent })
    kit.vendors.next(
      'anthropic',
      json({ data: [{ type: 'model', id: 'claude-demo', created_at: '2026-05-14T00:00:00Z' }] }),
    )
    kit.vendors.next('bedrock', json({ models: [{ name: 'models/plain' }] }))
    const { json: list } = await kit.ask('/v1/models', { token })
    const created = Object.fromEntries(
      list.data.map((one: { id: string; created: unknown }) => [one.id, one.created]),
    )
    expect(created).toMatchObject({
      'openai/gpt-demo': 1_790_000_000,
      'anthropic/claude-demo': 1_778_716_800,
      'bedrock/plain': 0,
    })
  })
})
