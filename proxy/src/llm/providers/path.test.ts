import { describe, expect, it } from 'vitest'
import { createTestProviders, found } from '../../../test/support/providers-kit.ts'
import { normalisePath, upstreamPath } from './path.ts'
import type { Provider } from './ports.ts'

describe('normalisePath', () => {
  it.each([
    ['/', '/', ''],
    ['/v1/chat/completions', '/v1/chat/completions', ''],
    [
      '/v1beta/models/gemini-3:streamGenerateContent?alt=sse',
      '/v1beta/models/gemini-3:streamGenerateContent',
      'alt=sse',
    ],
    ['/client/v4/accounts/a1/ai/run/@cf/meta/llama', '/client/v4/accounts/a1/ai/run/@cf/meta/llama', ''],
    ['/a/%C3%A4%20b%25/c?x=%zz&y=/../\\', '/a/%C3%A4%20b%25/c', 'x=%zz&y=/../\\'],
    ['/a/.well-known/..b/c..d/...', '/a/.well-known/..b/c..d/...', ''],
    ['/a/?b?c', '/a/', 'b?c'],
    ['/a%3Fb', '/a%3Fb', ''],
    ['/v1/models/lab%2Fgpt-a', '/v1/models/lab%2Fgpt-a', ''],
    ['/v1/models/a%2fb%2Fc', '/v1/models/a%2fb%2Fc', ''],
    [
      '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fabc/converse',
      '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fabc/converse',
      '',
    ],
    ["/a!$&'()*+,;=~", "/a!$&'()*+,;=~", ''],
  ])('lets %s through byte for byte', (raw, path, query) => {
    expect(normalisePath(raw)).toEqual({ path, query })
  })

  it.each([
    ['', 'does not begin'],
    ['*', 'does not begin'],
    ['v1/chat', 'does not begin'],
    ['http://evil.example/v1', 'does not begin'],
    ['?x', 'does not begin'],
    ['//evil.example/v1', 'empty segment'],
    ['/a//b', 'empty segment'],
    ['/a/b//', 'empty segment'],
    ['/a\\..\\b', 'backslash'],
    ['/a%5cb', 'backslash'],
    ['/a%5C..%5Cb', 'backslash'],
    ['/a%255cb', 'backslash'],
    ['/a\0', 'character'],
    ['/a\r\nHost: x', 'character'],
    ['/a b', 'character'],
    ['/a#b', 'character'],
    ['/a?b#c', 'character'],
    ['/a?b\x7f', 'character'],
    ['/ä', 'character'],
    ['/a%00', 'control character'],
    ['/a%0d%0ab', 'control character'],
    ['/a%2500', 'control character'],
    ['/.', 'dot segment'],
    ['/..', 'dot segment'],
    ['/a/../b', 'dot segment'],
    ['/a/./b', 'dot segment'],
    ['/a/..?x', 'dot segment'],
    ['/a/..;x=1/b', 'dot segment'],
    ['/a/%2e%2e/b', 'dot segment'],
    ['/a/.%2E/b', 'dot segment'],
    ['/a/%2e./b', 'dot segment'],
    ['/a/%2e', 'dot segment'],
    ['/a/%252e%252e/b', 'dot segment'],
    ['/a/%252E./b', 'dot segment'],
    ['/a/.%25%32e/b', 'dot segment'],
    ['/a%2fb', 'encoded slash'],
    ['/a%252Fb', 'encoded slash'],
    ['/a%2f..%2fb', 'encoded slash'],
    ['/v1%2Fmodels/x', 'encoded slash'],
    ['/v1/models%2Fx', 'encoded slash'],
    ['/v1/models/a/b%2Fc', 'encoded slash'],
    ['/v1/models/a%252Fb', 'encoded slash'],
    ['/v1/models/a%2F%252Fb', 'encoded slash'],
    ['/v1/models/%2Fa', 'encoded slash'],
    ['/v1/models/a%2F', 'encoded slash'],
    ['/v1/models/a%2F%2Fb', 'encoded slash'],
    ['/v1/models/a%2F..%2Fb', 'dot segment'],
    ['/v1/models/a%2F%2e%2e', 'dot segment'],
    ['/v1/models/..%2Ffiles', 'dot segment'],
    ['/v1/models/a%2F%252e%252e%2Fb', 'dot segment'],
    ['/v1/models/a%2F..%3Bx%2Fb', 'dot segment'],
    ['/a%', 'percent-encoding'],
    ['/a%4', 'percent-encoding'],
    ['/a%zz', 'percent-encoding'],
    ['/a/%c0%ae%c0%ae/b', 'percent-encoding'],
  ])('refuses %j', (raw, said) => {
    expect(normalisePath(raw)).toEqual({ problem: expect.stringContaining(said) })
  })

  it('is done with a hostile line of 64 KiB as fast as with a plain one', () => {
    for (const line of [
      '/a'.repeat(32_000),
      '/'.repeat(64_000),
      `/${'.'.repeat(64_000)}`,
      `/${'%25'.repeat(21_000)}`,
    ]) {
      expect(Object.keys(normalisePath(`${line} `))).toEqual(['problem'])
    }
  })
})

