import { expect, it } from 'vitest'
import { modelOfPath, modelOfQuery, modelsNamed } from './request-model.ts'

it.each([
  ['/v1beta/models/gemini-2.5-pro:streamGenerateContent', 'gemini-2.5-pro'],
  ['/openai/deployments/my-gpt/chat/completions', 'my-gpt'],
  ['/model/anthropic.claude-sonnet-4-v1%3A0/converse', 'anthropic.claude-sonnet-4-v1:0'],
  ['/v1/chat/completions', null],
  ['/v1/models', null],
])('%s names %s', (path, model) => {
  expect(modelOfPath(path)).toBe(model)
})

it('reads the one model of a query, and none of two', () => {
  expect(modelOfQuery('model=gpt-realtime&x=1')).toBe('gpt-realtime')
  expect(modelOfQuery('model=a&model=b')).toBeNull()
  expect(modelOfQuery('')).toBeNull()
})

it('takes the prefix of a collection off, and names each model once', () => {
  const path = '/v1beta/models/gemini-2.5-flash:embedContent'
  expect(modelsNamed(path, 'models/gemini-2.5-flash', '')).toEqual(['gemini-2.5-flash'])
  expect(modelsNamed('/v1/chat/completions', 'gpt-5', 'model=gpt-4')).toEqual(['gpt-5', 'gpt-4'])
  expect(modelsNamed('/v1/files', null, '')).toEqual([])
})

it('knows that a path acts on something that it cannot name', () => {
  expect(modelsNamed('/v1beta/tunedModels/dear:generateContent', 'models/gemini-demo', '')).toEqual([
    null,
    'gemini-demo',
  ])
  expect(modelsNamed('/v1/projects/p/locations/l/endpoints/7:predict', null, '')).toEqual([null])
})
