import type { RequestListener } from 'node:http'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSkillFetcher, type SkillFetcherOptions } from '../../src/executions/fetch-code/index.ts'
import { AppError } from '../../src/kernel/index.ts'
import { createTestCa } from '../support/test-ca.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'

/** Families 15 and 30. The upstream listens on loopback; only tests of the good case let that address in. */
const HOST = 'code.example.com'
const never = new AbortController().signal
let upstream: TlsUpstream
let answer: RequestListener

beforeEach(async () => {
  answer = (_request, response) => response.setHeader('content-type', 'text/plain').end('console.log(1)')
  upstream = await startTlsUpstream([HOST, 'other.example.com', '127.0.0.1'], (request, response) =>
    answer(request, response),
  )
})
afterEach(async () => {
  await upstream[Symbol.asyncDispose]()
})

/** Reaches the upstream under any name. */
const open = (more: SkillFetcherOptions = {}): SkillFetcherOptions => ({
  resolve: async () => ['127.0.0.1'],
  isAllowedAddress: (address) => address === '127.0.0.1',
  tls: { ca: upstream.ca },
  port: upstream.port,
  ...more,
})
/** Would reach the upstream too, if it were not for the real check of addresses. */
const strict = (...addresses: string[]): SkillFetcherOptions => ({
  resolve: async () => addresses,
  tls: { ca: upstream.ca },
  port: upstream.port,
})

async function refusal(options: SkillFetcherOptions, url = `https://${HOST}/a.ts`): Promise<string> {
  try {
    const { text } = await createSkillFetcher(options).fetch(url, never)
    return `fetched ${text.slice(0, 40)}`
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    expect(error.message).not.toMatch(/127\.0\.0\.1|ECONN|ENOTFOUND|169\.254|\b10\./)
    return `${error.code}: ${error.message}`
  }
}

describe('addresses that are not dialled', () => {
  test.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '192.0.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fd00::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    '::ffff:a00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'not an address',
  ])('a name that resolves to %s', async (address) => {
    expect(await refusal(strict(address))).toMatch(/^skill_unreachable/)
    expect(upstream.connections).toBe(0)
  })

  test('a name with one good and one private address: none is dialled', async () => {
    for (const addresses of [
      ['93.184.216.34', '127.0.0.1'],
      ['127.0.0.1', '93.184.216.34'],
    ]) {
      expect(await refusal(strict(...addresses))).toMatch(/^skill_unreachable/)
    }
    expect(upstream.connections).toBe(0)
  })

  test.each([
    '127.0.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '0',
    '169.254.169.254',
    '0xa9fea9fe',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[fd00::1]',
    '10.0.0.1',
    '127.0.0.1.',
    '0x7f.0.0.1.',
  ])('the host literal %s', async (host) => {
    expect(await refusal(strict('127.0.0.1'), `https://${host}/a.ts`)).toMatch(/^skill_url_refused/)
    expect(upstream.connections).toBe(0)
  })

  test.each([
    'localhost',
    'localhost.',
    'metadata',
    'host:8443',
    'a@127.0.0.1',
    'evil.example\\@code.example.com',
  ])('the authority %s', async (authority) => {
    expect(await refusal(open(), `https://${authority}/a.ts`)).toMatch(/^skill_url_refused/)
    expect(upstream.connections).toBe(0)
  })

  test('whether a private name exists cannot be told from one that does not', async () => {
    const missing = await refusal({ ...strict(), resolve: () => Promise.reject(new Error('ENOTFOUND')) })
    expect(await refusal(strict('10.0.0.7'))).toBe(missing)
    expect(await refusal(strict())).toBe(missing)
  })
})

describe('between check and dial', () => {
  test('a name that changes its answer is dialled at the address that was checked', async () => {
    let asked = 0
    const checked: string[] = []
    const text = await createSkillFetcher(
      open({
        resolve: async () => {
          asked += 1
          return asked === 1 ? ['127.0.0.1'] : ['169.254.169.254']
        },
        isAllowedAddress: (address) => {
          checked.push(address)
          return address === '127.0.0.1'
        },
      }),
    ).fetch(`https://${HOST}/a.ts`, never)
    expect([text.text, asked, checked]).toEqual(['console.log(1)', 1, ['127.0.0.1']])
  })

  test('a redirect resolves and checks anew, so rebinding between hops is caught', async () => {
    let asked = 0
    answer = (_request, response) => response.writeHead(302, { location: '/again' }).end()
    const options = open({
      resolve: async () => {
        asked += 1
        return asked === 1 ? ['127.0.0.1'] : ['10.0.0.1']
      },
    })
    expect(await refusal(options)).toMatch(/^skill_unreachable/)
    expect([asked, upstream.connections]).toEqual([2, 1])
  })
})