const providers = await createTestProviders()
for (const [provider, param, value] of [
  ['azure', 'resource', 'demo'],
  ['vertex', 'location', 'us-central1'],
  ['bedrock', 'region', 'eu-west-1'],
  ['cloudflare', 'account', 'a1b2'],
] as const) {
  await providers.setParam(provider, param, value, 'cli:0')
}
const place = (name: string, rest: string): string => upstreamPath(found(providers, name), rest)

describe('upstreamPath', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'openai',
      '/v1/chat/completions',
      ['/chat/completions', '/v1/chat/completions', '/v1/v1/chat/completions'],
    ],
    ['openai', '/v1/responses/resp_1', ['/responses/resp_1', '/v1/responses/resp_1']],
    ['openai', '/v1/threads/t/messages', ['/threads/t/messages', '/v1/threads/t/messages']],
    ['openai', '/v1/models', ['/models', '/v1/models']],
    ['anthropic', '/v1/messages', ['/messages', '/v1/messages']],
    ['anthropic', '/v1/messages/count_tokens', ['/messages/count_tokens', '/v1/messages/count_tokens']],
    ['anthropic', '/v1/chat/completions', ['/chat/completions', '/v1/chat/completions']],
    [
      'groq',
      '/openai/v1/chat/completions',
      [
        ...['/chat/completions', '/v1/chat/completions', '/openai/v1/chat/completions'],
        ...['/openai/chat/completions', '/openai/v1/v1/chat/completions'],
      ],
    ],
    ['groq', '/openai/v1/models', ['/models', '/v1/models', '/openai/v1/models', '/openai/models']],
    [
      'groq',
      '/openai/v1/something/else',
      ['/something/else', '/v1/something/else', '/openai/something/else'],
    ],
    [
      'google',
      '/v1beta/models/gemini-3:generateContent',
      ['/models/gemini-3:generateContent', '/v1beta/models/gemini-3:generateContent'],
    ],
    ['google', '/v1/models/gemini-3:generateContent', ['/v1/models/gemini-3:generateContent']],
    ['google', '/v1alpha/models/gemini-3:generateContent', ['/v1alpha/models/gemini-3:generateContent']],
    ['google', '/upload/v1beta/files', ['/upload/v1beta/files']],
    [
      'google',
      '/v1beta/openai/chat/completions',
      [
        ...['/chat/completions', '/v1/chat/completions', '/openai/chat/completions'],
        ...['/v1beta/chat/completions', '/v1beta/openai/chat/completions'],
      ],
    ],
    ['google', '/v1beta/openai/models', ['/v1beta/openai/models']],
    [
      'vertex',
      '/v1/projects/p/locations/l/x:y',
      ['/projects/p/locations/l/x:y', '/v1/projects/p/locations/l/x:y'],
    ],
    ['vertex', '/v1beta1/projects/p', ['/v1beta1/projects/p']],
    [
      'azure',
      '/openai/deployments/d/chat/completions',
      ['/openai/deployments/d/chat/completions', '/deployments/d/chat/completions'],
    ],
    [
      'azure',
      '/openai/v1/chat/completions',
      ['/openai/v1/chat/completions', '/v1/chat/completions', '/chat/completions'],
    ],
    ['azure', '/openai/v1/models', ['/openai/v1/models', '/v1/models']],
    ['azure', '/openai/models', ['/openai/models', '/models']],
    ['bedrock', '/model/anthropic.claude-x-v1:0/converse', ['/model/anthropic.claude-x-v1:0/converse']],
    [
      'bedrock',
      '/openai/v1/chat/completions',
      ['/chat/completions', '/v1/chat/completions', '/openai/v1/chat/completions'],
    ],
    ['deepseek', '/v1/chat/completions', ['/chat/completions', '/v1/chat/completions']],
    ['deepseek', '/beta/chat/completions', ['/beta/chat/completions']],
    ['deepseek', '/anthropic/v1/messages', ['/messages', '/v1/messages', '/anthropic/v1/messages']],
    ['cohere', '/v2/chat', ['/chat', '/v2/chat']],
    ['cohere', '/v1/chat', ['/v1/chat']],
    ['cohere', '/v1/models', ['/v1/models']],
    [
      'cohere',
      '/compatibility/v1/chat/completions',
      [
        '/chat/completions',
        '/v1/chat/completions',
        '/compatibility/v1/chat/completions',
        '/v2/chat/completions',
      ],
    ],
    ['perplexity', '/chat/completions', ['/chat/completions', '/v1/chat/completions']],
    ['perplexity', '/v1/responses', ['/v1/responses']],
    ['perplexity', '/search', ['/search']],
    [
      'zai',
      '/api/paas/v4/chat/completions',
      [
        ...['/chat/completions', '/v1/chat/completions', '/v4/chat/completions', '/paas/v4/chat/completions'],
        ...[
          '/api/paas/v4/chat/completions',
          '/api/paas/v4/v1/chat/completions',
          '/api/paas/chat/completions',
        ],
      ],
    ],
    ['zai', '/api/coding/paas/v4/chat/completions', ['/api/coding/paas/v4/chat/completions']],
    ['zai', '/api/anthropic/v1/messages', ['/messages', '/v1/messages', '/api/anthropic/v1/messages']],
    ['zai', '/api/paas/v4/models', ['/models', '/v1/models']],
    ['minimax', '/v1/chat/completions', ['/chat/completions', '/v1/chat/completions']],
    ['minimax', '/anthropic/v1/messages', ['/messages', '/v1/messages', '/anthropic/v1/messages']],
    ['kimi', '/coding/v1/messages', ['/messages', '/v1/messages', '/coding/v1/messages', '/coding/messages']],
    [
      'volcengine',
      '/api/v3/chat/completions',
      ['/chat/completions', '/v1/chat/completions', '/api/v3/chat/completions'],
    ],
    [
      'fireworks',
      '/inference/v1/chat/completions',
      ['/chat/completions', '/v1/chat/completions', '/inference/v1/chat/completions'],
    ],
    ['openrouter', '/api/v1/generation', ['/generation', '/v1/generation', '/api/v1/generation']],
    [
      'deepinfra',
      '/v1/openai/chat/completions',
      [
        '/chat/completions',
        '/v1/chat/completions',
        '/openai/chat/completions',
        '/v1/openai/chat/completions',
      ],
    ],
    ['deepinfra', '/v1/inference/some/model', ['/v1/inference/some/model']],
    [
      'github',
      '/inference/chat/completions',
      [
        '/chat/completions',
        '/v1/chat/completions',
        '/inference/chat/completions',
        '/inference/v1/chat/completions',
      ],
    ],
    ['huggingface', '/together/v1/chat/completions', ['/together/v1/chat/completions']],
    ['huggingface', '/v1/chat/completions', ['/chat/completions', '/v1/chat/completions']],
    [
      'novita',
      '/openai/v1/chat/completions',
      ['/chat/completions', '/v1/chat/completions', '/openai/v1/chat/completions'],
    ],
    [
      'qwen',
      '/compatible-mode/v1/embeddings',
      ['/embeddings', '/v1/embeddings', '/compatible-mode/v1/embeddings'],
    ],
    ['qwen', '/api/v1/services/aigc/x', ['/api/v1/services/aigc/x']],
    [
      'cloudflare',
      '/client/v4/accounts/a1b2/ai/v1/chat/completions',
      ['/chat/completions', '/v1/chat/completions', '/ai/v1/chat/completions'],
    ],
    [
      'cloudflare',
      '/client/v4/accounts/a1b2/ai/run/@cf/x',
      ['/client/v4/accounts/a1b2/ai/run/@cf/x', '/ai/run/@cf/x'],
    ],
    ['ollama', '/api/chat', ['/api/chat']],
    ['ollama', '/v1/chat/completions', ['/chat/completions', '/v1/chat/completions']],
    [
      'elevenlabs',
      '/v1/text-to-speech/x/stream',
      ['/text-to-speech/x/stream', '/v1/text-to-speech/x/stream'],
    ],
    ['elevenlabs', '/v2/voices', ['/v2/voices']],
    [
      'upstage',
      '/v1/solar/chat/completions',
      ['/chat/completions', '/v1/chat/completions', '/v1/solar/chat/completions'],
    ],
    [
      'llama',
      '/compat/v1/chat/completions',
      ['/chat/completions', '/v1/chat/completions', '/compat/v1/chat/completions'],
    ],
    ['opencode', '/zen/v1/messages', ['/messages', '/v1/messages', '/zen/v1/messages', '/zen/messages']],
  ])('%s: reaches %s from each base URL', (name, wanted, rests) => {
    expect(rests.map((rest) => place(name, rest))).toEqual(rests.map(() => wanted))
  })

  it('reaches the same chat endpoint of every vendor with and without /v1, and with all of the root', () => {
    for (const { name } of providers.list()) {
      const wanted = place(name, '/chat/completions')
      expect([name, place(name, '/v1/chat/completions')]).toEqual([name, wanted])
      expect([name, place(name, wanted)]).toEqual([name, wanted])
    }
  })

  it.each([
    // huggingface.js and huggingface_hub: the provider's name, then the model's name there, which may begin with the same.
    '/fal-ai/fal-ai/flux/dev',
    '/fal-ai/fal-ai/whisper/audio/transcriptions',
    '/fal-ai/fal-ai/fal-ai/x',
    '/fal-ai/models/fal-ai/requests/1/status',
    '/replicate/replicate/v1/models/a/b/predictions',
    '/replicate/v1/models/replicate/x/predictions',
    '/hf-inference/hf-inference/models/x',
    '/hf-inference/models/a/b/v1/chat/completions',
    '/together/together/v1/images/generations',
    '/nebius/v1/images/generations',
    '/cohere/compatibility/v1/chat/completions',
  ])('huggingface: passes %s byte for byte', (path) => {
    expect(place('huggingface', path)).toBe(path)
  })

  it('keeps another account out of reach', () => {
    expect(place('cloudflare', '/client/v4/accounts/other/ai/v1/chat/completions')).toMatch(
      /^\/client\/v4\/accounts\/a1b2\/ai\//,
    )
  })

  it('does not take the beginning of a word for a root', () => {
    expect(place('openai', '/v1x/chat')).toBe('/v1/v1x/chat')
    expect(place('openai', '/modelsx')).toBe('/v1/modelsx')
  })

  it('gives an own provider what was asked for, below its prefix', () => {
    const own = (root: string): Provider => ({ ...found(providers, 'openai'), own: true, roots: [root] })
    expect(upstreamPath(own(''), '/v1/chat/completions')).toBe('/v1/chat/completions')
    expect(upstreamPath(own(''), '/chat/completions')).toBe('/chat/completions')
    expect(upstreamPath(own(''), '')).toBe('/')
    expect(upstreamPath(own('/serving/v2'), '/v1/chat/completions')).toBe('/serving/v2/chat/completions')
    expect(upstreamPath(own('/serving/v2'), '/v1/other')).toBe('/serving/v2/v1/other')
  })

  it('reaches the root itself with nothing behind the name', () => {
    expect(place('openai', '')).toBe('/v1')
    expect(place('openai', '/')).toBe('/v1/')
  })
})
