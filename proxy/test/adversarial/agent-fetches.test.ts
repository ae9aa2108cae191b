import type { RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config/index.ts'
import { createSkillFetcher } from '../../src/executions/fetch-code/index.ts'
import { startApi } from '../support/api-kit.ts'
import { createDaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'

/** What the daemon fetches for an agent is a way out: it is listed, paid for and told. */
const HOST = 'code.example.com'
const OTHER = 'other.example.com'
let upstream: TlsUpstream
let answer: RequestListener
let api: Awaited<ReturnType<typeof startApi>>

const fetcher = (hosts: readonly string[] = [HOST]) =>
  createSkillFetcher({
    hosts,
    resolve: async (host) => (host.startsWith('inside') ? ['10.0.0.7'] : ['127.0.0.1']),
    isAllowedAddress: (address) => address === '127.0.0.1',
    tls: { ca: upstream.ca },
    port: upstream.port,
  })
const start = async (hosts?: readonly string[], maxWaitingPerAgent?: number): Promise<void> => {
  await api?.[Symbol.asyncDispose]()
  api = await startApi({
    fetcher: fetcher(hosts),
    ...(maxWaitingPerAgent === undefined ? {} : { maxWaitingPerAgent }),
  })
}
const link = (rest: string, host = HOST) => ({ skill_id: 'demo', skill_url: `https://${host}${rest}` })
const dryRun = (body: unknown) =>
  api.call('POST', '/execute?dry_run=1', {
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
const told = () => [...api.events('egress.request'), ...api.events('egress.refused')]

beforeEach(async () => {
  answer = (request, response) => response.end(`console.log(${JSON.stringify(request.url)})`)
  upstream = await startTlsUpstream([HOST, OTHER], (request, response) => answer(request, response))
  await start()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

describe('every fetch of a skill_url', () => {
  test('is told to the audit with agent, host, status and bytes, each redirect by itself', async () => {
    await start([HOST, OTHER])
    answer = (request, response) =>
      request.url === '/a.ts?out=data'
        ? response.writeHead(302, { location: `https://${OTHER}/b.ts?token=server-token` }).end()
        : response.end('console.log(1)')
    expect((await api.execute(link('/a.ts?out=data'))).status).toBe(202)
    expect(told()).toMatchObject([
      {
        actor: `agent:${api.agent.id}`,
        data: {
          for: 'skill_url',
          method: 'GET',
          host: HOST,
          port: 443,
          hop: 0,
          url: `https://${HOST}/a.ts?out=data`,
          status: 302,
        },
      },
      {
        actor: `agent:${api.agent.id}`,
        data: { host: OTHER, port: 443, hop: 1, status: 200, response_bytes: 14 },
      },
    ])
    expect(JSON.stringify(told())).not.toContain('server-token')
  })

  test.each<[string, string, string, RequestListener, object]>([
    ['an answer that is no code', HOST, '/x', (_q, r) => r.writeHead(404).end(), { status: 404 }],
    [
      'a web page',
      HOST,
      '/x',
      (_q, r) => r.setHeader('content-type', 'text/html').end('<p>'),
      { status: 200, problem: 'skill_unreachable' },
    ],
    ['a host that the owner did not list', OTHER, '/x', (_q, r) => r.end('x'), { rule: 'host_not_listed' }],
  ])('also when it fails: %s', async (_what, host, path, listener, data) => {
    answer = listener
    expect((await api.execute(link(path, host))).status).toBeGreaterThanOrEqual(400)
    expect(told()).toMatchObject([{ actor: `agent:${api.agent.id}`, data: { host, ...data } }])
  })

  test('also when its name leads inside, or a redirect away from what may be asked', async () => {
    await start([HOST, 'inside.example.com'])
    await api.execute(link('/x', 'inside.example.com'))
    for (const location of [`https://${OTHER}/x`, `http://${HOST}/x`, 'https://127.0.0.1/x']) {
      answer = (_request, response) => response.writeHead(302, { location }).end()
      expect((await api.execute(link(`/${location.length}`))).json.error.code).toBe('skill_url_refused')
    }
    expect(api.events('egress.refused').map(({ data }) => [data.host, data.rule])).toEqual([
      ['inside.example.com', 'address_not_public'],
      [OTHER, 'host_not_listed'],
      [HOST, 'bad_form'],
      ['127.0.0.1', 'host_not_listed'],
    ])
    expect(upstream.seen.map(({ host }) => host)).toEqual([HOST, HOST, HOST])
  })

  test('is told of a dry run and of a link beside code as well', async () => {
    expect((await dryRun(link('/dry'))).status).toBe(200)
    expect((await api.execute({ ...link('/beside'), code: 'console.log(2)' })).status).toBe(202)
    expect(told().map(({ data }) => data.url)).toEqual([`https://${HOST}/dry`, `https://${HOST}/beside`])
  })

  test('is told with a bound: an address of 2,048 characters is cut', async () => {
    await api.execute(link(`/x?${'a'.repeat(2_000)}`))
    const [row] = told()
    expect(String(row?.data.url)).toMatch(/a… \(20\d\d characters\)$/)
    expect(String(row?.data.url).length).toBeLessThan(540)
  })
})

describe('hosts that the owner did not list', () => {
  test('are neither looked up nor asked, and the refusal names the setting', async () => {
    const { status, json } = await api.execute(link('/x?secret=1', 'evil.example'))
    expect([status, json.error.code]).toEqual([422, 'skill_url_refused'])
    expect(json.error.message).toBe(
      'skill_url leads to evil.example, which OAUTH3_SKILL_URL_HOSTS does not list.',
    )
    await start([])
    const off = await api.execute(link('/x'))
    expect(off.json.error.message).toContain('OAUTH3_SKILL_URL_HOSTS')
    expect(upstream.connections).toBe(0)
  })

  test.each([
    `${HOST}.evil.example`,
    `evil-${HOST}`,
    `sub.${HOST}`,
    `${HOST}.`,
    'CODE.example.com.evil.example',
  ])('are not reached by one that only looks like it: %s', async (host) => {
    expect((await api.execute(link('/x', host))).json.error.code).toBe('skill_url_refused')
    expect(upstream.connections).toBe(0)
  })

  test('the daemon lists raw text of GitHub and Gist unless told otherwise, and `off` closes it', async () => {
    expect(readConfig({}).skillUrlHosts).toEqual([
      'raw.githubusercontent.com',
      'gist.githubusercontent.com',
      'gist.github.com',
    ])
    const closed = { OAUTH3_SKILL_URL_HOSTS: 'off', OAUTH3_IMPORT_HOSTS: 'off' }
    expect(readConfig(closed)).toMatchObject({ skillUrlHosts: [], importHosts: [] })
    await using kit = await createDaemonKit({ sandbox: async () => createScriptedSandbox() })
    for (const [url, said] of [
      ['https://evil.example/x', 'evil.example'],
      ['https://api.github.com/x', 'api.github.com'],
    ] as const) {
      const { status, body } = await kit.post({ skill_id: 'demo', skill_url: url })
      expect([status, body.error.message]).toEqual([
        422,
        `skill_url leads to ${said}, which OAUTH3_SKILL_URL_HOSTS does not list.`,
      ])
    }
  })
})

describe('an agent without cards left', () => {
  test('makes the daemon fetch nothing: not for a request, a dry run, or beside code', async () => {
    await start([HOST], 2)
    for (const n of [1, 2]) await api.execute({ skill_id: 'demo', code: `console.log(${n})` })
    const before = upstream.connections
    const answers = [
      await api.execute(link('/x?out=1')),
      await dryRun(link('/x?out=2')),
      await api.execute({ ...link('/x?out=3'), code: 'console.log(3)' }),
    ]
    expect(answers.map(({ status, json }) => [status, json.error.code])).toEqual(
      answers.map(() => [429, 'rate_limited']),
    )
    expect(upstream.connections).toBe(before)
  })

  test.each<[string, (n: number) => Promise<unknown>]>([
    ['dry runs', (n) => dryRun(link(`/x?out=${n}`))],
    [
      'requests that are cancelled at once',
      async (n) => {
        const { json } = await api.execute(link(`/x?out=${n}`))
        if (json.request_id) await api.call('DELETE', `/execute/${json.request_id}`)
      },
    ],
    ['fetches that fail', (n) => api.execute(link(`/missing?out=${n}`))],
  ])('cannot use it as a fetcher without end: %s', async (_what, ask) => {
    await start([HOST], 2)
    answer = (request, response) =>
      request.url?.startsWith('/missing') ? response.writeHead(404).end() : response.end('console.log(1)')
    for (let n = 0; n < 20; n += 1) await ask(n)
    expect(upstream.seen).toHaveLength(6)
    expect((await api.execute({ skill_id: 'demo', code: 'console.log(1)' })).status).toBe(429)
    api.clock.advance(3_600_000)
    await ask(99)
    expect(upstream.seen).toHaveLength(7)
  })

  test('cannot pass the number of places by asking at once', async () => {
    const gate = Promise.withResolvers<void>()
    await start([HOST], 3)
    answer = (request, response) =>
      void gate.promise.then(() => response.end(`console.log("${request.url}")`))
    const asked = Array.from({ length: 12 }, (_, n) => api.execute(link(`/${n}`)))
    await expect.poll(() => upstream.seen.length).toBe(3)
    gate.resolve()
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect([statuses.filter((status) => status === 202).length, upstream.seen.length]).toEqual([3, 3])
  })

  test('fills no audit with links that are refused', async () => {
    await start([HOST], 2)
    for (let n = 0; n < 20; n += 1) await api.execute(link(`/x?out=${n}`, 'evil.example'))
    expect(told()).toHaveLength(6)
  })
})

describe('a trusted link', () => {
  test('runs as often as it likes at the address that was shown, and at another one only as often as it may ask', async () => {
    await start([HOST], 2)
    answer = (_request, response) => response.end('console.log(1)')
    const first = await api.execute(link('/a.ts'))
    await api.decide(first.json.request_id, 'forever')
    await api.call('GET', `/execute/${first.json.request_id}?wait=5`)
    for (let n = 0; n < 12; n += 1) expect((await api.execute(link('/a.ts'))).json.trusted).toBe(true)
    const others = []
    for (let n = 0; n < 12; n += 1) others.push((await api.execute(link(`/a.ts?out=${n}`))).status)
    expect(others.filter((status) => status !== 429)).toHaveLength(5)
  })
})

test('the card shows the link as it was fetched, and the host that had the text', async () => {
  await start([HOST, OTHER])
  answer = (request, response) =>
    request.headers.host === OTHER
      ? response.end('console.log(1)')
      : response.writeHead(302, { location: `https://${OTHER}/b` }).end()
  const { json } = await api.execute(link('/a.ts?out=data#not-fetched'))
  const { source } = api.executions.consentOf(await api.executions.resolve(json.request_id))
  expect(source?.url).toBe(`https://${HOST}/a.ts?out=data → ${OTHER}`)
})
