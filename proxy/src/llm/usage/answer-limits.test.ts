import { describe, expect, it } from 'vitest'
import { answerFormat } from './answer-formats.ts'
import { answerLimitSplices, declaredLimit, LimitReader, limitName } from './answer-limits.ts'
import { walkObject } from './json-walk.ts'

const limitMembers = (body: Buffer) => {
  const reader = new LimitReader(body)
  walkObject(body, [reader])
  return reader.result()
}

import { splicedPieces } from './splice.ts'

const formatOf = (provider: string, path: string) => {
  const format = answerFormat(provider, 'POST', path)
  if (format === null) throw new Error('no format')
  return format
}

describe('how long an answer may be', () => {
  it.each([
    ['openai', '/chat/completions', '{}', null, '{"max_completion_tokens":7}'],
    ['openai', '/chat/completions', '{"max_tokens":9}', 9, '{"max_tokens":7}'],
    ['openai', '/chat/completions', '{"max_tokens":null,"a":1}', null, '{"max_tokens":7,"a":1}'],
    [
      ...(['openai', '/chat/completions', '{"max_tokens":3,"max_completion_tokens":-1}', null] as const),
      '{"max_tokens":7,"max_completion_tokens":7}',
    ],
    ['mistral', '/chat/completions', '{"a":1}', null, '{"max_tokens":7,"a":1}'],
    [
      ...(['mistral', '/chat/completions', '{"max_completion_tokens":4}', 4] as const),
      '{"max_tokens":7,"max_completion_tokens":4}',
    ],
    [
      ...(['mistral', '/chat/completions', '{"max_tokens":1,"max_completion_tokens":9}', 9] as const),
      '{"max_tokens":7,"max_completion_tokens":7}',
    ],
    [
      ...(['mistral', '/chat/completions', '{"max_completion_tokens":-1}', null] as const),
      '{"max_tokens":7,"max_completion_tokens":7}',
    ],
    ['openai', '/responses', '{"max_tokens":4}', null, '{"max_output_tokens":7,"max_tokens":4}'],
    ['google', '/models/m:generateContent', '{}', null, '{"generationConfig":{"maxOutputTokens":7}}'],
    [
      ...([
        'google',
        '/models/m:streamGenerateContent',
        '{"maxOutputTokens":1,"generation_config":{ "a":1}}',
        null,
      ] as const),
      '{"maxOutputTokens":1,"generation_config":{"maxOutputTokens":7, "a":1}}',
    ],
    [
      ...([
        'google',
        '/models/m:generateContent',
        '{"generationConfig":{"max_output_tokens":5}}',
        5,
      ] as const),
      '{"generationConfig":{"max_output_tokens":7}}',
    ],
    ['bedrock', '/model/m/converse', '{"inferenceConfig":{}}', null, '{"inferenceConfig":{"maxTokens":7}}'],
    ['ollama', '/api/chat', '{"options":null}', null, '{"options":{"num_predict":7}}'],
    ['ollama', '/api/chat', '{"options":{"num_predict":-1}}', null, '{"options":{"num_predict":7}}'],
    ['cohere', '/chat', '{"x":[{"max_tokens":1}]}', null, '{"max_tokens":7,"x":[{"max_tokens":1}]}'],
  ] as const)('is read and put in where the vendor reads it: %s %s %s', (provider, path, text, said, put) => {
    const format = formatOf(provider, path)
    const body = Buffer.from(text)
    const limits = limitMembers(body)
    expect(declaredLimit(limits, format).tokens).toBe(said)
    const changed = Buffer.concat(splicedPieces(body, answerLimitSplices(limits, format, 7)))
    expect(changed.toString()).toBe(put)
    expect(declaredLimit(limitMembers(changed), format).tokens).toBe(7)
  })

  it('says the name of its member', () => {
    expect(limitName(formatOf('google', '/models/m:generateContent'))).toBe(
      'generationConfig.maxOutputTokens',
    )
    expect(limitName(formatOf('anthropic', '/messages'))).toBe('max_tokens')
  })
})

it.each([
  ['POST', '/async/chat/completions'],
  ['POST', '/Chat/Completions'],
  ['POST', '/%63hat/completions'],
  ['GET', '/chat/completions'],
  ['GET', '/chat/completions/x'],
  ['DELETE', '/models/x'],
  ['POST', '/messages/batches'],
  ['POST', '/models/a%3Ab:generateContent'],
  ['POST', '/models/m:batchGenerateContent'],
  ['POST', '/model/amazon.titan/invoke'],
  ['GET', '/realtime'],
  ['POST', ''],
])('%s %s is no endpoint that is known to tell its tokens', (method, path) => {
  expect(answerFormat('openai', method, path)).toBeNull()
})
