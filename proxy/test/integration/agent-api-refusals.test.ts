import { request as httpRequest } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiKit, startApi, until } from '../support/api-kit.ts'

let api: ApiKit
beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const BODY = { skill_id: 'demo', code: 'console.log(1)' }
const JSON_TYPE = { 'content-type': 'application/json' }

describe('bodies that are refused', () => {
  const refusals: [string, unknown, (string | number)[]][] = [
    ['no code', { skill_id: 'demo' }, ['code']],
    ['no skill id', { code: '1' }, ['skill_id']],
    ['a skill id with white space', { ...BODY, skill_id: 'a b' }, ['skill_id']],
    ['a skill id of 129 characters', { ...BODY, skill_id: 'a'.repeat(129) }, ['skill_id']],
    ['an unknown field', { ...BODY, approve: true }, []],
    ['an unknown field of metadata', { ...BODY, metadata: { trusted: true } }, ['metadata']],
    ['an empty code', { ...BODY, code: '' }, ['code']],
    ['a code of white space', { ...BODY, code: ' \n' }, []],
    ['a lone surrogate in code', `{"skill_id":"demo","code":"a\\ud800b"}`, ['code']],
    [
      'a lone surrogate in a description',
      `{"skill_id":"demo","code":"1","metadata":{"description":"\\udc00"}}`,
      ['metadata', 'description'],
    ],
    ['a lone surrogate in an argument name', `{"skill_id":"demo","code":"1","args":{"\\udc00":1}}`, ['args']],
    ['an infinite number', `{"skill_id":"demo","code":"1","args":{"n":1e999}}`, ['args', 'n']],
    ['a __proto__ key', `{"skill_id":"demo","code":"1","__proto__":{"runtime":"x"}}`, []],
    [
      'a __proto__ key inside args',
      `{"skill_id":"demo","code":"1","args":{"a":{"__proto__":1}}}`,
      ['args', 'a'],
    ],
    ['args that are a list', { ...BODY, args: [1] }, ['args']],
    [
      'args nested 100 deep',
      `{"skill_id":"demo","code":"1","args":{"a":${'['.repeat(100)}${']'.repeat(100)}}}`,
      ['args', 'a', 0, 0],
    ],
    ['a reserved secret', { ...BODY, secrets: ['LD_PRELOAD'] }, ['secrets', 0]],
    ['a reserved secret in an object', { ...BODY, secrets: [{ name: 'PATH' }] }, ['secrets', 0, 'name']],
    ['a secret named twice', { ...BODY, secrets: ['A', 'A'] }, []],
    ['33 secrets', { ...BODY, secrets: Array.from({ length: 33 }, (_, n) => `S${n}`) }, ['secrets']],
    [
      'a secret host outside the network list',
      { ...BODY, secrets: [{ name: 'A', hosts: ['a.example'] }] },
      [],
    ],
    ['a secret of unknown mode', { ...BODY, secrets: [{ name: 'A', mode: 'env' }] }, ['secrets', 0, 'mode']],
    ['a host with a path', { ...BODY, metadata: { network: ['a.example/x'] } }, ['metadata', 'network', 0]],
    [
      '33 hosts',
      { ...BODY, metadata: { network: Array.from({ length: 33 }, (_, n) => `h${n}.example`) } },
      ['metadata', 'network'],
    ],
    ['a timeout of 601 s', { ...BODY, metadata: { timeout: 601 } }, ['metadata', 'timeout']],
    ['a timeout of half a second', { ...BODY, metadata: { timeout: 0.5 } }, ['metadata', 'timeout']],
    ['too little memory', { ...BODY, metadata: { memory: 64 } }, ['metadata', 'memory']],
    ['a code_hash that is none', { ...BODY, code_hash: 'abc' }, ['code_hash']],
    ['a list', [BODY], []],
    ['a string', '"x"', []],
    ['null', 'null', []],
    ['no JSON', '{', []],
    ['nothing', '', []],
    ['a byte order mark before the JSON', `\ufeff${JSON.stringify(BODY)}`, []],
  ]

  test.each(refusals)('%s: 400 with its place, and no row but the audit', async (_name, body, path) => {
    const answer = await api.execute(body)
    expect([answer.status, answer.json.error.code]).toEqual([400, 'invalid_request'])
    expect(answer.json.error.details[0]).toEqual({ path, message: expect.any(String) })
    expect([api.rows('executions'), api.rows('code'), api.rows('idempotency')]).toEqual([0, 0, 0])
    expect(api.events('request.refused')).toEqual([
      { actor: `agent:${api.agent.id}`, data: { code: 'invalid_request', surface: 'http', count: 1 } },
    ])
  })

  test.each([
    'HOME',
    'PATH',
    'LD_PRELOAD',
    'DENO_DIR',
    'NODE_OPTIONS',
    'OAUTH3_ARGS',
    'https_proxy',
    'constructor',
  ])('the argument name %s is refused', async (name) => {
    const answer = await api.execute({ ...BODY, args: { [name]: 'x' } })
    expect([answer.status, answer.json.error.details[0].path]).toEqual([400, ['args', name]])
  })

  test('bytes that are not UTF-8 are refused, not repaired', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"skill_id":"demo","code":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}'),
    ])
    const answer = await api.call('POST', '/execute', { body: new Uint8Array(bytes), headers: JSON_TYPE })
    expect([answer.status, answer.json.error.details[0].message]).toEqual([400, 'The body is not UTF-8.'])
  })

  test('another media type, charset or encoding is 415', async () => {
    const body = JSON.stringify(BODY)
    for (const headers of [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-www-form-urlencoded' },
      { 'content-type': 'application/json; charset=utf-16le' },
      { ...JSON_TYPE, 'content-encoding': 'gzip' },
    ]) {
      const answer = await api.call('POST', '/execute', { body, headers })
      expect([answer.status, answer.json.error.code]).toEqual([415, 'unsupported_media_type'])
    }
  })

  test('a body over 2 MiB, code over 1 MiB and args over 64 KiB are 413', async () => {
    const large = await api.execute({ ...BODY, code: 'a'.repeat(2 * 1_048_576) })
    const code = await api.execute({ ...BODY, code: 'a'.repeat(1_048_577) })
    const args = await api.execute({ ...BODY, args: { a: 'a'.repeat(65_536) } })
    for (const answer of [large, code, args]) {
      expect([answer.status, answer.json.error.code]).toEqual([413, 'too_large'])
    }
    expect((await api.execute({ ...BODY, code: 'a'.repeat(1_048_576) })).status).toBe(202)
    expect((await api.execute({ ...BODY, args: { a: 'a'.repeat(65_528) } })).status).toBe(202)
  })

  test('what the request could not know is 409 or 422 and leaves nothing behind', async () => {
    const answers = [
      await api.execute({ ...BODY, code_hash: '0'.repeat(64) }),
      await api.execute({ ...BODY, runtime: 'cobol' }),
      await api.execute({ skill_id: 'demo', skill_url: 'https://example.com/a.ts' }),
    ]
    expect(answers.map((answer) => [answer.status, answer.json.error.code])).toEqual([
      [409, 'code_hash_mismatch'],
      [422, 'unknown_runtime'],
      [422, 'skill_unreachable'],
    ])
    expect(answers[1]?.json.error.details).toEqual({ runtimes: ['deno'] })
    expect([api.rows('executions'), api.rows('code')]).toEqual([0, 0])
  })

  test('no sandbox is 503 with Retry-After; a draining daemon is 503 before anything is read', async () => {
    api.sandboxStatus = { kind: 'unavailable', runtimes: [], notes: ['engine down'], warm: 0 }
    const down = await api.execute(BODY)
    expect([down.status, down.json.error.code, down.headers.get('retry-after')]).toEqual([
      503,
      'sandbox_unavailable',
      '15',
    ])
    api.setAccepting(false)
    const draining = await api.execute(BODY)
    expect([draining.status, draining.json.error.code]).toEqual([503, 'shutting_down'])
    expect((await api.call('GET', '/execute')).status).toBe(200)
  })

  test.each(['wait=121', 'wait=-1', 'wait=x', 'wait', 'wait=1.5'])(
    'the header Prefer: %s is 400',
    async (prefer) => {
      expect((await api.execute(BODY, { prefer })).status).toBe(400)
      expect(api.rows('executions')).toBe(0)
    },
  )
})

