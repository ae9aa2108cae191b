import { describe, expect, it } from 'vitest'
import { createTestProviders, found } from '../../../test/support/providers-kit.ts'
import { endpointOf } from './endpoints.ts'
import { behindRoot, upstreamPath } from './path.ts'
import type { Provider } from './ports.ts'

const providers = await createTestProviders()
for (const [provider, param, value] of [
  ['azure', 'resource', 'demo'],
  ['vertex', 'location', 'us-central1'],
  ['bedrock', 'region', 'eu-west-1'],
  ['cloudflare', 'account', 'a1b2'],
] as const) {
  await providers.setParam(provider, param, value, 'cli:0')
}

/** As the proxy asks: the client's path, placed below the vendor's root and taken from behind it. */
function at(name: string, line: string): string {
  const provider = found(providers, name)
  const [method = '', path = ''] = line.split(' ')
  const { group, metered } = endpointOf(provider, method, behindRoot(provider, upstreamPath(provider, path)))
  return metered ? `${group}, metered` : group
}

describe('endpointOf', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'openai',
      'inference, metered',
      [
        ...['POST /v1/chat/completions', 'POST /chat/completions', 'POST /v1/Chat/Completions/'],
        ...[
          'POST /v1/responses',
          'POST /v1/embeddings',
          'POST /v1/completions',
          'POST /v1/%63hat/completions',
        ],
      ],
    ],
    [
      'openai',
      'inference',
      ['POST /v1/images/generations', 'POST /v1/audio/speech', 'POST /v1/audio/transcriptions'],
    ],
    ['openai', 'models, metered', ['GET /v1/models', 'HEAD /v1/models', 'GET /v1/models/gpt-5']],
    [
      'openai',
      'files, metered',
      ['GET /v1/files', 'DELETE /v1/files/f', 'POST /v1/files', 'POST /v1/uploads/u/parts'],
    ],
    // docs.bigmodel.cn/api-reference: pages that are read, and pictures of handwriting, each at a price.
    ['zhipu', 'files', ['POST /files/parser/create', 'POST /v4/files/parser/sync', 'POST /files/ocr']],
    ['zhipu', 'files, metered', ['POST /files', 'GET /files/parser/result/t/text']],
    ['google', 'files', ['POST /v1beta/files/f/parse']],
    ['together', 'files, metered', ['POST /v1/files/upload']],
    [
      'openai',
      'fine_tuning',
      ['POST /v1/fine_tuning/jobs', 'POST /v1/fine_tuning/checkpoints/c/permissions'],
    ],
    ['openai', 'fine_tuning, metered', ['DELETE /v1/models/ft:x', 'GET /v1/fine_tuning/jobs/j/events']],
    ['openai', 'batches', ['POST /v1/batches']],
    [
      'openai',
      'stored, metered',
      [
        ...[
          'GET /v1/chat/completions',
          'GET /v1/chat/completions/c/messages',
          'DELETE /v1/chat/completions/c',
        ],
        ...['GET /v1/responses/r', 'DELETE /v1/responses/r', 'GET /v1/responses/r/input_items'],
        ...['GET /v1/containers/c/files/f/content', 'GET /v1/vector_stores/v'],
      ],
    ],
    [
      'openai',
      'stored',
      [
        ...['POST /v1/chat/completions/c', 'POST /v1/conversations'],
        ...['POST /v1/threads/t/runs', 'POST /v1/assistants', 'POST /v1/evals', 'POST /v1/containers'],
      ],
    ],
    [
      'openai',
      'realtime',
      [
        ...['GET /v1/realtime', 'POST /v1/realtime/client_secrets', 'POST /v1/realtime/sessions'],
        ...['POST /v1/realtime/calls', 'POST /v1/chatkit/sessions'],
      ],
    ],
    ['openai', 'deferred', ['POST /v1/videos', 'POST /v1/videos/v/remix']],
    [
      'openai',
      'organization',
      ['POST /v1/organization/admin_api_keys', 'POST /v1/organization/users/u', 'POST /v1/projects/p/groups'],
    ],
    [
      'openai',
      'other',
      [
        ...['POST /v1/dashboards', 'OPTIONS /v1/models', 'TRACE /v1/x'],
        ...['POST /v1/chat/completions;x', 'POST /v1/%2563hat/completions'],
      ],
    ],
    ['anthropic', 'inference, metered', ['POST /v1/messages', 'POST /v1/messages/count_tokens']],
    ['anthropic', 'batches', ['POST /v1/messages/batches']],
    ['anthropic', 'batches, metered', ['GET /v1/messages/batches/b/results']],
    ['anthropic', 'files, metered', ['GET /v1/files', 'DELETE /v1/files/f']],
    ['anthropic', 'stored', ['POST /v1/skills', 'POST /v1/sessions']],
    ['anthropic', 'organization', ['POST /v1/organizations/api_keys/k', 'POST /v1/vaults']],
    [
      'google',
      'inference, metered',
      [
        ...[
          'POST /v1beta/models/gemini-3:generateContent',
          'POST /v1beta/models/gemini-3:streamGenerateContent',
        ],
        ...['POST /v1beta/openai/chat/completions', 'POST /v1/models/g%3AgenerateContent'],
      ],
    ],
    ['google', 'inference', ['POST /v1beta/models/imagen:predict']],
    ['google', 'models, metered', ['GET /v1beta/models', 'GET /v1beta/models/gemini-3']],
    ['google', 'deferred', ['POST /v1beta/models/veo:predictLongRunning']],
    ['google', 'deferred, metered', ['GET /v1beta/models/veo/operations/o']],
    ['google', 'batches', ['POST /v1beta/models/gemini-3:batchGenerateContent']],
    [
      'google',
      'files, metered',
      ['POST /upload/v1beta/files', 'GET /v1beta/files/f', 'GET /download/v1beta/files/f:download'],
    ],
    [
      'google',
      'stored',
      ['POST /v1beta/cachedContents', 'PATCH /v1beta/cachedContents/c', 'POST /v1beta/fileSearchStores'],
    ],
    [
      'google',
      'realtime',
      [
        'POST /v1alpha/auth_tokens',
        'GET /ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent',
      ],
    ],
    ['google', 'other', ['POST /v1beta/models/gemini-3:somethingNew']],
    [
      'vertex',
      'inference, metered',
      [
        'POST /v1/projects/p/locations/l/publishers/google/models/g:generateContent',
        'POST /v1/projects/p/locations/l/publishers/anthropic/models/c:streamRawPredict',
        'POST /v1/projects/p/locations/l/endpoints/openapi/chat/completions',
        'POST /v1/publishers/google/models/g:generateContent',
      ],
    ],
    ['vertex', 'batches', ['POST /v1/projects/p/locations/l/batchPredictionJobs']],
    ['vertex', 'organization', ['POST /v1/projects/p/locations/l/endpoints', 'POST /v1/projects/p/x']],
    [
      'azure',
      'inference, metered',
      [
        'POST /openai/deployments/d/chat/completions',
        'POST /openai/v1/chat/completions',
        'POST /openai/v1/responses',
      ],
    ],
    ['azure', 'organization', ['PUT /openai/deployments/d']],
    ['azure', 'files, metered', ['GET /openai/files']],
    ['azure', 'realtime', ['POST /openai/realtimeapi/sessions', 'GET /openai/realtime']],
    [
      'bedrock',
      'inference, metered',
      ['POST /model/m/converse', 'POST /model/m/invoke', 'POST /chat/completions'],
    ],
    ['bedrock', 'deferred', ['POST /async-invoke']],
    ['bedrock', 'realtime', ['POST /model/m/invoke-with-bidirectional-stream']],
    [
      'cohere',
      'inference, metered',
      ['POST /v2/chat', 'POST /v1/embed', 'POST /compatibility/v1/chat/completions'],
    ],
    ['cohere', 'files, metered', ['POST /v1/datasets']],
    ['mistral', 'stored', ['POST /v1/agents/completions', 'POST /v1/conversations', 'POST /v1/libraries']],
    ['openrouter', 'organization, metered', ['GET /api/v1/keys', 'GET /api/v1/credits', 'GET /api/v1/key']],
    ['openrouter', 'organization', ['POST /api/v1/keys', 'POST /api/v1/auth/keys']],
    ['openrouter', 'stored, metered', ['GET /api/v1/generation']],
    ['openrouter', 'models, metered', ['GET /api/v1/models/openai/gpt-5/endpoints', 'GET /api/v1/providers']],
    ['xai', 'deferred, metered', ['GET /v1/chat/deferred-completion/d']],
    ['xai', 'deferred', ['POST /v1/videos/generations']],
    ['xai', 'organization, metered', ['GET /v1/api-key']],
    ['together', 'organization', ['POST /v1/endpoints', 'POST /v1/deployments/secrets']],
    ['together', 'fine_tuning', ['POST /v1/fine-tunes']],
    ['fireworks', 'inference, metered', ['POST /inference/v1/chat/completions']],
    ['fireworks', 'organization', ['POST /v1/accounts/a/users/u/apiKeys', 'POST /v1/accounts/a/deployments']],
    [
      'replicate',
      'deferred',
      ['POST /v1/predictions', 'POST /v1/models/o/n/predictions', 'POST /v1/deployments/o/n/predictions'],
    ],
    ['replicate', 'fine_tuning', ['POST /v1/models/o/n/versions/v/trainings', 'POST /v1/models']],
    ['replicate', 'models, metered', ['GET /v1/models/o/n', 'GET /v1/collections']],
    ['elevenlabs', 'inference', ['POST /v1/text-to-speech/v', 'POST /v1/text-to-speech/v/stream']],
    [
      'elevenlabs',
      'realtime',
      ['GET /v1/text-to-speech/v/stream-input', 'POST /v1/single-use-token/realtime_scribe'],
    ],
    ['elevenlabs', 'stored, metered', ['GET /v1/history', 'DELETE /v1/voices/v']],
    ['elevenlabs', 'organization', ['POST /v1/convai/agents/create', 'POST /v1/service-accounts/u/api-keys']],
    ['huggingface', 'inference', ['POST /hf-inference/models/o/n']],
    [
      'huggingface',
      'inference, metered',
      ['POST /together/v1/chat/completions', 'POST /novita/v3/openai/chat/completions'],
    ],
    ['huggingface', 'deferred', ['POST /replicate/v1/models/o/n/predictions']],
    ['cloudflare', 'inference', ['POST /ai/run/@cf/meta/llama']],
    ['deepinfra', 'inference', ['POST /v1/inference/o/n']],
    ['deepinfra', 'inference, metered', ['POST /v1/openai/chat/completions']],
    [
      'github',
      'inference, metered',
      ['POST /inference/chat/completions', 'POST /orgs/o/inference/chat/completions'],
    ],
    ['qwen', 'inference, metered', ['POST /api/v1/services/aigc/text-generation/generation']],
    ['qwen', 'deferred', ['POST /api/v1/services/aigc/video-generation/video-synthesis']],
    ['perplexity', 'deferred', ['POST /async/chat/completions']],
    ['zai', 'deferred', ['POST /api/paas/v4/async/chat/completions', 'POST /api/paas/v4/videos/generations']],
    ['ollama', 'inference, metered', ['POST /api/chat', 'POST /api/generate', 'POST /v1/chat/completions']],
    ['ollama', 'models, metered', ['GET /api/tags', 'POST /api/show']],
    ['ollama', 'organization', ['POST /api/pull', 'POST /api/push', 'POST /api/create', 'POST /api/copy']],
    ['ollama', 'organization, metered', ['DELETE /api/delete']],
  ])('%s: %s', (name, wanted, lines) => {
    expect(lines.map((line) => [line, at(name, line)])).toEqual(lines.map((line) => [line, wanted]))
  })

  it('takes the chat of every vendor for inference, and nothing of it for another group', () => {
    for (const { name } of providers.list()) {
      const chat = name === 'elevenlabs' || name === 'replicate' || name === 'vertex' ? [] : [name]
      expect(chat.map((each) => at(each, 'POST /chat/completions'))).toEqual(
        chat.map(() => 'inference, metered'),
      )
      expect([name, at(name, 'POST /nothing/that/anybody/knows')]).toEqual([name, 'other'])
    }
  })

  it("knows the servers that an owner's own provider may be", () => {
    const own: Provider = { ...found(providers, 'openai'), name: 'mine', own: true, roots: [''] }
    const asked = (method: string, path: string): string => endpointOf(own, method, path).group
    expect(asked('POST', '/v1/chat/completions')).toBe('inference')
    expect(asked('POST', '/api/chat')).toBe('inference')
    expect(asked('POST', '/v1beta/models/gemini-3:generateContent')).toBe('inference')
    expect(asked('POST', '/api/pull')).toBe('organization')
    expect(asked('DELETE', '/v1/files/f')).toBe('files')
    expect(asked('POST', '/admin/x')).toBe('organization')
    expect(asked('POST', '/anything')).toBe('other')
  })

  it('does not look for long', () => {
    expect(at('openai', `POST /v1/${'a/'.repeat(30_000)}b`)).toBe('other')
    expect(at('openai', `POST ${'/v1'.repeat(300)}/chat/completions`)).toBe('other')
  })
})

