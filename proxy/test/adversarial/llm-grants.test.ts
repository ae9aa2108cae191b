/** A grant covers what its card showed: one group of endpoints, the models it names at any depth, and what is the agent's own. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { json } from '../support/vendor-answers.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const NOW = { prefer: 'wait=0' }

let kit: LlmKit
let serial = 0
beforeAll(async () => {
  kit = await createLlmKit()
  for (const vendor of ['openai', 'google', 'anthropic', 'openrouter'] as const) await kit.addKey(vendor)
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => {
  kit.vendors.clearPlays()
  expect(kit.vendors.faults.splice(0)).toEqual([])
})

const calls = (): number => kit.vendors.calls.length
const newAgent = async (tags: string[] = []): Promise<{ agent: string; token: string }> => {
  const agent = `reader-${++serial}x`
  return { agent, token: await kit.addAgent(agent, tags) }
}
interface Ask {
  readonly id: string
  readonly agent: string
  readonly group: string
  readonly consent_hash: string
  readonly card: { readonly gives: string; readonly notes: readonly string[] }
}
const asksOf = async (agent: string): Promise<Ask[]> =>
  (await kit.admin('GET', '/v1/asks')).asks.filter((ask: Ask) => ask.agent === agent)
const approve = async (agent: string): Promise<void> => {
  for (const { id, consent_hash } of await asksOf(agent)) {
    await kit.admin('POST', `/v1/asks/${id}/decision`, { decision: 'always', consent_hash })
  }
}
/** An agent whose card for a chat was granted for ever. */
const withChatCard = async (provider = 'openai', path = CHAT): Promise<{ agent: string; token: string }> => {
  const one = await newAgent()
  await kit.ask(path, { token: one.token, body: chatBody(), headers: NOW })
  await approve(one.agent)
  expect((await asksOf(one.agent)).length, provider).toBe(0)
  return one
}

