import { describe, expect, it } from 'vitest'
import { createTestProviders, found } from '../../../test/support/providers-kit.ts'
import { allModelsOf, endpointOfRequest, mayBeJson } from './request-scope.ts'

const providers = await createTestProviders()
const asked: Omit<Parameters<typeof endpointOfRequest>[0], 'provider'> = {
  method: 'POST',
  path: '/chat/completions',
  query: '',
  websocket: false,
  headers: [],
  background: false,
}
const groupOf = (provider: string, more: Partial<typeof asked> = {}): string =>
  endpointOfRequest({ provider: found(providers, provider), ...asked, ...more }).group

describe('what a request does', () => {
  it('is work for later where body, header or query say so', () => {
    expect(groupOf('openai')).toBe('inference')
    expect(groupOf('openai', { background: true })).toBe('deferred')
    expect(groupOf('qwen', { headers: ['x-dashscope-async', 'enable'] })).toBe('deferred')
    expect(groupOf('huggingface', { query: '%5Fsubdomain=queue' })).toBe('deferred')
    expect(groupOf('openai', { query: 'api-version=1' })).toBe('inference')
  })

  it('is a session wherever a WebSocket is opened to what else answers at once', () => {
    for (const path of ['/realtime', '/responses', '/chat/completions']) {
      expect(groupOf('openai', { path, websocket: true })).toBe('realtime')
    }
    expect(groupOf('openai', { path: '/files', websocket: true })).toBe('files')
    expect(groupOf('openai', { path: '/anything', websocket: true })).toBe('other')
  })
})

describe('all models of a request', () => {
  const openai = found(providers, 'openai')
  it('are those of every place, and none is known where none stands in its own', () => {
    expect(allModelsOf(openai, ['a'], ['models/b', null], ['x-model', 'c'])).toEqual(['a', 'b', null, 'c'])
    expect(allModelsOf(openai, [], [], ['accept', '*/*'])).toEqual([])
    expect(allModelsOf(openai, [], ['a'], [])).toEqual(['a', null])
    expect(allModelsOf(openai, ['a/auto', 'b@preset/x', 'c'], [], [])).toEqual([null, null, 'c'])
  })
})

it('sees what may be JSON all the same', () => {
  for (const path of [
    ...['/chat/completions', '/models/gemini-demo:generateContent', '/deployments/d/chat/completions'],
    ...['/model/m/converse', '/projects/p/locations/l/publishers/google/models/m:streamGenerateContent'],
  ]) {
    for (const type of ['multipart/form-data; boundary=x', 'image/png']) {
      expect(mayBeJson(path, type), path).toBe(true)
    }
  }
  expect(mayBeJson('/deployments/d/audio/transcriptions', 'multipart/form-data; boundary=x')).toBe(false)
  expect(mayBeJson('/audio/transcriptions', 'multipart/form-data; boundary=x')).toBe(false)
  expect(mayBeJson('/audio/transcriptions', 'text/plain')).toBe(true)
})
