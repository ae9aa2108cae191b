import { describe, expect, it } from 'vitest'
import { CHUNKED, get, ok, post, read, readAnyhow, request } from '../../../test/support/message-log.ts'

const REFUSED: readonly (readonly [string, string, string])[] = [
  ['a bare LF after the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 'bytes'],
  ['bare LFs alone', 'GET / HTTP/1.1\nHost: a\n\n', 'bytes'],
  ['a bare LF after a field', 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n', 'bytes'],
  ['a bare CR in a field', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n', 'bytes'],
  ['a CR before a CRLF', 'GET / HTTP/1.1\r\nHost: a\r\r\n\r\n', 'bytes'],
  ['a bare CR as the line end', 'GET / HTTP/1.1\rHost: a\r\r', 'bytes'],
  ['a NUL', post(['X: a\0b']), 'bytes'],
  ['a NUL in a name', post(['X\0: a']), 'bytes'],
  ['a vertical tab', post(['Transfer-Encoding:\x0bchunked']), 'bytes'],
  ['a DEL', post(['X: \x7f']), 'bytes'],
  ['TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 'bytes'],
  ['a folded line', post(['X: a', ' Content-Length: 5']), 'field'],
  ['a line folded with a tab', post(['X: a', '\tb']), 'field'],
  ['a folded line right behind the request line', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 'field'],
  ['a space before the colon', post(['Transfer-Encoding : chunked']), 'field'],
  ['a tab before the colon', post(['Content-Length\t: 5']), 'field'],
  ['a line without a colon', post(['Content-Length']), 'field'],
  ['a field without a name', post([': a']), 'field'],
  ['a name of signs alone', post(["!#$%&'*: a"]), 'field'],
  ['a name with a quotation mark', post(['"X": a']), 'field'],
  ['a name with high bytes', post(['X\xe4: a']), 'field'],
  ['a tab around a value', post(['Content-Length:\t0']), 'field'],
  ['a tab behind a value', post(['X: a\t']), 'field'],
  ['two spaces in the request line', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 'start-line'],
  ['a tab in the request line', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 'start-line'],
  ['a space behind the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 'start-line'],
  ['a space before the method', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'start-line'],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 'start-line'],
  ['high bytes in the target', 'GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n', 'start-line'],
  ['two empty lines before it', `\r\n\r\n${get('/')}`, 'start-line'],
  ['HTTP/0.9', 'GET /\r\n\r\n', 'start-line'],
  ['another name of the protocol', 'GET / HTTPS/1.1\r\nHost: a\r\n\r\n', 'start-line'],
  ['no digit in the version', 'GET / HTTP/1.\r\nHost: a\r\n\r\n', 'start-line'],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', 'version'],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 'version'],
  ["HTTP/2's preface", 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'version'],
  ['a method in lower case', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', 'method'],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 'method'],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 'method'],
  ['an unknown method', 'SMUGGLE / HTTP/1.1\r\nHost: a\r\n\r\n', 'method'],
  ['absolute-form', get('http://a/'), 'target'],
  ['asterisk-form', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'target'],
  ['authority-form', get('a:443'), 'target'],
  ['a target without a slash', get('v1/x'), 'target'],
  ['a fragment', get('/a#b'), 'target'],
  ['a dot segment', get('/a/../b'), 'target'],
  ['a dot segment at the end', get('/..?x'), 'target'],
  ['an escaped dot segment', get('/a/%2E./b'), 'target'],
  ['a dot segment behind an escaped slash', get('/a%2f..%2Fb'), 'target'],
  ['an escaped NUL', get('/a%00'), 'target'],
  ['half an escape', get('/a%2'), 'target'],
  ['no escape', get('/a%zz'), 'target'],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 'host'],
  ['two Hosts', post(['Host: b']), 'repeated-field'],
  ['two Hosts that are equal', post(['host: a']), 'repeated-field'],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 'host'],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 'host'],
  ['a Host with a user', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 'host'],
  ['a list of Hosts', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 'host'],
  ['a Host with two dots', 'GET / HTTP/1.1\r\nHost: a..b\r\n\r\n', 'host'],
  ['a Host with two ports', 'GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n', 'host'],
  ['both framings', post(['Content-Length: 3', CHUNKED], '0\r\n\r\n'), 'transfer-encoding'],
  ['both framings, the other way round', post([CHUNKED, 'Content-Length: 3'], '0\r\n\r\n'), 'content-length'],
  ['two lengths', post(['Content-Length: 3', 'Content-Length: 4'], 'abcd'), 'repeated-field'],
  ['two lengths that are equal', post(['Content-Length: 3', 'content-length: 3'], 'abc'), 'repeated-field'],
  ...['3, 3', '+3', '-1', '0x3', '3 3', '3.0', '03', '', '3;', '1e1', '\xb2', '9007199254740993'].map(
    (value) =>
      [`the length "${value}"`, post([`Content-Length: ${value}`], 'abc'), 'content-length'] as const,
  ),
  ['a length with an underscore', post(['Content_Length: 3'], 'abc'), 'content-length'],
  ['an encoding with an underscore', post(['Transfer_Encoding: chunked'], '0\r\n\r\n'), 'transfer-encoding'],
  ['two encodings', post([CHUNKED, CHUNKED], '0\r\n\r\n'), 'repeated-field'],
  ...[
    'identity',
    'gzip, chunked',
    'chunked, identity',
    'xchunked',
    'chunked;q=1',
    '"chunked"',
    '',
    'chunked,',
    'chun ked',
  ].map(
    (value) =>
      [
        `the encoding "${value}"`,
        post([`Transfer-Encoding: ${value}`], '0\r\n\r\n'),
        'transfer-encoding',
      ] as const,
  ),
  ['two credentials', post(['Authorization: a', 'authorization: b']), 'repeated-field'],
  ['two content types', post(['Content-Type: a', 'Content-type: b']), 'repeated-field'],
]
const BAD_CHUNKS: readonly (readonly [string, string])[] = [
  ['no size', '\r\nabc\r\n0\r\n\r\n'],
  ['a size that is none', 'g\r\n'],
  ['a size with a sign', '+3\r\nabc\r\n0\r\n\r\n'],
  ['a size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['a size with an underscore', '1_0\r\n'],
  ['a size of many digits', '00000000000003\r\nabc\r\n0\r\n\r\n'],
  ['a size that overflows', 'fffffffffffffffff\r\nabc'],
  ['a space before the size', ' 3\r\nabc\r\n0\r\n\r\n'],
  ['a space behind the size', '3 \r\nabc\r\n0\r\n\r\n'],
  ['an extension', '3;a=b\r\nabc\r\n0\r\n\r\n'],
  ['an extension with a bare LF', '3;a\nabc\r\n0\r\n\r\n'],
  ['a bare LF behind the size', '3\nabc\r\n0\r\n\r\n'],
  ['a bare CR behind the size', '3\rabc\r\n0\r\n\r\n'],
  ['a chunk that is longer', '3\r\nabcd\r\n0\r\n\r\n'],
  ['a bare LF behind a chunk', '3\r\nabc\n0\r\n\r\n'],
  ['another byte and an LF behind a chunk', '3\r\nabcX\n0\r\n\r\n'],
  ['another byte and an LF behind the size', '3X\nabc\r\n0\r\n\r\n'],
  ['a bare CR behind a chunk', '3\r\nabc\r0\r\n\r\n'],
  ['an extension of the last chunk', '0;a\r\n\r\n'],
]

describe('refused is', () => {
  it.each(REFUSED)('a request with %s', (_name, text, problem) => {
    expect(readAnyhow('request', text).problem).toBe(problem)
    // Behind another one as well, where the bytes before it are the end of a body.
    const behind = readAnyhow('request', post(['Content-Length: 2'], 'ab') + text)
    expect([behind.problem, behind.messages[0]?.ended]).toEqual([problem, true])
  })

  it.each(BAD_CHUNKS)('in both directions a chunk with %s', (_name, body) => {
    expect(readAnyhow('request', post([CHUNKED], body)).problem).toBe('chunk')
    expect(readAnyhow('response', ok([CHUNKED], body))).toMatchObject({ problem: 'chunk', status: 502 })
  })

  it('a request with trailers, and one whose last line is none', () => {
    expect(readAnyhow('request', post([CHUNKED], '0\r\nX: y\r\n\r\n')).problem).toBe('trailers')
    expect(readAnyhow('request', post([CHUNKED], '0\r\n\n')).problem).toBe('trailers')
    expect(readAnyhow('request', post([CHUNKED], '0\r\n\rX')).problem).toBe('bytes')
  })

  it('a head with too many fields, or bytes', () => {
    const many = (count: number) => post(Array.from({ length: count }, (_, index) => `X-${index}: y`))
    expect(read('request', [many(255)]).problem).toBeUndefined()
    expect(read('request', [many(256)])).toMatchObject({ problem: 'head-too-large', status: 431 })
    const long = (bytes: number) => post([`X: ${'y'.repeat(bytes - post(['X: ']).length)}`])
    for (const [role, limit, make] of [
      ['request', 16_384, long],
      ['response', 65_536, (bytes: number) => ok([`X: ${'y'.repeat(bytes - ok(['X: ']).length)}`])],
    ] as const) {
      for (const split of [(text: string) => [text], (text: string) => [...text]]) {
        expect(read(role, split(make(limit))).problem).toBeUndefined()
        expect(read(role, split(make(limit + 1))).problem).toBe('head-too-large')
        // Also one that has no end.
        expect(read(role, split(make(limit * 2).slice(0, limit)), { ends: false }).problem).toBe(
          'head-too-large',
        )
      }
    }
  })
})

describe('a response', () => {
  it.each([
    ['another version', 'HTTP/1.2 200 OK\r\n\r\n', 'start-line'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n', 'start-line'],
    ['a short status', 'HTTP/1.1 20 OK\r\n\r\n', 'start-line'],
    ['a long status', 'HTTP/1.1 2000 OK\r\n\r\n', 'start-line'],
    ['a status of no class', 'HTTP/1.1 600 OK\r\n\r\n', 'start-line'],
    ['an unknown interim status', 'HTTP/1.1 150 OK\r\n\r\n', 'start-line'],
    ['an empty line before it', '\r\nHTTP/1.1 200 OK\r\n\r\n', 'start-line'],
    ['a bare LF', 'HTTP/1.1 200 OK\n\n', 'bytes'],
    ['a NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n', 'bytes'],
    ['101', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', 'upgrade'],
    ['both framings', ok([CHUNKED, 'Content-Length: 1'], '0\r\n\r\n'), 'content-length'],
    ['two lengths', ok(['Content-Length: 1', 'Content-Length: 1'], 'a'), 'repeated-field'],
    ['chunks in HTTP/1.0', request(['HTTP/1.0 200 OK', CHUNKED], '0\r\n\r\n'), 'transfer-encoding'],
    ['chunks with 204', request(['HTTP/1.1 204', CHUNKED], '0\r\n\r\n'), 'transfer-encoding'],
    ['a length with 204', request(['HTTP/1.1 204', 'Content-Length: 1'], 'a'), 'content-length'],
    ['a length with 100', request(['HTTP/1.1 100', 'Content-Length: 1'], 'a'), 'content-length'],
    ['a length in a trailer', ok([CHUNKED], '0\r\nContent-Length: 1\r\n\r\n'), 'trailers'],
    ['an end of the connection in a trailer', ok([CHUNKED], '0\r\nConnection: close\r\n\r\n'), 'trailers'],
    ['two content types', ok(['Content-Type: a', 'content-type: b']), 'repeated-field'],
    ['an interim one that is the last', request(['HTTP/1.1 100', 'Connection: close']), 'informational'],
    ['an interim one of HTTP/1.0', request(['HTTP/1.0 103']), 'informational'],
    ['a host in a trailer', ok([CHUNKED], '0\r\nHost: a\r\n\r\n'), 'trailers'],
    ['a trailer that is no field', ok([CHUNKED], '0\r\nX Y\r\n\r\n'), 'field'],
    ['a bare LF in a trailer', ok([CHUNKED], '0\r\nX: y\n\r\n'), 'bytes'],
  ])('with %s is refused', (_name, text, problem) => {
    expect(readAnyhow('response', text)).toMatchObject({ problem, status: 502 })
  })

  it('with trailers without end is refused', () => {
    const text = ok([CHUNKED], `0\r\nX: ${'y'.repeat(65_536)}`)
    expect(read('response', [text], { ends: false }).problem).toBe('head-too-large')
    expect(read('response', [...text], { ends: false }).problem).toBe('head-too-large')
  })
})