describe('a card that showed a chat', () => {
  it('gives chats, embeddings and the list of models', async () => {
    const { token } = await withChatCard()
    expect((await kit.ask(CHAT, { token, body: chatBody() })).status).toBe(200)
    const embedded = { model: 'gpt-demo', input: 'x' }
    expect((await kit.ask('/llm/openai/v1/embeddings', { token, body: embedded })).status).toBe(200)
    expect((await kit.ask('/llm/openai/v1/models', { token })).status).toBe(200)
    expect((await kit.ask('/v1/models', { token })).json.data).not.toEqual([])
  })

  it.each<[string, string, string, unknown]>([
    ['files', 'GET', '/llm/openai/v1/files', undefined],
    ['files', 'DELETE', '/llm/openai/v1/files/file-1', undefined],
    ['files', 'GET', '/llm/openai/v1/files/file-1/content', undefined],
    ['files', 'POST', '/llm/openai/v1/uploads', {}],
    ['files', 'DELETE', '/llm/openai/v1/%66iles/file-1', undefined],
    ['files', 'DELETE', '/llm/openai/FILES/file-1', undefined],
    ['batches', 'POST', '/llm/openai/v1/batches', { input_file_id: 'file-1' }],
    ['fine_tuning', 'POST', '/llm/openai/v1/fine_tuning/jobs', { model: 'gpt-demo', training_file: 'f' }],
    ['fine_tuning', 'DELETE', '/llm/openai/v1/models/ft:gpt-demo', undefined],
    ['stored', 'GET', '/llm/openai/v1/responses/resp_1', undefined],
    ['stored', 'DELETE', '/llm/openai/v1/responses/resp_1', undefined],
    ['stored', 'POST', '/llm/openai/v1/responses/resp_1/cancel', {}],
    ['stored', 'GET', '/llm/openai/v1/chat/completions', undefined],
    ['stored', 'POST', '/llm/openai/v1/threads', {}],
    ['stored', 'GET', '/llm/openai/v1/vector_stores', undefined],
    ['realtime', 'POST', '/llm/openai/v1/realtime/client_secrets', { session: { model: 'gpt-demo' } }],
    ['realtime', 'POST', '/llm/openai/v1/realtime/sessions', { model: 'gpt-demo' }],
    ['deferred', 'POST', '/llm/openai/v1/videos', { model: 'gpt-demo', prompt: 'x' }],
    ['deferred', 'POST', '/llm/openai/v1/responses', { model: 'gpt-demo', input: 'x', background: true }],
    ['deferred', 'POST', '/llm/openai/v1/chat/completions', chatBody({ deferred: true })],
  ])('does not give %s: %s %s', async (group, method, path, body) => {
    const { agent, token } = await withChatCard()
    const before = calls()
    const answer = await kit.ask(path, { method, token, body, headers: NOW })
    expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([403, 'approval_pending'])
    expect(answer.text).toContain(` for ${group}`)
    expect(calls()).toBe(before)
    const [ask, ...others] = await asksOf(agent)
    expect(others).toEqual([])
    expect(ask?.group).toBe(group)
    const { card } = await kit.admin('GET', `/v1/asks/${ask?.id}`)
    expect(card.gives).toMatch(new RegExp(`^${group}: .*openai`))
  })

  it.each([
    ['POST', '/llm/openai/v1/organization/admin_api_keys'],
    ['GET', '/llm/openai/v1/organization/users'],
    ['POST', '/llm/openai/v1/projects/p/api_keys'],
    ['POST', '/llm/openai/v1/something/new'],
    ['PUT', '/llm/openai/v1/something/new'],
    ['OPTIONS', '/llm/openai/v1/models'],
  ])('nor what no card gives: %s %s', async (method, path) => {
    const { agent, token } = await withChatCard()
    const before = calls()
    const answer = await kit.ask(path, {
      method,
      token,
      body: method === 'GET' ? undefined : {},
      headers: NOW,
    })
    expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([403, 'owner_only'])
    expect(answer.text).toContain(`oauth3 grant add ${agent} openai --groups`)
    expect(calls()).toBe(before)
    expect(await asksOf(agent)).toEqual([])
  })

  it('is no other method or path by a header', async () => {
    const { token } = await withChatCard()
    for (const name of ['x-http-method-override', 'X-HTTP-Method', 'x-method-override', 'x-original-url']) {
      const answer = await kit.ask('/llm/openai/v1/models', { token, headers: { [name]: 'DELETE' } })
      expect(answer.status).toBe(200)
      expect(kit.vendors.calls.at(-1)?.headers[name.toLowerCase()]).toBeUndefined()
    }
  })

  it('is one card for a group, and a press gives that group and no other', async () => {
    const { agent, token } = await withChatCard()
    for (const path of ['/llm/openai/v1/files', '/llm/openai/v1/files/file-1']) {
      await kit.ask(path, { token, headers: NOW })
    }
    await kit.ask('/llm/openai/v1/batches', { token, headers: NOW })
    expect((await asksOf(agent)).map(({ group }) => group).toSorted()).toEqual(['batches', 'files'])
    const files = (await asksOf(agent)).find(({ group }) => group === 'files')
    const decided = await kit.admin('POST', `/v1/asks/${files?.id}/decision`, {
      decision: '1h',
      consent_hash: files?.consent_hash,
    })
    expect(decided.grant.groups).toEqual(['files'])
    expect((await asksOf(agent)).map(({ group }) => group)).toEqual(['batches'])
  })

  it('keeps the limits of what was granted before: later work under a limit is refused', async () => {
    const { agent, token } = await newAgent()
    // A key of its own, so that nothing but the limit can stand in the way.
    await kit.admin('PUT', `/v1/agents/${agent}/tags`, { tags: [agent] })
    await kit.addKey('openai', { tags: [agent] })
    await kit.grant('openai', { agent, limits: { tokens_per_day: 1_000_000 } })
    const video = { method: 'POST', token, body: { model: 'gpt-demo', prompt: 'x' }, headers: NOW }
    await kit.ask('/llm/openai/v1/videos', video)
    await approve(agent)
    const before = calls()
    const answer = await kit.ask('/llm/openai/v1/videos', video)
    expect(answer.headers.get('x-oauth3-error')).toBe('unmetered')
    expect(calls()).toBe(before)
  })
})

