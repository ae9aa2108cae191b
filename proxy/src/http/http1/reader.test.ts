import { describe, expect, it } from 'vitest'
import { CHUNKED, get, ok, post, read, readAnyhow, request } from '../../../test/support/message-log.ts'
import { MessageReader } from './index.ts'

describe('a request', () => {
  it('is read with its fields as they came', () => {
    const { messages, problem, reader } = readAnyhow(
      'request',
      request(
        [
          'PATCH /v1/x?a="b\\" HTTP/1.1',
          'HOST: a-b.example:8080',
          'X-Y:z',
          'x-y:   \xe4 \t b  ',
          'X-Empty:',
          'Content-Length: 3',
        ],
        'abc',
      ),
    )
    expect(problem).toBeUndefined()
    expect(reader.state).toBe('ended')
    expect(messages).toMatchObject([{ body: 'abc', ended: true }])
    expect(messages[0]?.head).toMatchObject({
      ...{ method: 'PATCH', target: '/v1/x?a="b\\"', status: 0, reason: '' },
      rawHeaders: [
        'HOST',
        'a-b.example:8080',
        'X-Y',
        'z',
        'x-y',
        '\xe4 \t b',
        'X-Empty',
        '',
        'Content-Length',
        '3',
      ],
      ...{ keepAlive: true, framing: 'length', length: 3, expectsContinue: false, isUpgrade: false },
    })
  })

  it('keeps a no-break space, which is a byte of a value and no whitespace', () => {
    const { messages } = read('request', [post(['X-A: \xa0a\xa0'])])
    expect(messages[0]?.head.rawHeaders.at(-1)).toBe('\xa0a\xa0')
  })

  it.each([
    ['names', 'a.example'],
    ['with underscores', 'llm_proxy:8080'],
    ['rooted', 'a.example.'],
    ['IPv4', '127.0.0.1:1'],
    ['IPv6', '[::1]:8080'],
  ])('has a host: %s', (_name, host) => {
    expect(read('request', [request(['GET / HTTP/1.1', `Host: ${host}`])]).problem).toBeUndefined()
  })

  it('is one of many on a connection, each to its last byte', () => {
    const chunks = '3\r\nabc\r\n00F\r\n0123456789abcde\r\n0\r\n\r\n'
    const { messages, problem } = readAnyhow(
      'request',
      `${get('/1')}${post(['Content-Length: 4'], 'GET ')}${post([CHUNKED], chunks)}\r\n${get('/4')}`,
    )
    expect(problem).toBeUndefined()
    expect(messages.map(({ head, body, ended }) => [head.method, head.framing, body, ended])).toEqual([
      ['GET', 'none', '', true],
      ['POST', 'length', 'GET ', true],
      ['POST', 'chunked', 'abc0123456789abcde', true],
      ['GET', 'none', '', true],
    ])
  })

  it('waits for the one before it', () => {
    const seen: string[] = []
    const reader = new MessageReader('request', {
      onHead({ target }) {
        seen.push(target)
        return 'framed'
      },
      onBody: () => {},
      onEnd: () => seen.push('end'),
      onError: (problem) => seen.push(problem),
    })
    reader.push(Buffer.from(`${get('/1')}${get('/2')}`))
    reader.push(Buffer.from(get('/3')))
    reader.finish()
    expect([seen, reader.state, reader.held]).toEqual([['/1', 'end'], 'done', 2 * get('/2').length])
    reader.next()
    reader.next()
    expect(seen).toEqual(['/1', 'end', '/2', 'end', '/3', 'end'])
    reader.next()
    expect(reader.state).toBe('ended')
  })

  it('keeps what comes meanwhile up to a bound', () => {
    const { messages, problem, reader } = read('request', [], { ends: false })
    expect([messages, problem, reader.state]).toEqual([[], undefined, 'idle'])
    const seen: string[] = []
    const waiting = new MessageReader('request', {
      onHead: () => 'framed',
      onBody: () => {},
      onEnd: () => {},
      onError: (code, status) => seen.push(`${code} ${status}`),
    })
    waiting.push(Buffer.from(get('/')))
    for (let count = 0; count < 5; count += 1) waiting.push(Buffer.alloc(65_536, 'a'))
    expect([seen, waiting.state]).toEqual([['pipelined 400'], 'failed'])
  })

  it('that ends its connection is the last', () => {
    for (const value of ['close', 'Close', 'keep-alive, close', 'x-close', 'x\r\nProxy-Connection: close']) {
      const { messages, problem } = readAnyhow(
        'request',
        `${request(['GET /1 HTTP/1.1', 'Host: a', `Connection: ${value}`])}${get('/2')}`,
      )
      expect([messages.length, messages[0]?.head.keepAlive, problem]).toEqual([1, false, undefined])
    }
  })

  it('may wait for a 100', () => {
    const head = post(['Expect: 100-Continue', 'Content-Length: 2'])
    expect(readAnyhow('request', `${head}ab`).messages[0]?.head.expectsContinue).toBe(true)
    expect(read('request', [post(['Expect: 100-continue', 'Expect: 100-continue'])]).problem).toBe(
      'repeated-field',
    )
    expect(read('request', [post(['Expect: 200-ok'])])).toMatchObject({ problem: 'expectation', status: 417 })
  })

  it.each([
    ['Connection: upgrade', 'Upgrade: websocket'],
    ['Upgrade: h2c'],
    ['Connection: keep-alive, Upgrade'],
  ])('for another protocol is handed over from its first byte, or refused: %s', (...lines) => {
    const text = `${post(lines)}\x82\x00`
    const { reader, messages } = readAnyhow('request', text, { expectation: 'handover', ends: false })
    expect(messages[0]?.head.isUpgrade).toBe(true)
    expect(reader.state).toBe('handover')
    expect(reader.release().toString('latin1')).toBe(text)
    expect(reader.state).toBe('ended')
    expect(readAnyhow('request', text)).toMatchObject({ problem: 'upgrade', status: 501 })
  })

  it('behind another is handed over from its first byte as well, with all that came later', () => {
    const reader = new MessageReader('request', {
      onHead: ({ target }) => (target === '/1' ? 'framed' : 'handover'),
      onBody: () => {},
      onEnd: () => reader.next(),
      onError: () => {},
    })
    reader.push(Buffer.from(`${get('/1')}\r\n${get('/2').slice(0, 9)}`))
    reader.push(Buffer.from(get('/2').slice(9)))
    reader.push(Buffer.from('more'))
    expect(reader.release().toString()).toBe(`${get('/2')}more`)
  })

  it('that was refused can be given back', () => {
    const { reader, problem } = read('request', ['TRACE / HTTP/1.1\r\nHost: a\r\n\r\nx'], { ends: false })
    expect([problem, reader.release().toString()]).toEqual(['method', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\nx'])
  })
})

describe('a response', () => {
  it('ends where its head says', () => {
    const { messages, problem } = readAnyhow(
      'response',
      ok(['Content-Length: 2'], 'ab') +
        request(['HTTP/1.1 204 No Content', 'Content-Length: 0']) +
        request(['HTTP/1.1 304', 'Content-Length: 9']) +
        request(['HTTP/1.1 404 Not \xe4', CHUNKED], '1\r\nx\r\n0\r\nX-Sum: y\r\n\r\n') +
        ok(['X: y'], 'till the end'),
    )
    expect(problem).toBeUndefined()
    expect(
      messages.map(({ head, body, ended }) => [head.status, head.reason, head.framing, body, ended]),
    ).toEqual([
      [200, 'OK', 'length', 'ab', true],
      [204, 'No Content', 'none', '', true],
      [304, '', 'none', '', true],
      [404, 'Not \xe4', 'chunked', 'x', true],
      [200, 'OK', 'close', 'till the end', true],
    ])
    expect(messages.map(({ head }) => head.keepAlive)).toEqual([true, true, true, true, false])
  })

  it('to HEAD has no body whatever it says', () => {
    const text = ok(['Content-Length: 9']) + ok([CHUNKED]) + ok(['Connection: close', 'Content-Length: 1'])
    const { messages, problem } = readAnyhow('response', text, { expectation: 'none' })
    expect([messages.map(({ ended }) => ended), problem]).toEqual([[true, true, true], undefined])
  })

  it('may have interim ones before it, and not without end', () => {
    const early = `${request(['HTTP/1.1 103 Early Hints', 'Link: x'])}${request(['HTTP/1.1 100'])}`
    const { informational, messages } = readAnyhow('response', `${early}${ok(['Content-Length: 1'], 'a')}`)
    expect([informational, messages.map(({ body }) => body)]).toEqual([[103, 100], ['a']])
    expect(read('response', [request(['HTTP/1.1 100']).repeat(33)]).problem).toBe('informational')
  })

  it('of HTTP/1.0 is the last of its connection', () => {
    const { messages } = readAnyhow(
      'response',
      request(['HTTP/1.0 200 OK', 'Connection: keep-alive', 'Content-Length: 1'], 'aHTTP'),
    )
    expect([messages.length, messages[0]?.body, messages[0]?.head.keepAlive]).toEqual([1, 'a', false])
  })
})

describe('an end of the connection', () => {
  it.each([
    ['request', post([CHUNKED], '3\r\nabc\r\n0\r\n\r\n')],
    ['request', post(['Content-Length: 3'], 'abc')],
    ['response', `HTTP/1.1 100\r\n\r\n${ok([CHUNKED], '3\r\nabc\r\n0\r\nX: y\r\n\r\n')}`],
  ] as const)('cuts a %s off wherever it comes in it', (role, text) => {
    for (let at = 1; at < text.length; at += 1) {
      const { problem, messages } = read(role, [text.slice(0, at)])
      const isBetween = role === 'response' && at === 'HTTP/1.1 100\r\n\r\n'.length
      expect([at, problem, messages[0]?.ended ?? false]).toEqual([
        at,
        isBetween ? undefined : 'truncated',
        false,
      ])
    }
    expect(read(role, [text])).toMatchObject({ problem: undefined, messages: [{ ended: true }] })
    expect(read(role, [text, text])).toMatchObject({ problem: undefined, messages: [{}, { ended: true }] })
  })
})

describe('the sink', () => {
  it('may stop it at any moment', () => {
    const text = `HTTP/1.1 100\r\n\r\n${ok([CHUNKED], '3\r\nabc\r\n0\r\n\r\n')}${ok([])}`
    for (const moment of ['onInformational', 'onHead', 'onBody', 'onEnd'] as const) {
      for (const pieces of [[text], [...text]]) {
        const told: string[] = []
        const tell = (name: string): void => {
          told.push(name)
          if (name === moment) reader.stop()
        }
        const reader: MessageReader = new MessageReader('response', {
          onInformational: () => tell('onInformational'),
          onHead() {
            tell('onHead')
            return 'framed'
          },
          onBody: () => tell('onBody'),
          onEnd: () => tell('onEnd'),
          onError: () => tell('onError'),
        })
        for (const piece of pieces) reader.push(Buffer.from(piece))
        reader.finish()
        reader.next()
        expect([told.at(-1), reader.state, reader.held]).toEqual([moment, 'ended', 0])
      }
    }
  })

  it('gets small chunks of one read together, and none of them changes later', () => {
    const bodies: Buffer[] = []
    const reader = new MessageReader('response', {
      onHead: () => 'framed',
      onBody: (bytes) => bodies.push(bytes),
      onEnd: () => reader.next(),
      onError: () => {},
    })
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
    const whole = ok(
      [CHUNKED],
      `${chunk('a')}${chunk('bc')}${chunk('d'.repeat(5_000))}${chunk('e')}0\r\n\r\n`,
    )
    reader.push(Buffer.from(whole + whole))
    const once = ['abc', `${'d'.repeat(5_000)}e`]
    expect(bodies.map(String)).toEqual([...once, ...once])
  })
})
