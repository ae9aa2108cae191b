import { describe, expect, it } from 'vitest'
import { scanBody } from './body-scan.ts'
import { deepScan } from './deep-scan.ts'

function scanned(body: unknown): ReturnType<typeof deepScan> {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  expect(scanBody(bytes)).not.toHaveProperty('problem', 'not_json')
  return deepScan(bytes)
}
const models = (more: Record<string, unknown>): readonly (string | null)[] =>
  scanned({ model: 'cheap', messages: [], ...more }).models
const refers = (more: unknown): boolean => scanned(more).refersToStored

describe('the models of a body, beside the one of its first level', () => {
  it.each<[string, Record<string, unknown>, readonly (string | null)[]]>([
    ['a tool', { tools: [{ type: 'image_generation', model: 'dear' }] }, ['dear']],
    ['a tool of the vendor that names none', { tools: [{ type: 'image_generation' }] }, [null]],
    ["the gateway's options", { providerOptions: { gateway: { models: ['dear'] } } }, ['dear']],
    ['fallbacks', { fallbacks: ['dear', { model: 'dearer' }] }, ['dear', 'dearer']],
    ['fallbacks that are written otherwise', { fallbacks: [{ cheap: ['dear'] }] }, [null]],
    ['the same one again', { fallbacks: [{ model: 'cheap' }] }, ['cheap']],
    [
      'other fallbacks',
      { context_window_fallbacks: ['dear'], fallback_models: ['dearer'] },
      ['dear', 'dearer'],
    ],
    ['plugins', { plugins: [{ id: 'web', model: 'dear' }] }, ['dear']],
    ['plugins that nobody knows', { plugins: [{ id: 'auto-router' }] }, [null]],
    ['plugins that change no model', { plugins: [{ id: 'web', engine: '' }] }, []],
    [
      'a session',
      { session: { model: 'dear', audio: { input: { transcription: { model: 'ear' } } } } },
      ['dear', 'ear'],
    ],
    ['a response', { response: { model: 'dear' } }, ['dear']],
    ['letters of another case', { Extra: { MoDel: 'dear' } }, ['dear']],
    ['a preset', { preset: 'mine' }, [null]],
    ['a stored prompt', { prompt: { id: 'pmpt_1' } }, [null]],
    ['an agent', { agent_id: 'ag_1' }, [null]],
    ['options of a model', { model_options: { x: 'y' } }, [null]],
    ['a draft', { speculative: { draft_model: 'dear' } }, ['dear']],
    ['metadata', { metadata: { model: 'dear' } }, ['dear']],
    [
      'what decides nothing',
      { provider: { allow_fallbacks: true }, stream_options: { include_usage: true } },
      [],
    ],
    [
      'words of a conversation',
      { messages: [{ role: 'user', model: 'car', content: [{ model: 'car' }] }] },
      [],
    ],
    ['arguments of a tool', { messages: [{ content: [{ type: 'tool_use', input: { model: 'car' } }] }] }, []],
    [
      'schemas',
      {
        tools: [
          { type: 'function', function: { parameters: { properties: { model: { type: 'string' } } } } },
        ],
      },
      [],
    ],
    ["Anthropic's schemas", { tools: [{ name: 'x', input_schema: { properties: { model: {} } } }] }, []],
    [
      'a schema of answers',
      { response_format: { json_schema: { schema: { properties: { model: {} } } } } },
      [],
    ],
    ["a vendor's parameters are no schema", { parameters: { model: 'dear' } }, ['dear']],
    ['an input that holds messages', { input: { messages: [{ model: 'car' }], model: 'dear' } }, ['dear']],
  ])('%s', (_name, more, wanted) => {
    expect(models(more).toSorted()).toEqual([...wanted].toSorted())
  })

  it('counts each of two, and one behind escapes', () => {
    const body = '{"model":"cheap","tools":[{"model":"dear","model":"cheap","\\u006dodel":"hidden"}]}'
    expect(scanned(body).models).toEqual(['dear', 'cheap', 'hidden'])
  })

  it('does not vouch for what is too deep or too much', () => {
    const deep = (levels: number): string =>
      `{"model":"cheap","x":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(scanned(deep(10)).models).toEqual([])
    expect(scanned(deep(100))).toEqual({ models: [null], refersToStored: true })
    const many = Object.fromEntries(Array.from({ length: 100_001 }, (_, n) => [`k${n}`, 1]))
    expect(scanned({ model: 'cheap', many })).toEqual({ models: [null], refersToStored: true })
    const names = Array.from({ length: 70 }, (_, n) => `m${n}`)
    expect(models({ fallbacks: names })).toContain(null)
  })
})

describe('what a body says of things that are kept', () => {
  it.each<[string, unknown]>([
    ['an earlier answer', { previous_response_id: 'resp_1' }],
    ['an earlier answer, in other letters', { Previous_Response_ID: 'resp_1' }],
    ['an earlier answer, behind escapes', '{"previous_response_i\\u0064":"resp_1"}'],
    ['a conversation', { conversation: 'conv_1' }],
    ['a conversation as an object', { conversation: { id: 'conv_1' } }],
    ['a file in a message', { messages: [{ content: [{ type: 'file', file: { file_id: 'file-1' } }] }] }],
    [
      'a file of Responses',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] },
    ],
    [
      "a file of Anthropic's",
      { messages: [{ content: [{ type: 'document', source: { type: 'file', file_id: 'f' } }] }] },
    ],
    [
      "a file of Google's",
      {
        contents: [
          { parts: [{ fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/x' } }] },
        ],
      },
    ],
    ['a bucket', { contents: [{ parts: [{ fileData: { fileUri: 'gs://bucket/x' } }] }] }],
    ['a cache', { cachedContent: 'cachedContents/x' }],
    ['a container', { container: 'container_1' }],
    ['a container of a tool', { tools: [{ type: 'code_interpreter', container: 'cntr_1' }] }],
    [
      'a container with files',
      { tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: ['f'] } }] },
    ],
    ['vector stores', { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }],
    ['a stored prompt', { prompt: { id: 'pmpt_1' } }],
    ['an item of an earlier answer', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['an item without its type', { input: [{ id: 'msg_1' }] }],
    ['an item with nothing in it', { input: [{ id: 'msg_1', content: null }] }],
    [
      'a picture of an earlier answer',
      { input: [{ type: 'image_generation_call', id: 'ig_1', content: 'x' }] },
    ],
    [
      'reasoning of an earlier answer',
      { input: [{ type: 'reasoning', id: 'rs_1', content: ['x'], summary: [] }] },
    ],
    ['speech of an earlier answer', { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] }],
    ['a voice of the account', { audio: { format: 'wav', voice: { id: 'voice_1' } } }],
    ['a voice that reads', { input: 'x', voice: { id: 'voice_1' } }],
    ['a voice of a session', { session: { audio: { output: { voice: { id: 'voice_1' } } } } }],
    ['a voice by its id alone', { input: 'x', Voice: 'voice_1' }],
    ['an identifier that nobody knows', { options: { thing_id: 'x' } }],
  ])('refers to %s', (_name, body) => {
    expect(refers(body)).toBe(true)
  })

  it.each<[string, unknown]>([
    ['a plain chat', { model: 'cheap', messages: [{ role: 'user', content: 'hello' }], user: 'u' }],
    [
      'tools and their calls',
      {
        messages: [
          { tool_calls: [{ id: 'call_1', function: { arguments: '{}' } }] },
          { tool_call_id: 'call_1' },
        ],
      },
    ],
    ['arguments', { messages: [{ content: [{ type: 'tool_use', id: 't', input: { file_id: 'mine' } }] }] }],
    [
      'items with their content',
      {
        input: [
          { type: 'message', id: 'msg_1', content: [{ text: 'x' }] },
          { type: 'function_call', id: 'fc_1', call_id: 'c', arguments: '{}' },
        ],
      },
    ],
    [
      'reasoning that is brought along',
      { input: [{ type: 'reasoning', id: 'rs_1', encrypted_content: 'x' }] },
    ],
    ['a container of its own', { tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] }],
    ['what is empty', { previous_response_id: null, conversation: '', file_ids: [] }],
    ['a public address', { contents: [{ parts: [{ fileData: { fileUri: 'https://example.com/x.mp4' } }] }] }],
    ['a voice that everybody has', { input: 'x', voice: 'alloy', audio: { voice: 'ash', format: 'wav' } }],
    ['what is said of voices', { messages: [{ role: 'user', content: 'voice_1', voice: 'voice_over' }] }],
    ['bookkeeping', { metadata: { order_id: 'x' } }],
  ])('does not refer with %s', (_name, body) => {
    expect(refers(body)).toBe(false)
  })
})
