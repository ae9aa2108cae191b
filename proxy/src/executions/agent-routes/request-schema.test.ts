import { describe, expect, test } from 'vitest'
import type { AppError } from '../../kernel/index.ts'
import { parseExecuteBody } from './request-schema.ts'

const BODY = { skill_id: 'demo', code: '1' }

test('what is left out stays out, so that the comments of a fetched skill may say it', () => {
  expect(parseExecuteBody({ skill_id: 'demo', skill_url: 'https://example.com/a.ts' })).toEqual({
    skillId: 'demo',
    skillUrl: 'https://example.com/a.ts',
    runtime: 'deno',
    argsJson: null,
  })
})

test('args become canonical JSON: order and white space do not matter', () => {
  const one = parseExecuteBody({ ...BODY, args: { b: [1, { d: 1, c: -0 }], a: 'é' } })
  expect(one.argsJson).toBe('{"a":"é","b":[1,{"c":0,"d":1}]}')
  expect(parseExecuteBody({ ...BODY, args: {} }).argsJson).toBe('{}')
})

test('a value may be asked for in each part of a request', () => {
  const everywhere = { name: 'A', in: ['body', 'cookie', 'form', 'header', 'path', 'query'] }
  expect(parseExecuteBody({ ...BODY, secrets: [everywhere] }).secrets).toEqual([everywhere])
  expect(() => parseExecuteBody({ ...BODY, secrets: [{ name: 'A', in: ['fragment'] }] })).toThrow()
})

test('an empty list of secrets is a list: metadata.secrets does not come back in', () => {
  const request = parseExecuteBody({ ...BODY, secrets: [], metadata: { secrets: ['A'] } })
  expect(request.secrets).toEqual([])
})

describe('issues are told where they are', () => {
  test.each<[object, (string | number)[], RegExp]>([
    [{ secrets: ['1A'] }, ['secrets', 0], /does not begin with a digit/],
    [{ secrets: ['OK', { name: 'OK2', hosts: ['a b'] }] }, ['secrets', 1, 'hosts', 0], /ASCII/],
    [{ secrets: [{ name: 'A', value: 'x' }] }, ['secrets', 0], /value/],
    [{ secrets: 'A' }, ['secrets'], /array/],
    [{ secrets: [7] }, ['secrets', 0], /./],
    [{ metadata: { network: ['10.0.0.0/8'] } }, ['metadata', 'network', 0], /host/],
    [{ args: { PATH: 1 } }, ['args', 'PATH'], /steers/],
  ])('%j', (extra, path, message) => {
    try {
      parseExecuteBody({ ...BODY, ...extra })
      expect.unreachable()
    } catch (error) {
      const [issue] = (error as AppError).details as { path: unknown; message: string }[]
      expect(issue?.path).toEqual(path)
      expect(issue?.message).toMatch(message)
    }
  })
})