describe('what stops work', () => {
  const of = (name: string, line: string) => {
    const provider = found(providers, name)
    const [method = '', path = ''] = line.split(' ')
    return endpointOf(provider, method, behindRoot(provider, upstreamPath(provider, path)))
  }
  it.each([
    ['openai', 'responses/r_1/cancel', 'stored'],
    ['openai', 'batches/b_1/cancel', 'batches'],
    ['openai', 'fine_tuning/jobs/j_1/cancel', 'fine_tuning'],
    ['openai', 'fine_tuning/jobs/j_1/pause', 'fine_tuning'],
    ['openai', 'threads/t_1/runs/r_1/cancel', 'stored'],
    ['openai', 'vector_stores/v_1/file_batches/b_1/cancel', 'stored'],
    ['azure', 'openai/v1/batches/b_1/cancel', 'batches'],
    ['anthropic', 'v1/messages/batches/b_1/cancel', 'batches'],
    ['google', 'v1beta/batches/b_1:cancel', 'batches'],
    ['vertex', 'v1/projects/p/locations/l/batchPredictionJobs/1:cancel', 'batches'],
    ['vertex', 'v1/projects/p/locations/l/operations/1:cancel', 'deferred'],
    ['mistral', 'v1/batch/jobs/j_1/cancel', 'batches'],
    ['cohere', 'v1/embed-jobs/j_1/cancel', 'batches'],
    ['replicate', 'v1/predictions/p_1/cancel', 'deferred'],
    ['qwen', 'api/v1/tasks/t_1/cancel', 'deferred'],
  ])('at %s, %s, is free and stays in its group', (name, path, group) => {
    expect(of(name, `POST /${path}`)).toEqual({ group, metered: true, free: true })
  })

  it.each([
    ['openai', 'fine_tuning/jobs/j_1/resume'],
    ['openai', 'batches/b_1/cancel/again'],
    ['openai', 'batches/b_1%2Fcancel'],
    ['openai', 'responses/r_1/compact'],
    ['openai', 'evals/e/runs/r/cancel'],
    ['openai', 'something/1/cancel'],
    ['google', 'v1beta/batches/a:b:cancel'],
    ['google', 'v1beta/models/m:generateContent/cancel'],
  ])('at %s, %s is none of it', (name, path) => {
    expect(of(name, `POST /${path}`).free).toBe(false)
  })
})
