import type { VendorAnswer } from './vendor-answers.ts'
import { eventStream, json } from './vendor-answers.ts'
import type { VendorCall } from './vendor-doubles.ts'

/**
 * A model that talks for as long as it may, at any vendor: how long that is, the vendor reads in its own member alone, as its
 * documents have it, and bills for all of it. Written apart from the proxy's own table.
 */
const LONGEST_ANSWER = 131_072

interface Spoken {
  readonly input: number
  readonly output: number
}

const positive = (value: unknown): number | null =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : null

/** What the vendor bills for this call, of a prompt that it counts as `input`. */
export function billed(call: VendorCall, input: number): Spoken {
  const { json: body, url } = call
  const path = url.split('?')[0] ?? ''
  const answers = Math.max(1, body.n ?? 1, body.best_of ?? 1, body.generationConfig?.candidateCount ?? 1)
  const prompts = Array.isArray(body.prompt) && typeof body.prompt[0] !== 'number' ? body.prompt.length : 1
  return { input, output: (limitOf(path, call.vendor, body) ?? LONGEST_ANSWER) * answers * prompts }
}

// biome-ignore lint/suspicious/noExplicitAny: a body as a vendor reads it
function limitOf(path: string, vendor: string, body: any): number | null {
  if (/:(stream)?generateContent$/i.test(path)) {
    const config = body.generationConfig ?? body.generation_config
    return positive(config?.maxOutputTokens ?? config?.max_output_tokens)
  }
  if (/\/converse(-stream)?$/.test(path)) return positive(body.inferenceConfig?.maxTokens)
  if (path.startsWith('/api/')) return positive(body.options?.num_predict)
  if (path.endsWith('/responses')) return positive(body.max_output_tokens)
  if (vendor === 'openai' || vendor === 'azure') {
    return positive(body.max_completion_tokens) ?? positive(body.max_tokens)
  }
  return positive(body.max_tokens)
}

/** The whole answer of such a model, in the form of the endpoint; what it thinks is nowhere in it. */
export function talkative(input = 20): (call: VendorCall) => VendorAnswer {
  return (call) => {
    const { output } = billed(call, input)
    const path = call.url.split('?')[0] ?? ''
    if (/:generateContent$/.test(path)) {
      return json({
        candidates: [{ content: { parts: [{ text: '.' }] }, finishReason: 'MAX_TOKENS' }],
        usageMetadata: { promptTokenCount: input, candidatesTokenCount: 1, thoughtsTokenCount: output - 1 },
      })
    }
    if (path.endsWith('/converse')) {
      return json({
        output: { message: { content: [{ text: '.' }] } },
        usage: { inputTokens: input, outputTokens: output },
      })
    }
    if (path.startsWith('/api/')) {
      return json({
        model: call.json.model,
        done: true,
        prompt_eval_count: input,
        eval_count: output,
      })
    }
    if (/\/(?:responses|messages)$/.test(path)) {
      return json({ model: call.json.model, usage: { input_tokens: input, output_tokens: output } })
    }
    if (call.vendor === 'cohere') {
      return json({ usage: { tokens: { input_tokens: input, output_tokens: output } } })
    }
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
    if (call.json.stream !== true) return json({ model: call.json.model, choices: [], usage })
    return eventStream([said('.'), `data: ${JSON.stringify({ choices: [], usage })}\n\n`, 'data: [DONE]\n\n'])
  }
}

export const said = (text: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })}\n\n`
