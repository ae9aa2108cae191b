import { expect, it } from 'vitest'
import { modelOfPath, modelOfQuery, plainModel } from './request-model.ts'

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

it('takes the prefix of a collection off', () => {
  expect(plainModel('models/gemini-2.5-flash')).toBe('gemini-2.5-flash')
  expect(plainModel('gpt-5')).toBe('gpt-5')
})
