import { z } from 'zod'
import type { DescribedRoute } from '../index.ts'

/** As OpenAI's API has it; what is not named here is passed over. */
export const completionBody = z.looseObject({
  /** `NAME`, `NAME/MODEL`, or, where there is one hosted agent, any model of its provider, or `openclaw` for its own. */
  model: z
    .string()
    .max(256)
    .regex(/^[\x21-\x7e]+$/, 'takes the name of a hosted agent or of a model'),
  messages: z
    .array(z.looseObject({ role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']) }))
    .min(1)
    .max(1_000),
  /** Who asks for several reads several. */
  n: z.literal(1).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
})

const usage = z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() })
const finish = z.enum(['stop', 'length'])
const head = { id: z.string(), created: z.int(), model: z.string() }

export const completionView = z.object({
  ...head,
  object: z.literal('chat.completion'),
  choices: z.array(
    z.object({
      index: z.literal(0),
      message: z.object({ role: z.literal('assistant'), content: z.string(), refusal: z.null() }),
      logprobs: z.null(),
      finish_reason: finish,
    }),
  ),
  usage: usage.optional(),
})
export type CompletionView = z.output<typeof completionView>

export const completionChunk = z.object({
  ...head,
  object: z.literal('chat.completion.chunk'),
  choices: z.array(
    z.object({
      index: z.literal(0),
      delta: z.object({ role: z.literal('assistant').optional(), content: z.string().optional() }),
      finish_reason: finish.nullable(),
    }),
  ),
  usage: usage.nullish(),
})
export type CompletionChunk = z.output<typeof completionChunk>

/** Beside the accounts' own routes: its answers and errors have OpenAI's form. */
export const CHAT_ROUTES = {
  completeChat: {
    method: 'POST',
    path: '/v1/chat/completions',
    summary:
      "Ask a hosted agent of the account, as OpenAI's clients ask: it is woken for it. The messages are all that it knows of the conversation; nothing is kept. Errors have OpenAI's form.",
    scope: 'machines',
    action: 'hosted_agent.chat',
    body: completionBody,
    maxBodyBytes: 1_048_576,
    answer: completionView,
    errors: ['invalid_request', 'not_found', 'sandbox_unavailable', 'locked', 'too_large'],
  },
} as const satisfies Readonly<Record<string, DescribedRoute>>