describe('who may ask', () => {
  test.each([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as clients' configuration has it
    ['Bearer ${OAUTH3_TOKEN}', 'name of a variable'],
    ['Bearer $OAUTH3_TOKEN', 'name of a variable'],
    ['Bearer {env:OAUTH3_TOKEN}', 'name of a variable'],
    ['Bearer', 'Nothing came behind'],
  ])('a client that sends %s is told what came', async (authorization, words) => {
    const { status, json } = await api.call('GET', '/secrets', { token: null, headers: { authorization } })
    expect([status, json.error.code]).toEqual([401, 'unauthenticated'])
    expect(json.error.message).toContain(words)
    expect(json.error.message).not.toContain('OAUTH3_TOKEN')
  })

  test('no token, a made-up one, and a revoked one are 401 with the way to ask', async () => {
    const two = await api.addAgent({ name: 'agent-two' })
    await api.agents.revoke('agent-two', 'cli:1000')
    for (const token of [null, `oa3_${'A'.repeat(43)}`, two.token, '']) {
      const answer = await api.call('POST', '/execute', { token, body: '{', headers: JSON_TYPE })
      expect([answer.status, answer.json.error.code]).toEqual([401, 'unauthenticated'])
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
    }
  })

  test("an address outside the agent's list is 403, and no header moves the address", async () => {
    const far = await api.addAgent({ name: 'far', cidrs: ['10.0.0.0/8'] })
    const near = await api.addAgent({ name: 'near', cidrs: ['127.0.0.0/8'] })
    const headers = { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1', 'x-real-ip': '10.0.0.1' }
    expect((await api.call('GET', '/execute', { token: far.token, headers })).json.error.code).toBe(
      'address_not_allowed',
    )
    expect((await api.call('GET', '/execute', { token: near.token })).status).toBe(200)
  })

  test('who asks is settled before the body is read', async () => {
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const call = httpRequest(`${api.url}/execute`, {
        method: 'POST',
        headers: { ...JSON_TYPE, 'content-length': '1000000', authorization: 'Bearer nobody' },
      })
      call.on('response', (response) => resolve(response.statusCode)).on('error', reject)
      call.flushHeaders()
    })
    expect(answer).toBe(401)
  })

  test('floods of bad tokens are slowed, audited in two lines, and lock no good token out', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => api.call('GET', '/execute', { token: 'oa3_no' })),
    )
    const codes = answers.map((answer) => answer.status)
    expect(codes.filter((status) => status === 401)).toHaveLength(30)
    expect(codes.filter((status) => status === 429)).toHaveLength(70)
    expect(
      Number(answers.find((answer) => answer.status === 429)?.headers.get('retry-after')),
    ).toBeGreaterThan(0)
    expect((await api.call('GET', '/execute')).status).toBe(200)
    expect(api.events('request.refused').map((event) => [event.actor, event.data.code])).toEqual([
      ['address:127.0.0.1', 'unauthenticated'],
      ['address:127.0.0.1', 'rate_limited'],
    ])
  })
})

