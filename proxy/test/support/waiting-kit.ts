import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { createLlmKit, type LlmKit } from './llm-kit.ts'

export const CHAT = '/llm/openai/v1/chat/completions'
export const messages = [{ role: 'user' as const, content: 'Say hello.' }]

/** A stream that waits begins at once, and says so often. */
export const HURRIED = { beginMs: 1, everyMs: 5 }

interface Ask {
  readonly id: string
  readonly agent: string
  readonly consent_hash: string
}

/** Before each test: a new agent without any grant, whose requests wait for the owner. */
export function useWaiting() {
  let kit: LlmKit
  let token: string
  let agent: string
  let serial = 0
  beforeAll(async () => {
    kit = await createLlmKit({ holdTimes: HURRIED })
    for (const vendor of ['openai', 'anthropic', 'google', 'groq'] as const) await kit.addKey(vendor)
  })
  beforeEach(async () => {
    agent = `patient-${++serial}x`
    token = await kit.addAgent(agent)
  })
  afterAll(() => kit?.[Symbol.asyncDispose]())
  afterEach(() => {
    kit.vendors.clearPlays()
    expect(kit.vendors.faults.splice(0)).toEqual([])
  })
  /** What waits of the agent, once there is something. */
  async function asked(of = agent): Promise<Ask> {
    for (;;) {
      const { asks } = (await kit.admin('GET', '/v1/asks')) as { asks: readonly Ask[] }
      const mine = asks.find((ask) => ask.agent === of)
      if (mine !== undefined) return mine
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  async function decide(decision: string, of = agent): Promise<void> {
    const { id, consent_hash } = await asked(of)
    await kit.admin('POST', `/v1/asks/${id}/decision`, { decision, consent_hash })
  }

  /** A stream as it comes to the agent, byte for byte. */
  async function open(path: string, body: unknown) {
    const leaving = new AbortController()
    const response = await fetch(kit.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: leaving.signal,
    })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    return {
      response,
      leave: () => leaving.abort(),
      /** All that came, once this is in it; all of it without. */
      async until(wanted?: string): Promise<string> {
        while (wanted === undefined || !text.includes(wanted)) {
          const part = await reader?.read()
          if (part === undefined || part.done) return text
          text += part.value
        }
        return text
      },
    }
  }

  return {
    get kit() {
      return kit
    },
    get token() {
      return token
    },
    get agent() {
      return agent
    },
    open,
    decide,
    asked,
  }
}
