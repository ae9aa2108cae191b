/**
 * What each vendor wants of a request, written down from the vendors' documents and apart from the proxy's own table: its
 * host, where its API begins, in which header its key stands, and the object that its errors are.
 */
export type VendorStyle =
  | 'openai'
  | 'azure'
  | 'anthropic'
  | 'google'
  | 'cohere'
  | 'bedrock'
  | 'ollama'
  | 'mistral'
  | 'elevenlabs'

export interface VendorRule {
  readonly host: string
  /** Where the API begins, such as `/v1`; the vendor's own paths follow. */
  readonly root: string
  readonly style: VendorStyle
  /** Another beginning that leads to the same. */
  readonly also?: string
  /** The one header that carries the key, in lower case; with `Bearer ` before it in `authorization`. */
  readonly place: 'authorization' | 'x-api-key' | 'x-goog-api-key' | 'api-key' | 'xi-api-key'
}

const openai = (host: string, root: string): VendorRule => ({
  host,
  root,
  style: 'openai',
  place: 'authorization',
})

/** By the name that the proxy knows the vendor by. */
export const VENDORS = {
  openai: openai('api.openai.com', '/v1'),
  anthropic: { host: 'api.anthropic.com', root: '/v1', style: 'anthropic', place: 'x-api-key' },
  google: {
    host: 'generativelanguage.googleapis.com',
    root: '/v1beta',
    style: 'google',
    place: 'x-goog-api-key',
  },
  azure: { host: 'demo-resource.openai.azure.com', root: '/openai', style: 'azure', place: 'api-key' },
  bedrock: {
    host: 'bedrock-runtime.us-east-1.amazonaws.com',
    root: '',
    style: 'bedrock',
    place: 'authorization',
  },
  cohere: { host: 'api.cohere.com', root: '/v2', style: 'cohere', place: 'authorization' },
  ollama: { host: 'ollama.com', root: '', style: 'ollama', place: 'authorization' },
  elevenlabs: { host: 'api.elevenlabs.io', root: '/v1', style: 'elevenlabs', place: 'xi-api-key' },
  mistral: { host: 'api.mistral.ai', root: '/v1', style: 'mistral', place: 'authorization' },
  codestral: { host: 'codestral.mistral.ai', root: '/v1', style: 'mistral', place: 'authorization' },
  groq: openai('api.groq.com', '/openai/v1'),
  deepseek: openai('api.deepseek.com', '/v1'),
  xai: openai('api.x.ai', '/v1'),
  openrouter: openai('openrouter.ai', '/api/v1'),
  together: openai('api.together.ai', '/v1'),
  fireworks: openai('api.fireworks.ai', '/inference/v1'),
  perplexity: openai('api.perplexity.ai', ''),
  cerebras: openai('api.cerebras.ai', '/v1'),
  nvidia: openai('integrate.api.nvidia.com', '/v1'),
  moonshot: openai('api.moonshot.ai', '/v1'),
  zai: openai('api.z.ai', '/api/paas/v4'),
  qwen: openai('dashscope-intl.aliyuncs.com', '/compatible-mode/v1'),
  huggingface: openai('router.huggingface.co', '/v1'),
  poe: openai('api.poe.com', '/v1'),
  venice: openai('api.venice.ai', '/api/v1'),
  sambanova: openai('api.sambanova.ai', '/v1'),
  deepinfra: openai('api.deepinfra.com', '/v1/openai'),
  hyperbolic: openai('api.hyperbolic.xyz', '/v1'),
  github: openai('models.github.ai', '/inference'),
  scaleway: openai('api.scaleway.ai', '/v1'),
  nebius: openai('api.tokenfactory.nebius.com', '/v1'),
  ovhcloud: openai('oai.endpoints.kepler.ai.cloud.ovh.net', '/v1'),
  vercel: openai('ai-gateway.vercel.sh', '/v1'),
  llama: openai('api.llama.com', '/compat/v1'),
  novita: { ...openai('api.novita.ai', '/openai'), also: '/openai/v1' },
  siliconflow: openai('api.siliconflow.com', '/v1'),
  chutes: openai('llm.chutes.ai', '/v1'),
  upstage: openai('api.upstage.ai', '/v1/solar'),
  baseten: openai('inference.baseten.co', '/v1'),
  ai21: openai('api.ai21.com', '/studio/v1'),
  friendli: openai('api.friendli.ai', '/serverless/v1'),
  volcengine: openai('ark.cn-beijing.volces.com', '/api/v3'),
  opencode: openai('opencode.ai', '/zen/v1'),
} as const satisfies Record<string, VendorRule>

export type VendorName = keyof typeof VENDORS

/** What names a credential; none of these but the vendor's own place may arrive. */
export const CREDENTIAL_HEADERS = [
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'xi-api-key',
  'proxy-authorization',
] as const

export function ruleOfHost(host: string): { name: VendorName; rule: VendorRule } | undefined {
  const found = Object.entries(VENDORS).find(([, rule]) => rule.host === host)
  return found && { name: found[0] as VendorName, rule: found[1] }
}

/** An error as the vendor itself writes it. */
export function vendorError(style: VendorStyle, status: number, message: string): unknown {
  switch (style) {
    case 'openai':
      return { error: { message, type: openaiTypes[status] ?? 'server_error', param: null, code: null } }
    case 'azure':
      return { error: { code: String(status), message } }
    case 'anthropic':
      return {
        type: 'error',
        error: { type: anthropicTypes[status] ?? 'api_error', message },
        request_id: 'req_demo_vendor',
      }
    case 'google':
      return { error: { code: status, message, status: googleStatuses[status] ?? 'INTERNAL' } }
    case 'cohere':
      return { id: 'demo-vendor-id', message }
    case 'mistral':
      return { object: 'error', message, type: 'invalid_request_error', param: null, code: null }
    case 'bedrock':
      return { message }
    case 'ollama':
      return { error: message }
    case 'elevenlabs':
      return { detail: { status: 'error', message } }
  }
}

const openaiTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
}
const anthropicTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}
const googleStatuses: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
}