describe('limits', () => {
  test('an agent over its rate is 429 with Retry-After; another agent is not', async () => {
    await api[Symbol.asyncDispose]()
    api = await startApi({ ratePerMinute: 3 })
    const two = await api.addAgent({ name: 'agent-two' })
    const codes = []
    for (let n = 0; n < 5; n++) codes.push((await api.execute({ ...BODY, code: `${n}` })).status)
    expect(codes).toEqual([202, 202, 202, 429, 429])
    const over = await api.execute(BODY)
    expect(over.json.error.code).toBe('rate_limited')
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await api.call('GET', '/execute')).status).toBe(200)
    const other = await api.call('POST', '/execute', {
      token: two.token,
      body: JSON.stringify(BODY),
      headers: JSON_TYPE,
    })
    expect(other.status).toBe(202)
    expect(api.events('request.refused')).toHaveLength(1)
  })

  test('more than 64 held answers of one agent are 429, and a caller that leaves frees its place', async () => {
    const { json } = await api.execute(BODY)
    const leave = new AbortController()
    const held = Array.from({ length: 64 }, () =>
      api.call('GET', `/execute/${json.request_id}?wait=30`, { signal: leave.signal }).catch(() => undefined),
    )
    await until(async () => (await api.call('GET', `/execute/${json.request_id}?wait=1`)).status === 429)
    leave.abort()
    await Promise.all(held)
    await until(
      async () => (await api.call('GET', `/execute/${json.request_id}?wait=1`)).status === 200,
      5_000,
    )
  })
})

