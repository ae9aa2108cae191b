import { createHash } from 'node:crypto'
import { parseMultipart } from './multipart.ts'
import {
  bedrockAnswer,
  chatAnswer,
  cohereAnswer,
  geminiAnswer,
  json,
  messagesAnswer,
  mistralAnswer,
  ollamaAnswer,
  responsesAnswer,
  type VendorAnswer,
} from './vendor-answers.ts'
import type { VendorCall } from './vendor-doubles.ts'
import { type VendorRule, vendorError } from './vendor-rules.ts'

/** The vendor's own answer to a path below its root, with its rules about the body; undefined: it has no such path. */
export function answerOf(call: VendorCall, rule: VendorRule): VendorAnswer | undefined {
  const path = call.url.split('?')[0] ?? ''
  if (rule.style === 'google' && path.startsWith('/v1beta/openai/')) {
    return openaiRoutes(call, path.slice('/v1beta/openai'.length))
  }
  // Google serves the same under its stable version.
  if (rule.style === 'google' && path.startsWith('/v1/')) return googleRoutes(call, path.slice('/v1'.length))
  if (rule.style === 'cohere' && path.startsWith('/compatibility/v1/')) {
    return openaiRoutes(call, path.slice('/compatibility/v1'.length))
  }
  if (rule.style === 'ollama' && path.startsWith('/v1/')) return openaiRoutes(call, path.slice('/v1'.length))
  const root = rule.also !== undefined && path.startsWith(`${rule.also}/`) ? rule.also : rule.root
  if (!path.startsWith(root)) return undefined
  const rest = path.slice(root.length)
  switch (rule.style) {
    case 'openai':
      return openaiRoutes(call, rest)
    case 'mistral':
      return mistralRoutes(call, rest)
    case 'azure':
      return azureRoutes(call, rest)
    case 'anthropic':
      return anthropicRoutes(call, rest)
    case 'google':
      return googleRoutes(call, rest)
    case 'cohere':
      return rest === '/chat' && call.method === 'POST'
        ? (needs(call, rule, 'model', 'messages') ?? cohereAnswer(call))
        : undefined
    case 'bedrock':
      return /^\/model\/[^/]+\/converse(-stream)?$/.test(rest) && call.method === 'POST'
        ? (needs(call, rule, 'messages') ?? bedrockAnswer(call))
        : undefined
    case 'ollama':
      return rest === '/api/chat' && call.method === 'POST'
        ? (needs(call, rule, 'model', 'messages') ?? ollamaAnswer(call))
        : undefined
    case 'elevenlabs':
      return elevenlabsRoutes(call, rest)
  }
}

/** A 400 of the vendor's when the body is no JSON object or lacks one of these. */
function needs(
  call: VendorCall,
  rule: Pick<VendorRule, 'style'>,
  ...names: string[]
): VendorAnswer | undefined {
  const refuse = (message: string): VendorAnswer => json(vendorError(rule.style, 400, message), 400)
  if (!/^application\/json\b/.test(call.headers['content-type'] ?? ''))
    return refuse('the content type is not JSON')
  if (typeof call.json !== 'object' || call.json === null) return refuse('We could not parse the JSON body')
  const missing = names.find((name) => {
    const value = call.json[name]
    return value === undefined || ((name === 'messages' || name === 'contents') && !Array.isArray(value))
  })
  return missing === undefined ? undefined : refuse(`Missing required parameter: '${missing}'.`)
}

function openaiRoutes(call: VendorCall, rest: string): VendorAnswer | undefined {
  const rule = { style: 'openai' } as const
  const { method } = call
  if (method === 'GET' && rest === '/models') {
    const model = (id: string) => ({ id, object: 'model', created: 1_790_000_000, owned_by: 'demo' })
    return json({ object: 'list', data: [model('gpt-demo'), model('gpt-demo-mini')] })
  }
  if (method === 'GET' && rest.startsWith('/files/')) {
    return json({ id: rest.slice('/files/'.length), object: 'file', filename: 'demo.jsonl' })
  }
  if (method !== 'POST') return undefined
  switch (rest) {
    case '/chat/completions':
      return needs(call, rule, 'model', 'messages') ?? chatAnswer(call, costOf(call))
    case '/responses':
      return needs(call, rule, 'model', 'input') ?? responsesAnswer(call)
    case '/embeddings':
      return needs(call, rule, 'model', 'input') ?? embeddings(call)
    case '/files':
    case '/audio/transcriptions':
      return upload(call, rest)
    case '/audio/speech':
      return needs(call, rule, 'model', 'input', 'voice') ?? audio(SPEECH)
    default:
      return undefined
  }
}

/** OpenRouter tells money beside the tokens. */
const costOf = (call: VendorCall): Readonly<Record<string, unknown>> =>
  call.vendor === 'openrouter' ? { cost: 0.000123 } : {}

const embeddings = (call: VendorCall): VendorAnswer =>
  json({
    object: 'list',
    model: call.json.model,
    data: [
      {
        object: 'embedding',
        index: 0,
        embedding:
          call.json.encoding_format === 'base64'
            ? Buffer.from(new Float32Array([0.25, -0.5, 1]).buffer).toString('base64')
            : [0.25, -0.5, 1],
      },
    ],
    usage: { prompt_tokens: 5, total_tokens: 5 },
  })