describe('redirects', () => {
  test.each([
    ['http://code.example.com/a.ts', /^skill_url_refused/],
    ['https://127.0.0.1/a.ts', /^skill_url_refused/],
    ['https://[::ffff:10.0.0.1]/a.ts', /^skill_url_refused/],
    ['https://code.example.com:8443/a.ts', /^skill_url_refused/],
    ['https://user:pw@code.example.com/a.ts', /^skill_url_refused/],
    ['//169.254.169.254/latest', /^skill_url_refused/],
    ['file:///etc/passwd', /^skill_url_refused/],
    ['gopher://code.example.com/', /^skill_url_refused/],
    ['', /redirects more than 5|^skill_un/],
  ])('to %j are not followed', async (location, problem) => {
    answer = (_request, response) => response.writeHead(302, { location }).end()
    const options = open({
      isAllowedAddress: (address, target) => address === '127.0.0.1' && target.host === HOST,
    })
    expect(await refusal(options)).toMatch(problem)
    expect(upstream.connections).toBeLessThanOrEqual(6)
  })

  test('five are followed, six are not, and another allowed host gets its own SNI and Host', async () => {
    let hops = 5
    answer = (_request, response) => {
      hops -= 1
      if (hops >= 0) response.writeHead(307, { location: `https://other.example.com/${hops}` }).end()
      else response.end('at last')
    }
    const fetched = await createSkillFetcher(open()).fetch(`https://${HOST}/a.ts`, never)
    expect(fetched).toEqual({ text: 'at last', finalUrl: 'https://other.example.com/0' })
    expect(upstream.seen.at(0)).toEqual({ sni: HOST, host: HOST, path: '/a.ts' })
    expect(upstream.seen.at(-1)).toEqual({ sni: 'other.example.com', host: 'other.example.com', path: '/0' })
    hops = 6
    expect(await refusal(open())).toBe('skill_unreachable: skill_url redirects more than 5 times.')
  })
})

describe('TLS', () => {
  test('a certificate of another authority, another name, or another time is not believed', async () => {
    expect(await refusal(open({ tls: { ca: createTestCa().certificate } }))).toMatch(/^skill_unreachable/)
    expect(await refusal(open({ tls: {} }))).toMatch(/^skill_unreachable/)
    expect(await refusal(open(), 'https://third.example.com/a.ts')).toMatch(/^skill_unreachable/)
    const ca = createTestCa()
    await using old = await startTlsUpstream([HOST], (_request, response) => response.end('x'), {
      ca,
      expired: true,
    })
    expect(await refusal(open({ tls: { ca: ca.certificate }, port: old.port }))).toMatch(/^skill_unreachable/)
    expect([upstream.seen.length, old.seen.length]).toEqual([0, 0])
  })

  test('a server that speaks no TLS, or hangs in the handshake, is unreachable in time', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const begun = Date.now()
    expect(await refusal(open({ port, totalTimeoutMs: 300 }))).toMatch(/within 0.3 s/)
    expect(Date.now() - begun).toBeLessThan(2_000)
    silent.close()
  })
})

describe('what comes back', () => {
  test('the exact bytes: byte order mark, CRLF and trailing white space stay', async () => {
    const text = '\ufeffconsole.log(1)\r\n\t \r\n'
    answer = (_request, response) => response.end(text)
    expect((await createSkillFetcher(open()).fetch(`https://${HOST}/a.ts`, never)).text).toBe(text)
  })

  test.each<[string, RequestListener, RegExp]>([
    ['more than 1 MiB', (_q, r) => r.end('a'.repeat(1_048_577)), /larger than 1048576 bytes/],
    ['bytes that are not UTF-8', (_q, r) => r.end(Buffer.from([0x61, 0xff])), /not UTF-8/],
    ['a NUL character', (_q, r) => r.end('a\0b'), /not UTF-8 text/],
    ['a web page', (_q, r) => r.setHeader('content-type', 'text/html; charset=utf-8').end('<p>'), /web page/],
    ['an image', (_q, r) => r.setHeader('content-type', 'image/png').end('x'), /not text/],
    ['compressed text', (_q, r) => r.setHeader('content-encoding', 'gzip').end('x'), /compressed/],
    ['a 404', (_q, r) => r.writeHead(404).end('secret inside'), /status 404\.$/],
    ['a redirect to nowhere', (_q, r) => r.writeHead(301).end(), /nowhere/],
    [
      'an answer cut short',
      (_q, r) => r.writeHead(200, { 'content-length': 100 }).end('x', () => r.socket?.destroy()),
      /^skill_unreachable/,
    ],
    ['headers of 64 KiB', (_q, r) => r.setHeader('x-a', 'a'.repeat(65_536)).end('x'), /^skill_unreachable/],
  ])('%s is not taken', async (_name, listener, problem) => {
    answer = listener
    expect(await refusal(open())).toMatch(problem)
  })

  test('an endless answer is left at the limit and a slow one at the time limit', async () => {
    let written = 0
    answer = (_request, response) => {
      const timer = setInterval(() => {
        written += 65_536
        response.write('a'.repeat(65_536))
      }, 1)
      response.on('close', () => clearInterval(timer))
    }
    expect(await refusal(open())).toMatch(/larger than/)
    expect(written).toBeLessThan(8 * 1_048_576)
    answer = (_request, response) => {
      const timer = setInterval(() => response.write('a'), 20)
      response.on('close', () => clearInterval(timer))
    }
    expect(await refusal(open({ totalTimeoutMs: 400 }))).toMatch(/within 0.4 s/)
  })

  test('GitHub and Gist page links are read in their raw form', async () => {
    await using github = await startTlsUpstream(
      ['raw.githubusercontent.com', 'gist.githubusercontent.com'],
      (request, response) => response.end(`${request.headers.host}${request.url}`),
    )
    const fetcher = createSkillFetcher(open({ port: github.port, tls: { ca: github.ca } }))
    expect((await fetcher.fetch('https://github.com/o/r/blob/main/a.ts', never)).text).toBe(
      'raw.githubusercontent.com/o/r/main/a.ts',
    )
    expect((await fetcher.fetch('https://gist.github.com/user/abc123', never)).text).toBe(
      'gist.githubusercontent.com/user/abc123/raw',
    )
  })
})
