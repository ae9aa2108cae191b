import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from './llm-kit.ts'
import { begin, write } from './vendor-doubles.ts'
import type { VendorName } from './vendor-rules.ts'

export const CHAT = '/llm/openai/v1/chat/completions'

/** In OpenAI's own form, so that its SDK throws; nothing of what the vendor said since. */
export const TAKEN_BACK =
  /^data: \{"error":\{"message":"oauth3: The owner took back [^\n]*"code":"access_revoked"\}\}\n\n$/

export const WAIT_0 = { prefer: 'wait=0' }

/** Before each test: an agent with a grant at the first vendor, and what is under way for it. */
export function useRevocations() {
  let kit: LlmKit
  let token: string
  let agent: string
  let grant: number
  let serial = 0
  beforeAll(async () => {
    kit = await createLlmKit()
    await kit.addKey('openai')
  })
  beforeEach(async () => {
    agent = `fleeting-${++serial}x`
    token = await kit.addAgent(agent)
    grant = await kit.grant('openai', { agent })
  })
  afterAll(() => kit?.[Symbol.asyncDispose]())
  afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

  const ask = (headers: Record<string, string> = WAIT_0) =>
    kit.ask(CHAT, { token, body: chatBody(), headers })
  const code = async (): Promise<string | null> => (await ask()).headers.get('x-oauth3-error')

  /** A stream that is under way, and how to let it end. */
  async function streaming(
    vendor: VendorName = 'openai',
    path = CHAT,
  ): Promise<{ read: () => Promise<string>; finish: () => void }> {
    const go = Promise.withResolvers<void>()
    kit.vendors.next(vendor, async (call, response) => {
      begin(call, response, { headers: { 'content-type': 'text/event-stream' } })
      await write(call, response, 'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n')
      await Promise.race([go.promise, call.gone])
      await write(call, response, 'data: [DONE]\n\n')
      response.end()
    })
    const response = await fetch(kit.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(chatBody({ stream: true })),
    })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    return {
      read: async () => {
        const part = await reader?.read()
        return part?.done ? '' : (part?.value ?? '')
      },
      finish: () => go.resolve(),
    }
  }

  return {
    get kit() {
      return kit
    },
    get agent() {
      return agent
    },
    get token() {
      return token
    },
    set token(to) {
      token = to
    },
    get grant() {
      return grant
    },
    set grant(to) {
      grant = to
    },
    code,
    ask,
    streaming,
  }
}
