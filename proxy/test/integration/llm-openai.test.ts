import { createHash, randomBytes } from 'node:crypto'
import OpenAI, { APIError, AzureOpenAI, toFile } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { json, WORDS } from '../support/vendor-answers.ts'
import { begin, write } from '../support/vendor-doubles.ts'
import { SPEECH } from '../support/vendor-routes.ts'
import { vendorError } from '../support/vendor-rules.ts'

const HELLO = { model: 'gpt-demo', messages: [{ role: 'user' as const, content: 'Say hello.' }] }
const WORD = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'word' } }] })}\n\n`
const TOOLS = [
  {
    type: 'function' as const,
    function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
]

let kit: LlmKit
let key: string
beforeAll(async () => {
  kit = await createLlmKit()
  key = await kit.open('openai', { groups: ['inference', 'files'] })
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const client = (more: Partial<ConstructorParameters<typeof OpenAI>[0]> = {}): OpenAI =>
  new OpenAI({ apiKey: kit.token, baseURL: kit.base('openai', '/v1'), maxRetries: 0, ...more })

describe('the openai SDK through the proxy', () => {
  it('chats, and OpenAI sees its key, the query and headers of the client, and nothing of the token', async () => {
    const answer = await client({
      organization: 'org-demo',
      project: 'proj-demo',
      defaultHeaders: { 'X-Demo': 'kept' },
      defaultQuery: { trace: 'a b&c' },
    }).chat.completions.create(HELLO)
    expect(answer.choices[0]?.message.content).toBe(WORDS.join(''))
    expect(answer.usage?.total_tokens).toBe(29)
    const call = kit.vendors.callsTo('openai').at(-1)
    expect(call?.key).toBe(key)
    expect(call?.url).toBe('/v1/chat/completions?trace=a%20b%26c')
    expect(call?.headers).toMatchObject({
      'openai-organization': 'org-demo',
      'openai-project': 'proj-demo',
      'x-demo': 'kept',
    })
    expect(call?.json).toEqual(HELLO)
  })

  it.each(['/v1', '', '/v1/'])('reaches the same place with the base URL …/llm/openai%s', async (rest) => {
    await client({ baseURL: kit.base('openai', rest) }).chat.completions.create(HELLO)
    expect(kit.vendors.callsTo('openai').at(-1)?.url).toBe('/v1/chat/completions')
  })

  it.each(['/v1/openai', '/v1/openai/v1', '/v1', '/llm/openai/v1'])(
    'reaches OpenAI with the base URL <daemon>%s',
    async (path) => {
      const openai = client({ baseURL: kit.url + path })
      await openai.chat.completions.create({ ...HELLO, model: 'gpt-4o-mini' })
      expect(kit.vendors.callsTo('openai').at(-1)).toMatchObject({
        url: '/v1/chat/completions',
        json: { model: 'gpt-4o-mini' },
      })
    },
  )

  it('takes the prefix of the provider off the model where the base URL names none', async () => {
    const openai = client({ baseURL: `${kit.url}/v1` })
    await openai.chat.completions.create({ ...HELLO, model: 'openai/gpt-demo' })
    expect(kit.vendors.callsTo('openai').at(-1)?.json).toEqual(HELLO)
    await openai.responses.create({ model: 'openai/gpt-demo', input: 'Say hello.' })
    expect(kit.vendors.callsTo('openai').at(-1)).toMatchObject({
      url: '/v1/responses',
      json: { model: 'gpt-demo', input: 'Say hello.' },
    })
  })

  it('streams a chat, with usage only where the client asked for it', async () => {
    const texts: string[] = []
    const stream = await client().chat.completions.create({ ...HELLO, stream: true })
    let chunks = 0
    for await (const chunk of stream) {
      chunks += 1
      texts.push(chunk.choices[0]?.delta.content ?? '')
      expect(chunk.choices).toHaveLength(1)
    }
    expect(texts.join('')).toBe(WORDS.join(''))
    expect(chunks).toBe(WORDS.length + 2)
    const asked = await client().chat.completions.create({
      ...HELLO,
      stream: true,
      stream_options: { include_usage: true },
    })
    let total = 0
    for await (const chunk of asked) total = chunk.usage?.total_tokens ?? total
    expect(total).toBe(29)
  })

  it('calls tools, whole and in a stream', async () => {
    const whole = await client().chat.completions.create({ ...HELLO, tools: TOOLS })
    const call = whole.choices[0]?.message.tool_calls?.[0]
    expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toEqual({ city: 'Zürich' })
    const final = await client()
      .chat.completions.stream({ ...HELLO, tools: TOOLS })
      .finalChatCompletion()
    const streamed = final.choices[0]?.message.tool_calls?.[0]
    expect(streamed?.type === 'function' && JSON.parse(streamed.function.arguments)).toEqual({
      city: 'Zürich',
    })
  })

  it('makes responses, whole and in a stream', async () => {
    const whole = await client().responses.create({ model: 'gpt-demo', input: 'Say hello.' })
    expect(whole.output_text).toBe(WORDS.join(''))
    const types: string[] = []
    let text = ''
    for await (const event of await client().responses.create({
      model: 'gpt-demo',
      input: 'Say hello.',
      stream: true,
    })) {
      types.push(event.type)
      if (event.type === 'response.output_text.delta') text += event.delta
    }
    expect(text).toBe(WORDS.join(''))
    expect(types.at(-1)).toBe('response.completed')
  })

  it('makes embeddings and lists models', async () => {
    const embedded = await client().embeddings.create({ model: 'embed-demo', input: 'hello' })
    expect(embedded.data[0]?.embedding).toEqual([0.25, -0.5, 1])
    const models = await client().models.list()
    expect(models.data.map(({ id }) => id)).toEqual(['gpt-demo', 'gpt-demo-mini'])
    expect(kit.vendors.callsTo('openai').at(-1)).toMatchObject({ method: 'GET', url: '/v1/models' })
  })

  it('uploads files and audio, and takes audio back, byte for byte', async () => {
    const bytes = randomBytes(3_000_000)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const file = await client().files.create({ file: await toFile(bytes, 'täglich.jsonl'), purpose: 'batch' })
    expect(file).toMatchObject({ bytes: bytes.length, id: `file-${sha256.slice(0, 8)}`, purpose: 'batch' })
    const timed = await client().audio.transcriptions.create({
      model: 'whisper-demo',
      file: await toFile(bytes, 'sound.wav'),
    })
    expect(timed.text).toBe(`sound.wav ${sha256}`)
    const spoken = await client().audio.speech.create({ model: 'tts-demo', voice: 'alloy', input: 'hello' })
    expect(spoken.headers.get('content-type')).toBe('audio/mpeg')
    expect(Buffer.from(await spoken.arrayBuffer()).equals(SPEECH)).toBe(true)
  })

  it.each([400, 404, 429, 500, 529])('passes an error %i of OpenAI untouched', async (status) => {
    const body = vendorError('openai', status, `vendor says ${status} ✓`)
    kit.vendors.next(
      'openai',
      json(body, status, { 'retry-after': '7', 'x-request-id': 'req_of_vendor', 'x-ratelimit-reset': '1s' }),
    )
    const error = await client()
      .chat.completions.create(HELLO)
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(APIError)
    const { headers, message, requestID, ...seen } = error as APIError
    expect(seen).toMatchObject({ status, error: (body as { error: unknown }).error })
    expect(message).toContain(`vendor says ${status} ✓`)
    expect(requestID).toBe('req_of_vendor')
    expect(headers?.get('retry-after')).toBe('7')
    expect(headers?.get('x-ratelimit-reset')).toBe('1s')
    expect(headers?.get('x-oauth3-error')).toBeNull()
    if (status === 429) await freshKey()
  })

  it('shows an error of its own with its message in the error of the SDK', async () => {
    const stranger = client({ apiKey: `oa3_${'x'.repeat(43)}` })
    const error = (await stranger.chat.completions
      .create(HELLO)
      .catch((thrown: unknown) => thrown)) as APIError
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(error.message).toMatch(/token/)
    expect(error.code).toBe('unauthenticated')
    expect(error.headers?.get('x-oauth3-error')).toBe('unauthenticated')
    const unset = await client({ apiKey: '{env:OAUTH3_TOKEN}' })
      .chat.completions.create(HELLO)
      .catch((thrown: unknown) => thrown)
    expect((unset as APIError).message).toMatch(/401.*name of a variable/)
    const unknown = client({ baseURL: kit.base('nobody', '/v1') })
    const missing = (await unknown.chat.completions
      .create(HELLO)
      .catch((thrown: unknown) => thrown)) as APIError
    expect(missing.status).toBe(403)
    expect(missing.code).toBe('unknown_provider')
  })

  it('ends the request at OpenAI at once when the client aborts a stream', async () => {
    let produced = 0
    kit.vendors.next('openai', async (call, response) => {
      begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
      while (await write(call, response, WORD)) produced += 1
    })
    const coming = kit.vendors.nextCall('openai')
    const stream = await client().chat.completions.create({ ...HELLO, stream: true })
    let seen = 0
    for await (const _chunk of stream) {
      seen += 1
      if (seen === 3) break
    }
    await (await coming).gone
    const atEnd = produced
    await new Promise((resolve) => setImmediate(resolve))
    expect(produced - atEnd).toBeLessThanOrEqual(1)
  })

  it('ends the request at OpenAI when the client aborts before the first byte', async () => {
    const leave = new AbortController()
    kit.vendors.next('openai', ({ gone }) => gone)
    const coming = kit.vendors.nextCall('openai')
    const asked = client().chat.completions.create(HELLO, { signal: leave.signal })
    const refused = expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError)
    const call = await coming
    leave.abort()
    await refused
    await call.gone
  })

  it('breaks the stream of the client when OpenAI breaks off, so that it never looks whole', async () => {
    kit.vendors.next('openai', async (call, response) => {
      begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
      await write(
        call,
        response,
        `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'half' } }] })}\n\n`,
      )
      response.socket?.destroy()
    })
    let text = ''
    const reading = (async () => {
      for await (const chunk of await client().chat.completions.create({ ...HELLO, stream: true }))
        text += chunk.choices[0]?.delta.content
    })()
    await expect(reading).rejects.toThrow()
    expect(text).toBe('half')
  })
})

describe('AzureOpenAI through the proxy', () => {
  it('keeps deployment and api-version, and the key goes where Azure wants it', async () => {
    const missing = new AzureOpenAI({
      apiKey: kit.token,
      endpoint: kit.base('azure'),
      apiVersion: '2026-05-01',
      maxRetries: 0,
    })
    const unset = (await missing.chat.completions
      .create(HELLO)
      .catch((thrown: unknown) => thrown)) as APIError
    expect(unset.headers?.get('x-oauth3-error')).toBe('provider_not_configured')
    expect(unset.message).toContain('resource')
    await kit.admin('PUT', '/v1/providers/azure/params/resource', { value: 'demo-resource' })
    const azureKey = await kit.open('azure')
    const answer = await missing.chat.completions.create({ ...HELLO, model: 'my-deployment' })
    expect(answer.choices[0]?.message.content).toBe(WORDS.join(''))
    expect(kit.vendors.callsTo('azure').at(-1)).toMatchObject({
      url: '/openai/deployments/my-deployment/chat/completions?api-version=2026-05-01',
      key: azureKey,
    })
    expect(kit.vendors.callsTo('azure').at(-1)?.headers['api-key']).toBe(azureKey)
    let text = ''
    for await (const chunk of await missing.chat.completions.create({ ...HELLO, stream: true }))
      text += chunk.choices[0]?.delta?.content ?? ''
    expect(text).toBe(WORDS.join(''))
    const plain = new OpenAI({ apiKey: kit.token, baseURL: kit.base('azure', '/openai/v1'), maxRetries: 0 })
    await plain.chat.completions.create(HELLO)
    expect(kit.vendors.callsTo('azure').at(-1)?.url).toBe('/openai/v1/chat/completions')
  })
})

/** The key of a 429 is in cooldown; the tests after it take another. */
async function freshKey(): Promise<void> {
  key = (await kit.addKey('openai')).value
}
