import { describe, expect, it } from 'vitest'
import { createTestProviders, found } from '../../../test/support/providers-kit.ts'
import type { Provider } from './ports.ts'
import { providerOfModel, routeOf } from './route.ts'

const providers = await createTestProviders()
const usable = (...names: string[]): Provider[] => names.map((name) => found(providers, name))

describe('routeOf', () => {
  it.each([
    ['/llm/openai/v1/chat/completions', 'openai', '/v1/chat/completions'],
    ['/llm/openai', 'openai', ''],
    ['/llm/openai/', 'openai', '/'],
    ['/v1/anthropic/v1/messages', 'anthropic', '/v1/messages'],
    ['/v1/anthropic', 'anthropic', ''],
    ['/llm/ollama-cloud/api/chat', 'ollama-cloud', '/api/chat'],
    ['/llm/nobody/x', 'nobody', '/x'],
    ['/v1/nobody/x', 'nobody', '/x'],
    ['/llm/constructor/x', 'constructor', '/x'],
    ['/llm/chat/completions', 'chat', '/completions'],
  ])('reads %s as a path of the provider %s', (path, provider, rest) => {
    expect(routeOf(path, providers)).toEqual({ kind: 'provider', provider, rest })
  })

  it.each([
    ...['/v1/chat/completions', '/v1/responses', '/v1/responses/resp_1', '/v1/messages', '/v1/models'],
    ...['/v1/messages/count_tokens', '/v1/embeddings', '/v1/completions', '/v1/models/gpt-5'],
  ])('reads %s as one that goes by the model', (path) => {
    expect(routeOf(path, providers)).toEqual({ kind: 'model', rest: path })
  })

  it.each([
    '/',
    '/v1',
    '/v1/',
    '/llm',
    '/llm/',
    '/llmx/openai/x',
    '/health',
    '/llm/OpenAI/x',
    '/v1/__proto__/x',
    '/x/v1/chat/completions',
  ])('leaves %s alone', (path) => {
    expect(routeOf(path, providers)).toBeNull()
  })
})

describe('providerOfModel', () => {
  const all = usable(
    'openai',
    'anthropic',
    'google',
    'groq',
    'openrouter',
    'deepseek',
    'mistral',
    'xai',
    'qwen',
    'moonshot',
    'kimi',
  )
  it.each([
    ['anthropic/claude-sonnet-5', 'anthropic', 'claude-sonnet-5'],
    ['openrouter/anthropic/claude-sonnet-5', 'openrouter', 'anthropic/claude-sonnet-5'],
    ['groq/openai/gpt-oss-120b', 'groq', 'openai/gpt-oss-120b'],
    ['claude-sonnet-5', 'anthropic', 'claude-sonnet-5'],
    ['gpt-5', 'openai', 'gpt-5'],
    ['o3-mini', 'openai', 'o3-mini'],
    ['ft:gpt-4o:acme::x1', 'openai', 'ft:gpt-4o:acme::x1'],
    ['text-embedding-3-small', 'openai', 'text-embedding-3-small'],
    ['gemini-3-pro', 'google', 'gemini-3-pro'],
    ['deepseek-chat', 'deepseek', 'deepseek-chat'],
    ['codestral-latest', 'mistral', 'codestral-latest'],
    ['grok-5', 'xai', 'grok-5'],
    ['qwen3-max', 'qwen', 'qwen3-max'],
    ['kimi-k3', 'moonshot', 'kimi-k3'],
    ['kimi-for-coding', 'kimi', 'kimi-for-coding'],
  ])('sends %s to %s as %s', (model, provider, sent) => {
    expect(providerOfModel(model, all)).toEqual({ provider: found(providers, provider), model: sent })
  })

  it.each([
    '',
    '/',
    'openai/',
    '/gpt-5',
    'llama-4',
    'gpt-oss-120b',
    'deepseek-r1:8b',
    'qwen3:4b',
    'meta-llama/llama-4',
    'GPT-5',
    'toString',
    'constructor/x',
  ])('does not guess whose %j is', (model) => {
    expect(providerOfModel(model, all)).toEqual({ problem: 'unknown', candidates: [] })
  })

  it('does not choose between two who have the same models', () => {
    expect(providerOfModel('glm-5', usable('zai', 'zhipu', 'openai'))).toEqual({
      problem: 'ambiguous',
      candidates: ['zai', 'zhipu'],
    })
    expect(providerOfModel('glm-5', usable('zhipu', 'openai'))).toMatchObject({ provider: { name: 'zhipu' } })
    expect(providerOfModel('zai/glm-5', usable('zai', 'zhipu'))).toMatchObject({ model: 'glm-5' })
  })

  it('goes by the longest beginning, in whatever order they stand', () => {
    for (const names of [
      ['kimi', 'moonshot'],
      ['moonshot', 'kimi'],
    ]) {
      expect(providerOfModel('kimi-for-coding', usable(...names))).toMatchObject({
        provider: { name: 'kimi' },
      })
    }
  })

  it('takes only what can be used into account', () => {
    expect(providerOfModel('anthropic/claude-x', usable('openai'))).toMatchObject({ problem: 'unknown' })
    expect(providerOfModel('claude-x', usable('openai'))).toMatchObject({ problem: 'unknown' })
    expect(providerOfModel('claude-x', [])).toMatchObject({ problem: 'unknown' })
  })
})