describe('the rest of the API', () => {
  test('unknown paths are 404, other methods 405 with Allow, broken escapes 400: all in the one shape', async () => {
    const missing = await api.call('GET', '/nope')
    expect([missing.status, missing.json.error.code]).toEqual([404, 'not_found'])
    for (const [method, path, allow] of [
      ['PUT', '/execute', 'GET, POST'],
      ['PATCH', '/execute/req_1', 'GET, DELETE'],
      ['OPTIONS', '/execute', 'GET, POST'],
      ['POST', '/health', 'GET'],
      ['GET', '/mcp', 'POST'],
    ] as const) {
      const answer = await api.call(method, path)
      expect([answer.status, answer.json?.error.code, answer.headers.get('allow')]).toEqual([
        405,
        'method_not_allowed',
        allow,
      ])
    }
    expect((await api.call('GET', '/execute/%E0%A4%A')).json.error.code).toBe('invalid_request')
  })

  test('every answer says nosniff and no-store, and names no framework', async () => {
    for (const path of ['/execute', '/health', '/metrics', '/openapi.json', '/nope', '/mcp']) {
      const { headers } = await api.call('GET', path)
      expect([headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual([
        'nosniff',
        'no-store',
      ])
      expect(headers.get('x-powered-by')).toBeNull()
    }
  })

  test('health is open, 200 while degraded and 503 without a database', async () => {
    const well = await api.call('GET', '/health', { token: null })
    expect([well.status, well.json.status, well.json.database]).toEqual([200, 'ok', 'ok'])
    await using degraded = await startApi({ health: { status: 'degraded', telegram: 'disconnected' } })
    expect((await degraded.call('GET', '/health', { token: null })).status).toBe(200)
    await using broken = await startApi({ health: { status: 'degraded', database: 'error' } })
    expect((await broken.call('GET', '/health', { token: null })).status).toBe(503)
  })

  test('the metrics count without naming agents, skills or paths that callers make up', async () => {
    const { json } = await api.execute({ ...BODY, skill_id: 'my-private-skill' })
    await api.decide(json.request_id)
    await api.call('GET', `/execute/${json.request_id}?wait=5`)
    await api.call('GET', '/made-up-path')
    await api.execute({})
    const { text } = await api.call('GET', '/metrics', { token: null })
    expect(text).toContain('oauth3_executions_total{status="success"} 1')
    expect(text).toContain('oauth3_decisions_total{decision="once"} 1')
    expect(text).toContain('oauth3_run_duration_seconds_count{status="success"} 1')
    expect(text).toContain('oauth3_refusals_total{code="invalid_request"} 1')
    expect(text).toContain('oauth3_http_requests_total{method="GET",route="/execute/:id",status="200"} 1')
    expect(text).toContain('process_resident_memory_bytes')
    for (const hidden of ['my-private-skill', 'made-up-path', api.agent.id, 'agent-one', json.request_id]) {
      expect(text).not.toContain(hidden)
    }
  })

  test('a defect is 500 without its inside, which is in the log', async () => {
    api.db.exec('DROP TABLE idempotency')
    const answer = await api.execute(BODY, { 'idempotency-key': 'k' })
    expect([answer.status, answer.json.error.code]).toEqual([500, 'internal'])
    expect(answer.text).not.toMatch(/idempotency|SQL/i)
    expect(api.logged.join()).toMatch(/no such table/)
  })
})