/** Bytes of every value, so that a change of any of them shows. */
export const SPEECH = Buffer.from(
  Array.from({ length: 70_000 }, (_, index) => (index * 31 + (index >> 8)) & 255),
)

const audio = (bytes: Buffer): VendorAnswer => ({
  headers: { 'content-type': 'audio/mpeg', 'content-length': String(bytes.length) },
  pieces: [bytes.subarray(0, 1_000), bytes.subarray(1_000)],
})

function upload(call: VendorCall, rest: string): VendorAnswer {
  let parts: ReturnType<typeof parseMultipart>
  try {
    parts = parseMultipart(call.body, call.headers['content-type'] ?? '')
  } catch (error) {
    return json(vendorError('openai', 400, (error as Error).message), 400)
  }
  const field = (name: string): string | undefined =>
    parts.find((part) => part.name === name)?.bytes.toString('utf8')
  const file = parts.find((part) => part.name === 'file')
  const wanted = rest === '/files' ? 'purpose' : 'model'
  if (!file?.fileName || field(wanted) === undefined)
    return json(vendorError('openai', 400, `Missing required parameter: '${file ? wanted : 'file'}'.`), 400)
  const sha256 = createHash('sha256').update(file.bytes).digest('hex')
  return rest === '/files'
    ? json({
        id: `file-${sha256.slice(0, 8)}`,
        object: 'file',
        bytes: file.bytes.length,
        filename: file.fileName,
        purpose: field('purpose'),
        created_at: 1_790_000_000,
        status: 'processed',
      })
    : json({ text: `${file.fileName} ${sha256}` })
}

function mistralRoutes(call: VendorCall, rest: string): VendorAnswer | undefined {
  if (rest !== '/chat/completions' || call.method !== 'POST') return openaiRoutes(call, rest)
  if (call.json?.stream_options !== undefined && call.json.stream_options !== null) {
    const detail = [
      { type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' },
    ]
    return json({ object: 'error', message: { detail }, type: 'invalid_request_error', code: null }, 422)
  }
  return needs(call, { style: 'mistral' }, 'model', 'messages') ?? mistralAnswer(call)
}

function azureRoutes(call: VendorCall, rest: string): VendorAnswer | undefined {
  if (rest.startsWith('/v1/')) return openaiRoutes(call, rest.slice('/v1'.length))
  const version = new URL(call.url, 'https://x').searchParams.get('api-version')
  if (version === null)
    return json(vendorError('azure', 404, 'Resource not found: api-version is missing'), 404)
  const deployment = /^\/deployments\/([^/]+)(\/.*)$/.exec(rest)
  if (!deployment) return undefined
  return openaiRoutes(call, deployment[2] ?? '')
}

function anthropicRoutes(call: VendorCall, rest: string): VendorAnswer | undefined {
  const refuse = (message: string): VendorAnswer => json(vendorError('anthropic', 400, message), 400)
  if (!/^\d{4}-\d\d-\d\d$/.test(String(call.headers['anthropic-version'] ?? '')))
    return refuse('anthropic-version: header is required')
  if (call.method === 'GET' && rest === '/models') {
    return json({
      data: [{ type: 'model', id: 'claude-demo', display_name: 'Demo', created_at: '2026-01-01T00:00:00Z' }],
      has_more: false,
      first_id: 'claude-demo',
      last_id: 'claude-demo',
    })
  }
  if (call.method !== 'POST') return undefined
  if (rest === '/messages/count_tokens') {
    return needs(call, { style: 'anthropic' }, 'model', 'messages') ?? json({ input_tokens: 25 })
  }
  if (rest !== '/messages') return undefined
  return needs(call, { style: 'anthropic' }, 'model', 'messages', 'max_tokens') ?? messagesAnswer(call)
}

function googleRoutes(call: VendorCall, rest: string): VendorAnswer | undefined {
  if (call.method === 'GET' && rest === '/models')
    return json({ models: [{ name: 'models/gemini-demo', displayName: 'Demo' }] })
  const action = /^\/models\/[^/:]+:([A-Za-z]+)$/.exec(rest)?.[1]
  if (call.method !== 'POST') return undefined
  switch (action) {
    case 'generateContent':
    case 'streamGenerateContent':
      return needs(call, { style: 'google' }, 'contents') ?? geminiAnswer(call)
    case 'embedContent':
      return json({ embedding: { values: [0.25, -0.5, 1] } })
    case 'batchEmbedContents':
      return json({ embeddings: [{ values: [0.25, -0.5, 1] }] })
    default:
      return undefined
  }
}

function elevenlabsRoutes(call: VendorCall, rest: string): VendorAnswer | undefined {
  if (call.method !== 'POST' || !/^\/text-to-speech\/[^/]+(\/stream)?$/.test(rest)) return undefined
  return needs(call, { style: 'elevenlabs' }, 'text') ?? audio(SPEECH)
}
