import { Mistral } from '@mistralai/mistralai'
import { CohereClientV2 } from 'cohere-ai'
import Groq from 'groq-sdk'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { bedrockEvent } from '../support/event-stream.ts'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { WORDS } from '../support/vendor-answers.ts'
import { SPEECH } from '../support/vendor-routes.ts'
import { VENDORS, type VendorName, type VendorRule } from '../support/vendor-rules.ts'

const MESSAGES = [{ role: 'user' as const, content: 'Say hello.' }]
/** Those that speak OpenAI's chat completions at their own root. */
const OPENAI_STYLE = (Object.keys(VENDORS) as VendorName[]).filter((name) =>
  ['openai', 'mistral'].includes(VENDORS[name].style),
)

let kit: LlmKit
beforeAll(async () => {
  kit = await createLlmKit()
  for (const name of OPENAI_STYLE) await kit.open(name)
  for (const name of ['cohere', 'bedrock', 'ollama', 'elevenlabs'] as const) {
    if (name === 'bedrock')
      await kit.admin('PUT', '/v1/providers/bedrock/params/region', { value: 'us-east-1' })
    // At its own name, not on this machine.
    if (name !== 'ollama') await kit.open(name)
  }
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const last = (vendor: VendorName) => kit.vendors.callsTo(vendor).at(-1)

describe('every provider of OpenAI’s form', () => {
  it.each(OPENAI_STYLE)('%s is reached at its host and path, with and without its prefix', async (name) => {
    const { root, also = root }: VendorRule = VENDORS[name]
    const places = [root, also].map((start) => `${start}/chat/completions`)
    const version = root.slice(root.lastIndexOf('/'))
    for (const rest of new Set(['', root, ...(/^\/v\d/.test(version) ? [version] : [])])) {
      const openai = new OpenAI({ apiKey: kit.token, baseURL: kit.base(name, rest), maxRetries: 0 })
      const answer = await openai.chat.completions.create({ model: 'demo', messages: MESSAGES })
      expect(answer.choices[0]?.message.content, rest).toBe(WORDS.join(''))
      expect(places, rest).toContain(last(name)?.url)
      let text = ''
      for await (const chunk of await openai.chat.completions.create({
        model: 'demo',
        messages: MESSAGES,
        stream: true,
      }))
        text += chunk.choices[0]?.delta.content ?? ''
      expect(text, rest).toBe(WORDS.join(''))
    }
  })
})

describe('vendors with SDKs of their own', () => {
  it.each(['', '/openai/v1'])('groq-sdk, base URL …/llm/groq%s', async (rest) => {
    const groq = new Groq({ apiKey: kit.token, baseURL: kit.base('groq', rest), maxRetries: 0 })
    const answer = await groq.chat.completions.create({ model: 'demo', messages: MESSAGES })
    expect(answer.choices[0]?.message.content).toBe(WORDS.join(''))
    expect(last('groq')?.url).toBe('/openai/v1/chat/completions')
    let text = ''
    for await (const chunk of await groq.chat.completions.create({
      model: 'demo',
      messages: MESSAGES,
      stream: true,
    }))
      text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe(WORDS.join(''))
  })

  it('@mistralai/mistralai, whole and in a stream', async () => {
    const mistral = new Mistral({ apiKey: kit.token, serverURL: kit.base('mistral') })
    const answer = await mistral.chat.complete({ model: 'demo', messages: MESSAGES })
    expect(answer.choices?.[0]?.message?.content).toBe(WORDS.join(''))
    expect(last('mistral')?.url).toBe('/v1/chat/completions')
    let text = ''
    for await (const event of await mistral.chat.stream({ model: 'demo', messages: MESSAGES }))
      text += event.data.choices[0]?.delta.content ?? ''
    expect(text).toBe(WORDS.join(''))
    expect(last('mistral')?.url.split('#')[0]).toBe('/v1/chat/completions')
  })

  it.each(['', '/v2'])('cohere-ai, at …/llm/cohere%s', async (rest) => {
    const cohere = new CohereClientV2({
      token: kit.token,
      environment: kit.base('cohere', rest),
      maxRetries: 0,
    })
    const answer = await cohere.chat({ model: 'command-demo', messages: MESSAGES })
    expect(answer.message?.content?.[0]).toMatchObject({ text: WORDS.join('') })
    expect(last('cohere')?.url).toBe('/v2/chat')
    let text = ''
    for await (const event of await cohere.chatStream({ model: 'command-demo', messages: MESSAGES })) {
      if (event.type === 'content-delta') text += event.delta?.message?.content?.text ?? ''
    }
    expect(text).toBe(WORDS.join(''))
  })

  it('cohere in OpenAI’s form is left at its own prefix', async () => {
    const openai = new OpenAI({
      apiKey: kit.token,
      baseURL: kit.base('cohere', '/compatibility/v1'),
      maxRetries: 0,
    })
    await openai.chat.completions.create({ model: 'command-demo', messages: MESSAGES })
    expect(last('cohere')?.url).toBe('/compatibility/v1/chat/completions')
  })

  it('bedrock: the model stays in the path, and the binary events pass byte for byte', async () => {
    const model = 'anthropic.claude-demo-v1%3A0'
    const body = { messages: [{ role: 'user', content: [{ text: 'hello' }] }] }
    const whole = await kit.ask(`/llm/bedrock/model/${model}/converse`, { body })
    expect(whole.json.output.message.content[0].text).toBe(WORDS.join(''))
    expect(last('bedrock')?.url).toBe(`/model/${model}/converse`)
    const response = await fetch(`${kit.base('bedrock')}/model/${model}/converse-stream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${kit.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    expect(response.headers.get('content-type')).toBe('application/vnd.amazon.eventstream')
    expect(bytes.equals(Buffer.concat(last('bedrock')?.sent ?? []))).toBe(true)
    expect(bytes.includes(bedrockEvent('messageStop', { stopReason: 'end_turn' }))).toBe(true)
  })

  it('elevenlabs: the key goes to xi-api-key, the sound comes back byte for byte', async () => {
    const response = await fetch(`${kit.base('elevenlabs')}/v1/text-to-speech/demo-voice/stream`, {
      method: 'POST',
      headers: { 'xi-api-key': kit.token, 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'hello' }),
    })
    expect(Buffer.from(await response.arrayBuffer()).equals(SPEECH)).toBe(true)
    expect(last('elevenlabs')?.headers.authorization).toBeUndefined()
  })

  it('ollama.com as a provider of the owner’s own: NDJSON passes line by line', async () => {
    await kit.admin('POST', '/v1/providers', { name: 'my-ollama', url: 'https://ollama.com' })
    const { value } = await kit.addKey('my-ollama', { value: kit.vendors.key('ollama') })
    await kit.grant('my-ollama')
    const answer = await kit.ask('/llm/my-ollama/api/chat', { body: { model: 'demo', messages: MESSAGES } })
    expect(answer.status).toBe(200)
    expect(answer.text).toBe(Buffer.concat(last('ollama')?.sent ?? []).toString())
    expect(answer.text.trim().split('\n')).toHaveLength(WORDS.length + 1)
    expect(last('ollama')?.key).toBe(value)
  })
})
