import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { createLlmKit, type LlmKit } from './llm-kit.ts'
import type { VendorCall } from './vendor-doubles.ts'
import type { VendorName } from './vendor-rules.ts'

export const CHAT = '/llm/openai/v1/chat/completions'

type Limits = Readonly<Partial<Record<'tokens_per_day' | 'micro_usd_per_day', number>>>

/** A daemon with keys of many vendors, for agents whose tokens or money are limited. */
interface LimitsKit {
  readonly kit: LlmKit
  /** The token of a new agent with these limits at one vendor. */
  limited(vendor: VendorName, limits: Limits): Promise<string>
  /** What came back, with the code of the daemon's own, and what arrived at the vendor for it. */
  ask(
    vendor: VendorName,
    path: string,
    token: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{
    readonly code: string | null
    readonly status: number
    readonly answer: Awaited<ReturnType<LlmKit['ask']>>
    readonly arrived: readonly VendorCall[]
  }>
}

const EVERY_GROUP = [
  ...['inference', 'models', 'files', 'batches', 'fine_tuning', 'stored', 'realtime', 'deferred'],
  ...['organization', 'other'],
]

const VENDORS = [
  'openai',
  'mistral',
  'anthropic',
  'google',
  'bedrock',
  'cohere',
  'xai',
  'openrouter',
  'perplexity',
  'deepseek',
]

/** One for all tests of a file, after each of which no vendor may have found a fault with a request. */
export function useLimitsKit(): LimitsKit {
  let made: LimitsKit | undefined
  const present = (): LimitsKit => {
    if (made === undefined) throw new Error('The kit is there once the tests run.')
    return made
  }
  beforeAll(async () => {
    made = await createLimitsKit()
  })
  afterAll(() => made?.kit[Symbol.asyncDispose]())
  afterEach(() => {
    const { vendors } = present().kit
    vendors.clearPlays()
    expect(vendors.faults.splice(0)).toEqual([])
  })
  return {
    get kit() {
      return present().kit
    },
    limited: (...of) => present().limited(...of),
    ask: (...of) => present().ask(...of),
  }
}

async function createLimitsKit(): Promise<LimitsKit> {
  const kit = await createLlmKit()
  let serial = 0
  await kit.admin('PUT', '/v1/providers/bedrock/params/region', { value: 'us-east-1' })
  for (const vendor of VENDORS) await kit.addKey(vendor)
  // The one that is sold, not the one of the own machine.
  await kit.admin('POST', '/v1/providers', { name: 'hosted', url: 'https://ollama.com' })
  await kit.addKey('hosted', { value: kit.vendors.key('ollama') })
  return {
    kit,
    async limited(vendor, limits) {
      serial += 1
      const agent = `limited-${serial}`
      // A key of its own: what refers to things that are kept at the vendor passes with no other.
      const token = await kit.addAgent(agent, [agent])
      if (vendor === 'openai') await kit.addKey('openai', { tags: [agent] })
      // Granted by name, so that what is refused is refused for the limit's sake.
      await kit.grant(vendor === 'ollama' ? 'hosted' : vendor, { agent, limits, groups: EVERY_GROUP })
      return token
    },
    async ask(vendor, path, token, body, headers = {}) {
      const before = kit.vendors.callsTo(vendor).length
      const answer = await kit.ask(path, { token, body, headers })
      const arrived = kit.vendors.callsTo(vendor).slice(before)
      return { code: answer.headers.get('x-oauth3-error'), status: answer.status, answer, arrived }
    },
  }
}

export const messageOf = (answer: { readonly json: { error: { message: string } } }): string =>
  answer.json.error.message
