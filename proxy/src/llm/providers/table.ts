import type { ProviderAuth, ProviderRow } from './ports.ts'

/**
 * The vendors as data. A root that holds `anthropic` speaks Anthropic's form, one that holds `openai` or `compat…`
 * OpenAI's; path.ts sends each endpoint to the root that knows it. `includeUsage` is set only where the vendor is
 * known to take it: some answer 422 to a field they do not know, and tell the tokens unasked.
 */
const BEARER: ProviderAuth = { kind: 'bearer' }

const header = (name: string): ProviderAuth => ({ kind: 'header', name })

/** A vendor that follows OpenAI in everything but its address. */
const openaiLike = (
  origin: string,
  roots: readonly string[],
  more: Partial<ProviderRow> = {},
): ProviderRow => ({
  origin,
  roots,
  auth: BEARER,
  errors: 'openai',
  includeUsage: true,
  ...more,
})

const GOOGLE_UPLOADS = ['/upload/v1beta', '/upload/v1', '/upload/v1alpha', '/download/v1beta']
const ZAI_ROOTS = ['/api/paas/v4', '/api/coding/paas/v4', '/api/anthropic/v1', '/api/anthropic']

const ROWS = {
  openai: openaiLike('https://api.openai.com', ['/v1'], {
    keyCheck: '/v1/models',
    models: [
      ...['gpt-', 'o1', 'o3', 'o4', 'chatgpt-', 'codex-', 'ft:gpt-', 'gpt-image', 'dall-e', 'sora-'],
      ...['text-embedding-3', 'text-embedding-ada', 'whisper-', 'tts-', 'omni-moderation', 'computer-use-'],
    ],
  }),
  anthropic: {
    keyCheck: '/v1/models',
    origin: 'https://api.anthropic.com',
    roots: ['/v1'],
    auth: header('x-api-key'),
    errors: 'anthropic',
    models: ['claude-'],
    // As Claude Code 2.1.332 sends it with CLAUDE_CODE_OAUTH_TOKEN; whose it may be: code.claude.com/docs/en/legal-and-compliance.
    seat: { tokenPrefix: 'sk-ant-oat', header: 'anthropic-beta', word: 'oauth-2025-04-20' },
  },
  google: {
    origin: 'https://generativelanguage.googleapis.com',
    roots: ['/v1beta', '/v1beta/openai', '/v1', '/v1alpha', ...GOOGLE_UPLOADS, '/ws'],
    auth: header('x-goog-api-key'),
    errors: 'google',
    includeUsage: true,
    models: ['gemini-', 'models/gemini-', 'imagen-', 'veo-', 'text-embedding-004'],
  },
  vertex: {
    origin: 'https://{location}-aiplatform.googleapis.com',
    roots: ['/v1', '/v1beta1', '/upload/v1', '/upload/v1beta1', '/ws'],
    auth: BEARER,
    errors: 'google',
    params: ['location'],
  },
  azure: openaiLike('https://{resource}.openai.azure.com', ['/openai', '/openai/v1'], {
    auth: header('api-key'),
    params: ['resource'],
  }),
  bedrock: openaiLike('https://bedrock-runtime.{region}.amazonaws.com', ['', '/openai/v1'], {
    params: ['region'],
  }),
  groq: openaiLike('https://api.groq.com', ['/openai/v1'], { keyCheck: '/openai/v1/models' }),
  deepseek: openaiLike('https://api.deepseek.com', ['/v1', '/beta', '/anthropic/v1', '/anthropic', '/user'], {
    keyCheck: '/user/balance',
    models: ['deepseek-'],
  }),
  mistral: openaiLike('https://api.mistral.ai', ['/v1'], {
    keyCheck: '/v1/models',
    includeUsage: false,
    models: [
      ...['mistral-', 'ministral-', 'codestral-', 'magistral-', 'devstral-', 'pixtral-', 'voxtral-'],
      ...['open-mistral', 'open-mixtral'],
    ],
  }),
  codestral: openaiLike('https://codestral.mistral.ai', ['/v1'], { includeUsage: false }),
  xai: openaiLike('https://api.x.ai', ['/v1'], { models: ['grok-'], keyCheck: '/v1/models' }),
  openrouter: openaiLike('https://openrouter.ai', ['/api/v1', '/api'], {
    reportsCost: true,
    keyCheck: '/api/v1/key',
  }),
  together: openaiLike('https://api.together.ai', ['/v1'], { keyCheck: '/v1/models' }),
  fireworks: openaiLike('https://api.fireworks.ai', ['/inference/v1', '/inference', '/v1/accounts']),
  cohere: openaiLike('https://api.cohere.com', ['/v2', '/compatibility/v1', '/v1'], {
    models: [
      'command-',
      'c4ai-',
      'embed-v',
      'embed-english',
      'embed-multilingual',
      'rerank-v',
      'rerank-english',
    ],
  }),
  perplexity: openaiLike('https://api.perplexity.ai', [''], { includeUsage: false, models: ['sonar'] }),
  cerebras: openaiLike('https://api.cerebras.ai', ['/v1'], { includeUsage: false, keyCheck: '/v1/models' }),
  nvidia: openaiLike('https://integrate.api.nvidia.com', ['/v1']),
  moonshot: openaiLike('https://api.moonshot.ai', ['/v1', '/anthropic/v1', '/anthropic'], {
    keyCheck: '/v1/users/me/balance',
    models: ['kimi-', 'moonshot-'],
  }),
  kimi: {
    origin: 'https://api.kimi.com',
    roots: ['/coding/v1', '/coding'],
    auth: BEARER,
    errors: 'anthropic',
    includeUsage: true,
    models: ['kimi-for-coding'],
  },
  minimax: openaiLike('https://api.minimax.io', ['/v1', '/anthropic/v1', '/anthropic'], {
    models: ['MiniMax-'],
  }),
  zai: openaiLike('https://api.z.ai', ZAI_ROOTS, { includeUsage: false, models: ['glm-'] }),
  zhipu: openaiLike('https://open.bigmodel.cn', ZAI_ROOTS, {
    includeUsage: false,
    models: ['glm-', 'cogview-', 'cogvideox-'],
  }),
  qwen: openaiLike(
    'https://dashscope-intl.aliyuncs.com',
    ['/compatible-mode/v1', '/api/v1', '/apps/anthropic/v1', '/apps/anthropic'],
    { models: ['qwen', 'qwq-', 'qvq-'] },
  ),
  huggingface: openaiLike('https://router.huggingface.co', [
    ...['/v1', '/hf-inference', '/together', '/fal-ai', '/replicate', '/nebius', '/novita', '/sambanova'],
    ...['/cohere', '/hyperbolic', '/fireworks-ai'],
  ]),
  poe: openaiLike('https://api.poe.com', ['/v1'], { keyCheck: '/usage/current_balance' }),
  venice: openaiLike('https://api.venice.ai', ['/api/v1']),
  sambanova: openaiLike('https://api.sambanova.ai', ['/v1']),
  deepinfra: openaiLike('https://api.deepinfra.com', ['/v1/openai', '/v1']),
  hyperbolic: openaiLike('https://api.hyperbolic.xyz', ['/v1']),
  github: openaiLike('https://models.github.ai', ['/inference', '/catalog', '/orgs']),
  cloudflare: openaiLike(
    'https://api.cloudflare.com',
    ['/client/v4/accounts/{account}/ai/v1', '/client/v4/accounts/{account}/ai'],
    { params: ['account'], includeUsage: false },
  ),
  ollama: openaiLike('http://127.0.0.1:11434', ['/v1', '/api'], { auth: { kind: 'none' } }),
  'ollama-cloud': openaiLike('https://ollama.com', ['/v1', '/api']),
  replicate: openaiLike('https://api.replicate.com', ['/v1'], { includeUsage: false }),
  elevenlabs: openaiLike('https://api.elevenlabs.io', ['/v1', '/v2', '/v3'], {
    auth: header('xi-api-key'),
    includeUsage: false,
    models: ['eleven_'],
  }),
  scaleway: openaiLike('https://api.scaleway.ai', ['/v1']),
  nebius: openaiLike('https://api.tokenfactory.nebius.com', ['/v1']),
  ovhcloud: openaiLike('https://oai.endpoints.kepler.ai.cloud.ovh.net', ['/v1']),
  vercel: openaiLike('https://ai-gateway.vercel.sh', ['/v1', '/v3/ai']),
  llama: openaiLike('https://api.llama.com', ['/compat/v1'], { includeUsage: false }),
  novita: openaiLike('https://api.novita.ai', [
    '/openai',
    '/openai/v1',
    '/anthropic/v1',
    '/anthropic',
    '/v3',
  ]),
  siliconflow: openaiLike('https://api.siliconflow.com', ['/v1']),
  chutes: openaiLike('https://llm.chutes.ai', ['/v1']),
  upstage: openaiLike('https://api.upstage.ai', ['/v1/solar', '/v1/document-digitization'], {
    models: ['solar-'],
  }),
  baseten: openaiLike('https://inference.baseten.co', ['/v1']),
  ai21: openaiLike('https://api.ai21.com', ['/studio/v1'], { includeUsage: false, models: ['jamba-'] }),
  friendli: openaiLike('https://api.friendli.ai', [
    '/serverless/v1',
    '/serverless',
    '/dedicated/v1',
    '/dedicated',
  ]),
  volcengine: openaiLike('https://ark.cn-beijing.volces.com', ['/api/v3', '/api/coding/v3'], {
    models: ['doubao-'],
  }),
  opencode: openaiLike('https://opencode.ai', ['/zen/v1', '/zen/go/v1'], { includeUsage: false }),
} as const satisfies Record<string, ProviderRow>

/** Every vendor by its name. A Map: an index of a plain object would find what every object has (`constructor`). */
export const PROVIDER_TABLE: ReadonlyMap<string, ProviderRow> = new Map(Object.entries<ProviderRow>(ROWS))
