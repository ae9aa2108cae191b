import { describe, expect, it } from 'vitest'
import { walkObject } from './json-walk.ts'
import { SpendingScanner } from './spending-scan.ts'

const scanSpending = (body: Buffer) => {
  const scanner = new SpendingScanner(body)
  walkObject(body, [scanner])
  return scanner.result()
}

const scan = (body: unknown) => scanSpending(Buffer.from(JSON.stringify(body)))

const PNG = 'iVBORw0KGgoAAAANSUhEUgAA'
const tool = {
  name: 'weather',
  description: 'x',
  input_schema: { type: 'object', properties: { file_id: { type: 'string' } } },
}

describe('what a body tells of what its request may use', () => {
  it.each([
    [
      'Claude Code',
      {
        ...{ model: 'claude-sonnet-5', max_tokens: 32_000, stream: true, temperature: 1 },
        system: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }],
        messages: [
          {
            role: 'user',
            content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '5m' } }],
          },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'x', signature: 'x' },
              {
                type: 'tool_use',
                id: 't',
                name: 'weather',
                input: { file_id: 'x', type: 'hologram', url: 'x' },
              },
            ],
          },
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'x' }] }],
          },
        ],
        tools: [tool, { type: 'bash_20250124', name: 'bash' }],
        metadata: { user_id: 'x' },
        thinking: { type: 'enabled', budget_tokens: 1_024 },
        context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
        output_config: { effort: 'high' },
      },
    ],
    [
      'the Responses of an agent',
      {
        ...{
          model: 'gpt-5',
          store: false,
          include: ['reasoning.encrypted_content'],
          parallel_tool_calls: true,
        },
        instructions: 'x',
        input: [
          { role: 'user', content: [{ type: 'input_text', text: 'x' }] },
          {
            type: 'reasoning',
            id: 'rs',
            summary: [{ type: 'summary_text', text: 'x' }],
            encrypted_content: 'x',
          },
          { type: 'function_call', call_id: 'c', name: 'weather', arguments: '{"file_id":"x"}' },
          { type: 'function_call_output', call_id: 'c', output: 'x' },
        ],
        tools: [{ type: 'function', name: 'weather', parameters: { type: 'object' }, strict: true }],
        reasoning: { effort: 'medium', summary: 'auto' },
        text: { format: { type: 'json_schema', name: 'x', schema: { type: 'object' } } },
        prompt_cache_key: 'x',
      },
    ],
    [
      'chat completions with tools',
      {
        ...{ model: 'gpt-5', n: 1, stop: null, seed: 1, response_format: { type: 'json_object' }, user: 'x' },
        messages: [
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'c', type: 'function', function: { name: 'w', arguments: '{}' } }],
          },
          { role: 'tool', tool_call_id: 'c', content: 'x' },
        ],
        tools: [{ type: 'function', function: tool }],
        tool_choice: 'auto',
      },
    ],
    [
      'Gemini',
      {
        contents: [
          {
            role: 'model',
            parts: [{ functionCall: { name: 'w', args: { uri: 'x' } }, thoughtSignature: 'x' }],
          },
          { role: 'user', parts: [{ functionResponse: { name: 'w', response: { fileUri: 'x' } } }] },
        ],
        systemInstruction: { parts: [{ text: 'x' }] },
        tools: [{ functionDeclarations: [{ name: 'w', parameters: { type: 'OBJECT' } }] }],
        toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
        generationConfig: {
          temperature: 1,
          thinkingConfig: { thinkingBudget: 0 },
          responseModalities: ['TEXT'],
        },
        safetySettings: [],
      },
    ],
    [
      'Converse',
      {
        messages: [{ role: 'user', content: [{ text: 'x' }, { cachePoint: { type: 'default' } }] }],
        system: [{ text: 'x' }],
        toolConfig: {
          tools: [{ toolSpec: { name: 'w', inputSchema: { json: {} } } }],
          toolChoice: { auto: {} },
        },
        inferenceConfig: { maxTokens: 9 },
        additionalModelRequestFields: { top_k: 5 },
      },
    ],
  ])('passes what SDKs send: %s', (_name, body) => {
    expect(scan(body)).toMatchObject({
      unmetered: null,
      dearer: null,
      elsewhere: null,
      images: 0,
      hasTools: true,
    })
  })

  it.each([
    ['tools type web_search', { tools: [{ type: 'web_search' }] }],
    ['tools', { tools: { type: 'web_search' } }],
    ['tools googleSearch', { tools: [{ googleSearch: {} }] }],
    ['tools type mcp', { input: [{ type: 'tool_search_output', tools: [{ type: 'mcp' }] }] }],
    ['tools allowed_callers', { tools: [{ ...tool, allowed_callers: ['code_execution_20250825'] }] }],
    ['generationConfig speechConfig', { generationConfig: { speechConfig: {} } }],
    ['additionalModelRequestFields max_tokens', { additionalModelRequestFields: { max_tokens: 1 } }],
    ['context_management', { context_management: { edits: [{ type: 'compact_20260112' }] } }],
    ['type document_url', { messages: [{ content: [{ type: 'document_url', document_url: 'x' }] }] }],
    ['mcp_servers', { mcp_servers: [] }],
    ['extra_body', { extra_body: { tools: [] } }],
  ])('names what nobody can tell the use of: %s', (unmetered, body) => {
    expect(scan(body)).toMatchObject({ unmetered })
  })

  it('finds images wherever vendors take them, and leaves them out of the text', () => {
    const body = {
      messages: [
        {
          content: [
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}`, detail: 'high' } },
          ],
        },
        { content: [{ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }] },
        { content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }] },
        { content: [{ image: { format: 'png', source: { bytes: PNG } } }], images: [PNG] },
      ],
      contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: PNG } }] }],
    }
    expect(scan(body)).toMatchObject({ images: 6, elsewhere: null })
    expect(scan(body).uncounted).toHaveLength(6)
  })

  it('takes nothing else for an image', () => {
    for (const part of [
      { inlineData: { mimeType: 'application/pdf', data: PNG } },
      { inline_data: { mime_type: 'video/mp4', data: PNG } },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PNG } },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'JVBERi0xLjc' } },
      { type: 'image', source: { type: 'file', file_id: 'x' } },
      { type: 'image', source: { type: 'url', url: 'https://x.example' } },
    ]) {
      expect(scan({ messages: [{ content: [part] }] }).elsewhere).not.toBeNull()
    }
  })

  it('counts prompts and documents', () => {
    expect(scan({ prompt: 'x' }).prompts).toBe(1)
    expect(scan({ prompt: [1, 2, 3] }).prompts).toBe(1)
    expect(scan({ prompt: ['a', 'b', [1, 2]] }).prompts).toBe(3)
    expect(scan({ query: 'x', documents: ['a', { text: 'b' }] }).documents).toBe(2)
  })

  it('comes to its end on bodies that are made to be slow', () => {
    for (const text of ['[],', '{"a":[]},', '"\\\\",', '1,', '{"a":{"b":1}},']) {
      scanSpending(Buffer.from(`{"messages":[${text.repeat(200_000)}1]}`))
    }
  })
})