describe('agents that share a key', () => {
  const KEPT = ['inference', 'files', 'stored', 'batches', 'realtime', 'deferred']
  const referring: [string, string, unknown][] = [
    ['an earlier answer', '/llm/openai/v1/responses', { input: 'x', previous_response_id: 'resp_1' }],
    ['a conversation', '/llm/openai/v1/responses', { input: 'x', conversation: { id: 'conv_1' } }],
    ['an item', '/llm/openai/v1/responses', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['a stored prompt', '/llm/openai/v1/responses', { input: 'x', prompt: { id: 'pmpt_1' } }],
    [
      'a file',
      CHAT,
      { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] },
    ],
    [
      'a file, behind escapes',
      CHAT,
      '{"model":"gpt-demo","messages":[{"content":[{"file":{"\\u0066ile_id":"file-1"}}]}]}',
    ],
    [
      'vector stores',
      '/llm/openai/v1/responses',
      { input: 'x', tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] },
    ],
    [
      'a container',
      '/llm/openai/v1/responses',
      { input: 'x', tools: [{ type: 'code_interpreter', container: 'cntr_1' }] },
    ],
    [
      'a voice of the account',
      CHAT,
      { modalities: ['text', 'audio'], audio: { format: 'wav', voice: { id: 'voice_1' } }, messages: [] },
    ],
    ['a voice that reads', '/llm/openai/v1/audio/speech', { input: 'x', voice: { id: 'voice_1' } }],
    ['a voice by its id alone', '/llm/openai/v1/audio/speech', { input: 'x', voice: 'voice_1' }],
    [
      'a cache',
      '/llm/google/v1beta/models/gemini-demo:generateContent',
      { contents: [], cachedContent: 'c/1' },
    ],
  ]

  /** Two agents that may use the same keys, for everything that a card gives. */
  const pair = async (): Promise<{ one: string; two: string }> => {
    const [one, two] = [await newAgent(), await newAgent()]
    for (const { agent } of [one, two]) {
      for (const provider of ['openai', 'google']) await kit.grant(provider, { agent, groups: KEPT })
    }
    return { one: one.token, two: two.token }
  }

  it.each<[string, string, unknown]>([
    ['GET', '/llm/openai/v1/files', undefined],
    ['POST', '/llm/openai/v1/files', {}],
    ['DELETE', '/llm/openai/v1/files/file-1', undefined],
    ['GET', '/llm/openai/v1/responses/resp_1', undefined],
    ['GET', '/llm/openai/v1/batches', undefined],
    ['GET', '/llm/openai/v1/videos/v_1/content', undefined],
    ['POST', '/llm/google/v1beta/cachedContents', {}],
  ])('do not reach what is kept there: %s %s', async (method, path, body) => {
    const { one, two } = await pair()
    const before = calls()
    for (const token of [one, two]) {
      const answer = await kit.ask(path, { method, token, body, headers: NOW })
      expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([403, 'shared_key'])
      expect(answer.text).toContain('oauth3 key add')
    }
    expect(calls()).toBe(before)
  })

  it.each(referring)('do not speak of %s of each other', async (_what, path, body) => {
    const { one } = await pair()
    const before = calls()
    const sent = typeof body === 'string' ? body : { model: 'gpt-demo', ...(body as object) }
    const answer = await kit.ask(path, { token: one, body: sent, headers: NOW })
    expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([403, 'shared_key'])
    expect(calls()).toBe(before)
  })

  it('nor in a body that is not read', async () => {
    const { one } = await pair()
    const before = calls()
    const answer = await kit.ask('/llm/openai/v1/responses', {
      token: one,
      body: JSON.stringify({ model: 'gpt-demo', input: 'x', previous_response_id: 'resp_1' }),
      headers: { ...NOW, 'content-type': 'text/plain' },
    })
    expect(answer.headers.get('x-oauth3-error')).toBe('shared_key')
    expect(calls()).toBe(before)
  })

  it('chat as before', async () => {
    const { one, two } = await pair()
    for (const token of [one, two]) {
      expect((await kit.ask(CHAT, { token, body: chatBody({ store: true }) })).status).toBe(200)
      const items = [{ role: 'user', content: 'x' }]
      const responses = { token, body: { model: 'gpt-demo', input: items } }
      expect((await kit.ask('/llm/openai/v1/responses', responses)).status).toBe(200)
    }
  })

  it('reach what is kept with a key of their own, which is taken for that before any other', async () => {
    const tag = `own-${++serial}`
    const { agent, token } = await newAgent([tag])
    const { value } = await kit.addKey('openai', { tags: [tag] })
    await pair()
    await kit.grant('openai', { agent, groups: KEPT })
    expect((await kit.ask('/llm/openai/v1/files/file-1', { token })).status).toBe(200)
    expect(kit.vendors.calls.at(-1)?.key).toBe(value)
    const body = { model: 'gpt-demo', input: 'x', previous_response_id: 'resp_1' }
    expect((await kit.ask('/llm/openai/v1/responses', { token, body })).status).toBe(200)
    expect(kit.vendors.calls.at(-1)?.key).toBe(value)
  })

  it('are kept apart from what a former agent left under a key, and by a grant that comes later', async () => {
    const tag = `later-${++serial}`
    const [one, two] = [await newAgent([tag]), await newAgent([tag])]
    await kit.addKey('mistral', { tags: [tag] })
    const read = async (token: string): Promise<string | null> => {
      kit.vendors.next('mistral', json({ data: [] }))
      return (await kit.ask('/llm/mistral/v1/files', { token, headers: NOW })).headers.get('x-oauth3-error')
    }
    await kit.grant('mistral', { agent: one.agent, groups: KEPT })
    expect(await read(one.token)).toBeNull()
    // From here on two may use the key as well: one cannot read on, and two cannot begin.
    await kit.grant('mistral', { agent: two.agent, groups: KEPT })
    expect([await read(one.token), await read(two.token)]).toEqual(['shared_key', 'shared_key'])
    await kit.revokeAgent(one.agent)
    expect(await read(two.token)).toBe('shared_key')
  })

  it('notices nothing where there is one agent', async () => {
    const { agent, token } = await newAgent()
    await kit.addKey('anthropic')
    await kit.grant('anthropic', { agent, groups: KEPT })
    kit.vendors.next('anthropic', json({ data: [] }))
    expect((await kit.ask('/llm/anthropic/v1/files', { token })).status).toBe(200)
  })
})

