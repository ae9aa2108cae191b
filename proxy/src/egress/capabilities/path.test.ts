import { describe, expect, test } from 'vitest'
import { type PathPattern, parsePathPattern, pathCovers, pathMatches, readPath } from './path.ts'

const pattern = (text: string): PathPattern => {
  const parsed = parsePathPattern(text)
  if ('problem' in parsed) throw new Error(`${text} ${parsed.problem}`)
  return parsed
}
const matches = (text: string, path: string): boolean => {
  const readings = readPath(path)
  return readings !== null && pathMatches(pattern(text), readings)
}

describe('path patterns', () => {
  test.each([
    ['/v1/charges', '/v1/charges'],
    ['/v1/charges', '/v1/charges?limit=3'],
    ['/v1/charges', '/v1/%63harges'],
    ['/v1/charges/*', '/v1/charges/ch_1'],
    ['/v1/charges/*/refund', '/v1/charges/ch_1/refund'],
    ['/repos/acme/**', '/repos/acme/a/b'],
    ['/repos/acme/**', '/repos/acme/a%2Fb'],
    ['/**', '/'],
    ['/**', '/any/thing/'],
    ['/', '/'],
    ['/a/', '/a/'],
    ['/wiki/*', '/wiki/Who%3F'],
    ['/p/group%2Fname/issues', '/p/group%2fname/issues'],
    ['/v1/models/gemini:generate', '/v1/models/gemini:generate'],
    ['/v1/models/gemini:generate', '/v1/models/gemini%3Agenerate'],
    ['/v/*', '/v/%E4%BD%A0'],
  ])('%s matches %s', (text, path) => {
    expect(matches(text, path)).toBe(true)
  })

  test.each(
    [
      ['/v1/charges', '/v1/charges/'],
      ['/v1/charges', '/V1/charges'],
      ['/v1/charges', '/v1/charges/ch_1'],
      ['/v1/charges/*', '/v1/charges/'],
      ['/repos/acme/**', '/repos/acme/'],
      ['/v1/charges/*', '/v1/charges'],
      ['/v1/charges/*', '/v1/charges/a/b'],
      ['/v1/charges/*', '/v1/charges/a%2Fb'],
      ['/v1/charges/*', '/v1/charges/..'],
      ['/v1/charges/*', '/v1/charges/%2e%2E'],
      ['/v1/charges/*', '/v1/charges/..;x'],
      ['/v1/charges/*', '/v1/charges/;x'],
      ['/v1/charges/*', '/v1/charges/..%2Frefunds'],
      ['/v1/charges/*', '/v1/charges/%252e%252e'],
      ['/v1/charges/*', '/v1/charges/a%00'],
      ['/v1/charges/*', '/v1/charges/%zz'],
      ['/v1/charges/*', '/v1/charges/%c0%af'],
      ['/v1/charges/*', '/v1/charges/a%EF%BC%8Fb'],
      ['/v1/charges/*', '/v1/charges/a.b%EF%BC%8Fc'],
      ['/v1/charges/*', '/v1/charges/v1.0%EF%BC%8F..%EF%BC%8Frefunds'],
      ['/v1/charges/*', '/v1/charges/.%EF%BC%8E'],
      ['/v1/charges/*', '/v1/charges/a%3Bb%EF%BC%8Fc'],
      ['/v1/charges/*', '/v1//charges'],
      ['/v1/charges/*/refund', '/v1/charges/ch_1%3F/refund'],
      ['/v1/charges/*/refund', '/v1/charges/ch_1%23/refund'],
      ['/repos/acme/**', '/repos/acme'],
      ['/repos/acme/**', '/repos/acme%2Fx'],
      ['/repos/acme/**', '/repos/acme/../other'],
      ['/repos/acme/**', '/repos/acme/x%2F..%2F..%2Fother'],
      ['/p/group%2Fname/*', '/p/group%2Fname/a%2Fb'],
      ['/p/group%2Fname/issues', '/p/group/name/issues'],
      ['/p/*/issues', '/p/group%2Fname/issues'],
      ['/a\u002a', '/ab'],
    ].filter(([text]) => !('problem' in parsePathPattern(text as string))),
  )('%s does not match %s', (text, path) => {
    expect(matches(text as string, path as string)).toBe(false)
  })

  test.each([
    '',
    'v1',
    '/a?b',
    '/a#b',
    '/a\\b',
    '/a//b',
    '/a/../b',
    '/a/%2e/b',
    '/a b',
    '/a*',
    '/**/a',
    '/a/***',
    '/é',
    '/a%',
    '/a%2',
    '/%00',
    '/%252F',
    '/x%2F..',
    `/${'a'.repeat(600)}`,
  ])('%j is none', (text) => {
    expect(parsePathPattern(text)).toHaveProperty('problem')
  })

  test.each([
    ['/**', '/a', true],
    ['/**', '/**', true],
    ['/**', '/', true],
    ['/a/**', '/a/b', true],
    ['/a/**', '/a/*', true],
    ['/a/**', '/a/b/**', true],
    ['/a/**', '/a/', false],
    ['/a/**', '/a', false],
    ['/a/**', '/**', false],
    ['/a/**', '/b/c', false],
    ['/a/*', '/a/b', true],
    ['/a/*', '/a/*', true],
    ['/a/*', '/a/', false],
    ['/a/*', '/a/**', false],
    ['/a/b', '/a/*', false],
    ['/*/b', '/a/b', true],
  ])('%s covers %s: %s', (outer, inner, expected) => {
    expect(pathCovers(pattern(outer), pattern(inner))).toBe(expected)
  })

  test('are canonical: ordinary characters are never encoded', () => {
    expect(pattern('/%61/%7e/a%2fb').text).toBe('/a/~/a%2Fb')
  })
})
