import { describe, expect, it } from 'vitest'
import {
  modelMatches,
  pathMatches,
  readModels,
  readPaths,
  type Scope,
  scopeCovers,
  scopeIncludes,
} from './patterns.ts'

describe('what a grant for models and paths covers', () => {
  it.each<[string, string, boolean]>([
    ['gpt-5', 'gpt-5', true],
    ['gpt-5', 'gpt-5-mini', false],
    ['gpt-5', 'GPT-5', false],
    ['gpt-5*', 'gpt-5', true],
    ['gpt-5*', 'gpt-5-mini', true],
    ['gpt-5*', 'gpt-4', false],
    ['gpt-5', 'gpt-5*', false],
  ])('reads %s for %s as %s', (pattern, model, expected) => {
    expect(modelMatches(pattern, model)).toBe(expected)
  })

  it.each<[string, string, boolean]>([
    ['/chat', '/chat', true],
    ['/chat', '/chat/completions', true],
    ['/chat', '/chatter', false],
    ['/chat', '/chat-2', false],
    ['/chat/completions', '/chat', false],
    ['/chat', '/v1/chat', false],
  ])('reads the beginning %s of %s as %s', (beginning, path, expected) => {
    expect(pathMatches(beginning, path)).toBe(expected)
  })

  it('covers no request without a model when models are named', () => {
    expect(
      scopeCovers(
        { groups: ['inference'], models: ['gpt-5*'], paths: null },
        { group: 'inference', model: null, path: '/models' },
      ),
    ).toBe(false)
    expect(
      scopeCovers(
        { groups: ['inference'], models: null, paths: null },
        { group: 'inference', model: null, path: '/models' },
      ),
    ).toBe(true)
  })

  it('wants both the model and the path to be covered', () => {
    const scope: Scope = { groups: ['inference'], models: ['a'], paths: ['/chat'] }
    expect(scopeCovers(scope, { group: 'inference', model: 'a', path: '/chat/x' })).toBe(true)
    expect(scopeCovers(scope, { group: 'inference', model: 'a', path: '/files' })).toBe(false)
    expect(scopeCovers(scope, { group: 'inference', model: 'b', path: '/chat' })).toBe(false)
  })

  it.each<[string, string[] | null, string[] | null, boolean]>([
    ['everything over some', null, ['a'], true],
    ['some over everything', ['a'], null, false],
    ['a beginning over a name', ['gpt*'], ['gpt-5'], true],
    ['a beginning over a longer one', ['gpt*'], ['gpt-5*'], true],
    ['a beginning over a shorter one', ['gpt-5*'], ['gpt*'], false],
    ['a name over the beginning that looks like it', ['gpt-5'], ['gpt-5*'], false],
    ['more over fewer', ['a', 'b'], ['b'], true],
    ['fewer over more', ['a'], ['a', 'b'], false],
  ])('sees whether a scope includes another: %s', (_what, outer, inner, expected) => {
    expect(
      scopeIncludes(
        { groups: ['inference'], models: outer, paths: null },
        { groups: ['inference'], models: inner, paths: null },
      ),
    ).toBe(expected)
  })

  it('is for its groups alone', () => {
    const scope: Scope = { groups: ['inference', 'models'], models: null, paths: null }
    expect(scopeCovers(scope, { group: 'inference', model: 'a', path: '/x' })).toBe(true)
    expect(scopeCovers(scope, { group: 'files', model: null, path: '/files' })).toBe(false)
    expect(scopeIncludes(scope, { ...scope, groups: ['models'] })).toBe(true)
    expect(scopeIncludes(scope, { ...scope, groups: ['models', 'files'] })).toBe(false)
  })

  it('sees by whole segments whether paths include others', () => {
    const of = (outer: string[], inner: string[]) =>
      scopeIncludes(
        { groups: ['inference'], models: null, paths: outer },
        { groups: ['inference'], models: null, paths: inner },
      )
    expect(of(['/chat'], ['/chat/completions'])).toBe(true)
    expect(of(['/chat'], ['/chats'])).toBe(false)
  })
})

describe('what an owner may write', () => {
  it('takes * alone for every model, and / for every path', () => {
    expect(readModels(['gpt-5', '*'])).toBeNull()
    expect(readPaths(['/'])).toBeNull()
  })

  it('stores each once, in order, and a path without its end', () => {
    expect(readModels(['b*', 'a', 'b*'])).toEqual(['a', 'b*'])
    expect(readPaths(['/chat/*', '/audio/'])).toEqual(['/audio', '/chat'])
  })

  it.each([[['']], [[]], [['a*b']], [['a b']], [['a**']], [['a\u202eb']], [['x'.repeat(257)]]])(
    'refuses the models %j',
    (models) => {
      expect(() => readModels(models)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    },
  )

  it.each([
    'chat',
    '/chat*',
    '/a//b',
    '/a/../b',
    '/a/./b',
    '/a%2fb',
    '/a?b',
    '/a#b',
    '/a\\b',
    '//x',
    '/a\u0000',
    '',
  ])('refuses the path %j', (path) => {
    expect(() => readPaths([path])).toThrow(expect.objectContaining({ code: 'invalid_request' }))
  })
})