describe('a grant for some models, at every depth', () => {
  const M = { messages: [] }
  it.each<[string, Record<string, unknown>, Record<string, string>?]>([
    ["a tool's model", { tools: [{ type: 'image_generation', model: 'gpt-dear' }] }],
    ['a tool that takes one of its own', { tools: [{ type: 'image_generation' }] }],
    ['fallbacks', { fallbacks: [{ model: 'gpt-dear' }] }],
    ['fallbacks as names', { fallback_models: ['gpt-dear'] }],
    ['fallbacks by model', { fallbacks: [{ 'gpt-demo': ['gpt-dear'] }] }],
    ["a gateway's options", { providerOptions: { gateway: { models: ['gpt-dear'] } } }],
    ['a plugin', { plugins: [{ id: 'web', model: 'gpt-dear' }] }],
    ['a session', { session: { model: 'gpt-dear' } }],
    ['a transcription', { input_audio_transcription: { model: 'gpt-dear' } }],
    ['a response', { response: { model: 'gpt-dear' } }],
    ['options far down', { a: { b: [{ c: { model: 'gpt-dear' } }] } }],
    ['a name in other letters', { extra: { MODEL: 'gpt-dear' } }],
    ['a preset', { preset: 'dear' }],
    ['an agent', { agent_id: 'ag_1' }],
    ['a header', {}, { 'x-model': 'gpt-dear' }],
    ["a gateway's header", {}, { 'cf-aig-step': '1' }],
    ['Helicone', {}, { 'helicone-fallbacks': '[]' }],
  ])('does not give %s', async (_what, more, headers = {}) => {
    const { agent, token } = await newAgent()
    await kit.grant('openai', { agent, modelsAllowed: ['gpt-demo'] })
    const before = calls()
    const answer = await kit.ask(CHAT, {
      token,
      body: { model: 'gpt-demo', ...M, ...more },
      headers: { ...NOW, ...headers },
    })
    expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([403, 'approval_pending'])
    expect(calls()).toBe(before)
  })

  it.each(['openrouter/auto', 'gpt-demo@preset/dear', '@preset/dear'])(
    'does not give a name that stands for any model: %s',
    async (model) => {
      const { agent, token } = await newAgent()
      await kit.grant('openrouter', { agent, modelsAllowed: [model, 'gpt-demo*'] })
      const before = calls()
      const answer = await kit.ask('/llm/openrouter/api/v1/chat/completions', {
        token,
        body: { model, ...M },
        headers: NOW,
      })
      expect(answer.headers.get('x-oauth3-error')).toBe('approval_pending')
      expect(calls()).toBe(before)
    },
  )

  it('does not give by a name in front what stands deeper', async () => {
    const { agent, token } = await newAgent()
    await kit.grant('openai', { agent, modelsAllowed: ['gpt-demo'] })
    const body = { model: 'openai/gpt-demo', ...M, fallbacks: ['gpt-dear'] }
    const before = calls()
    const answer = await kit.ask('/v1/chat/completions', { token, body, headers: NOW })
    expect(answer.headers.get('x-oauth3-error')).toBe('approval_pending')
    expect(calls()).toBe(before)
    expect((await kit.ask('/v1/chat/completions', { token, body: { ...body, fallbacks: [] } })).status).toBe(
      200,
    )
  })

  it('holds for a key that is for some models as well', async () => {
    const tag = `small-${++serial}`
    const { agent, token } = await newAgent([tag])
    await kit.addKey('cohere', { tags: [tag], models: ['gpt-demo'] })
    await kit.grant('cohere', { agent })
    const before = calls()
    const answer = await kit.ask('/llm/cohere/v2/chat', {
      token,
      body: { model: 'gpt-demo', ...M, fallbacks: ['gpt-dear'] },
      headers: NOW,
    })
    expect(answer.headers.get('x-oauth3-error')).toBe('no_key')
    expect(calls()).toBe(before)
  })

  it('does not stumble over what is said, and over schemas', async () => {
    const { agent, token } = await newAgent()
    await kit.grant('openai', { agent, modelsAllowed: ['gpt-demo'] })
    const schema = { type: 'object', properties: { model: { type: 'string' }, fallbacks: {} } }
    const body = chatBody({
      messages: [
        { role: 'user', content: [{ type: 'text', text: '{"model":"gpt-dear"}' }] },
        {
          role: 'assistant',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"model":"x"}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'x', model: 'car' },
      ],
      tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    })
    expect((await kit.ask(CHAT, { token, body })).status).toBe(200)
  })
})
