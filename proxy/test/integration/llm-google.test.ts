import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { json, WORDS } from '../support/vendor-answers.ts'
import { vendorError } from '../support/vendor-rules.ts'

let kit: LlmKit
let key: string
beforeAll(async () => {
  kit = await createLlmKit()
  key = await kit.open('google')
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const client = (path = '/llm/google', apiKey = kit.token): GoogleGenAI =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl: kit.url + path } })
const HELLO = { model: 'gemini-demo', contents: 'Say hello.' }

describe('the Gemini SDK through the proxy', () => {
  it.each(['/llm/google', '/llm/google/', '/v1/google'])(
    'generates with the base URL <daemon>%s, the key in x-goog-api-key',
    async (path) => {
      const answer = await client(path).models.generateContent(HELLO)
      expect(answer.text).toBe(WORDS.join(''))
      expect(kit.vendors.callsTo('google').at(-1)).toMatchObject({
        url: '/v1/models/gemini-demo:generateContent',
        key,
      })
    },
  )

  it('streams with its query intact', async () => {
    const texts: string[] = []
    let total = 0
    for await (const chunk of await client().models.generateContentStream(HELLO)) {
      texts.push(chunk.text ?? '')
      total = chunk.usageMetadata?.totalTokenCount ?? total
    }
    expect(texts).toEqual(WORDS)
    expect(total).toBe(34)
    expect(kit.vendors.callsTo('google').at(-1)?.url).toBe(
      '/v1/models/gemini-demo:streamGenerateContent?alt=sse',
    )
    const beta = new GoogleGenAI({
      apiKey: kit.token,
      apiVersion: 'v1beta',
      httpOptions: { baseUrl: kit.base('google') },
    })
    for await (const chunk of await beta.models.generateContentStream(HELLO)) void chunk
    expect(kit.vendors.callsTo('google').at(-1)?.url).toBe(
      '/v1beta/models/gemini-demo:streamGenerateContent?alt=sse',
    )
  })

  it('passes tools and embeds', async () => {
    await client().models.generateContent({
      ...HELLO,
      config: {
        tools: [{ functionDeclarations: [{ name: 'weather' }] }],
        toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
      },
    })
    expect(kit.vendors.callsTo('google').at(-1)?.json.tools).toEqual([
      { functionDeclarations: [{ name: 'weather' }] },
    ])
    const embedded = await client().models.embedContent({ model: 'embed-demo', contents: 'hello' })
    expect(embedded.embeddings?.[0]?.values).toEqual([0.25, -0.5, 1])
  })

  it('takes the token as ?key= and passes the rest of the query as it was', async () => {
    const answer = await kit.ask(
      `/llm/google/v1beta/models/gemini-demo:streamGenerateContent?x%24=1&key=${kit.token}&alt=sse&empty=`,
      { token: null, body: { contents: [{ parts: [{ text: 'hello' }] }] } },
    )
    expect(answer.status).toBe(200)
    expect(kit.vendors.callsTo('google').at(-1)?.url).toBe(
      '/v1beta/models/gemini-demo:streamGenerateContent?x%24=1&alt=sse&empty=',
    )
  })

  it('serves its OpenAI form as well', async () => {
    const openai = new OpenAI({
      apiKey: kit.token,
      baseURL: kit.base('google', '/v1beta/openai/'),
      maxRetries: 0,
    })
    const answer = await openai.chat.completions.create({
      model: 'gemini-demo',
      messages: [{ role: 'user', content: 'hello' }],
    })
    expect(answer.choices[0]?.message.content).toBe(WORDS.join(''))
    expect(kit.vendors.callsTo('google').at(-1)?.url).toBe('/v1beta/openai/chat/completions')
  })

  it.each([400, 404, 500])('passes an error %i of Google untouched', async (status) => {
    const body = vendorError('google', status, `vendor says ${status}`)
    kit.vendors.next('google', json(body, status))
    const error = await client()
      .models.generateContent(HELLO)
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ApiError)
    expect((error as ApiError).status).toBe(status)
    expect(JSON.parse((error as ApiError).message)).toEqual(body)
  })

  it('shows an error of its own in the shape of Google', async () => {
    const error = await client('/llm/google', `oa3_${'x'.repeat(43)}`)
      .models.generateContent(HELLO)
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ApiError)
    expect(JSON.parse((error as ApiError).message)).toMatchObject({
      error: { code: 401, status: 'UNAUTHENTICATED', message: expect.stringContaining('oauth3') },
    })
  })
})
