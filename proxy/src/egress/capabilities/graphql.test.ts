import { getOperationAST, parse } from 'graphql'
import { describe, expect, test } from 'vitest'
import { graphqlOperation, operationOfRequest } from './graphql.ts'

describe('a GraphQL document', () => {
  test.each([
    ['{ viewer { login } }', 'query'],
    ['query { a }', 'query'],
    ['query Q($a: [Int!]! = [1], $b: In = {c: "}"}) @d(x: {y: 1}) { a(x: $a) { b } }', 'query'],
    ['subscription S { a }', 'query'],
    ['mutation { a }', 'mutation'],
    ['mutation M($a: In = {b: {c: 1}}) { a }', 'mutation'],
    ['query Q { a } mutation M { b }', 'mutation'],
    ['fragment F on T { a } mutation M { b }', 'mutation'],
    ['# mutation\n{ a }', 'query'],
    ['{ a(x: "mutation { b }") }', 'query'],
    ['{ a(x: """mutation { \\""" b }""") }', 'query'],
    ['{ mutation { id } }', 'query'],
    ['\ufeff ,,, mutation,M{a}', 'mutation'],
    ['query # {\n{ a } # x\rmutation { b }', 'mutation'],
    ['"what it does" mutation { a }', 'mutation'],
    ['query Q { a } "what it does" mutation M { b }', 'mutation'],
    ['"""mutation {""" query Q("of what" $a: Int) { a(x: $a) }', 'query'],
  ])('%j is a %s', (text, expected) => {
    expect(graphqlOperation(text)).toBe(expected)
    const kinds = parse(text).definitions.map((one) => ('operation' in one ? one.operation : ''))
    expect(kinds.includes('mutation' as never)).toBe(expected === 'mutation')
    expect(getOperationAST).toBeTypeOf('function')
  })

  test.each(['', 'cats', 'mutation of genes', 'query', '"{a}"', '[1]', '42', 'SELECT 1', 'the {thing}'])(
    '%j is none',
    (text) => {
      expect(graphqlOperation(text)).toBe(null)
    },
  )

  test.each(['{', '(', '"', '"""', '#', '{"', 'query ', '{a(', 'mutation@'])(
    'a mebibyte of %j ends',
    (text) => {
      graphqlOperation(text.repeat(1_048_576 / text.length))
    },
  )
})

describe('a request', () => {
  const operation = (path: string, body: string, contentType = 'application/json') =>
    operationOfRequest({ path, body: Buffer.from(body), contentType })
  const query = JSON.stringify({ query: '{ a }' })
  const mutation = JSON.stringify({ query: 'mutation { a }', variables: {} })

  test.each([
    ['/v2', mutation],
    ['/v2', `[${query},${mutation}]`],
    ['/v2', JSON.stringify({ query: 'query A { a } "of B" mutation B { b }', operationName: 'B' })],
    ['/graphql', JSON.stringify({ query: '"of B" mutation B { b }' })],
    ['/v2', `{"query":"mutation { a }","query":"{ a }"}`],
    ['/v2', `{"Query":"mutation { a }"}`],
    ['/v2', `{"query":"\\u006dutation { a }"}`],
    ['/v2', `{"x":"y","query":"mutat\\u0069on { a }"`],
    ['/graphql', '{"id":"abc"}'],
    ['/graphql', 'not json'],
    ['/graphql', '{"query":"mutation {"}'],
    ['/api/2024/graphql.json', '{"extensions":{"persistedQuery":{}}}'],
    ['/graphql', '{"query":"???","x":"{ a }"}'],
    ['/x?query=mutation%7Ba%7D', ''],
    ['/graphql?id=1', ''],
  ])('to %s with %s may change something', (path, body) => {
    expect(operation(path, body)).toBe('mutation')
  })

  test.each([
    ['/graphql', 'mutation { a }', 'application/graphql'],
    ['/x', 'query=mutation%7Ba%7D', 'application/x-www-form-urlencoded'],
    ['/x', 'name="operations"', 'multipart/form-data; boundary=x'],
    ['/query', mutation, 'application/x-www-form-urlencoded'],
    ['/query', mutation, 'multipart/form-data; boundary=x'],
    ['/query', `${mutation}'`, 'text/plain'],
    ['/graphql', `${mutation} /`, 'text/plain'],
    ['/graphql', `{"id":"stored"} '`, 'text/plain'],
    ['/graphql', '{"id":"stored","a":"&q={a}"}', 'application/x-www-form-urlencoded'],
    ['/x', query, 'application/json; charset=utf-16'],
    ['/graphql', 'file', 'multipart/form-data; boundary=x'],
  ])('to %s with %s as %s may, too', (path, body, contentType) => {
    expect(operation(path, body, contentType)).toBe('mutation')
  })

  test.each([
    ['/graphql', query, 'query'],
    ['/v2', query, null],
    ['/graphql?query=%7Ba%7D', '', 'query'],
    ['/v1/messages', '{"prompt":"a mutation of genes","query":"cats"}', null],
    ['/v1/upload', 'bytes', null],
    ['/graphql', '', null],
    ['/graphql', '# all\n{ a(x: "b") }', 'query'],
  ])('to %s with %s does not: %s', (path, body, expected) => {
    expect(operation(path, body)).toBe(expected)
  })

  test('that speaks of mutations too often to be read may change something', () => {
    const words = '"mutation",'.repeat(10_001)
    expect(operation('/query', `[${words}${mutation}]`, 'text/plain')).toBe('mutation')
  })

  test('whose body is not to be read may change something', () => {
    expect(operationOfRequest({ path: '/v2', contentType: '', body: null })).toBe('mutation')
  })
})
