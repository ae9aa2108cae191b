import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/kernel/index.ts'
import { type ApiKit, startApi, until } from '../support/api-kit.ts'

let api: ApiKit
beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const CODE = 'console.log(1)'
const BODY = { skill_id: 'demo', code: CODE }

/** The seed's example, word for word. */
const SEED = {
  skill_id: 'openai-completion',
  skill_url: 'https://gist.github.com/user/abc123',
  secrets: ['OPENAI_API_KEY'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the template is part of the example's code.
  code: "const response = await fetch('https://api.openai.com/v1/chat/completions', {\n  method: 'POST',\n  headers: {\n    'Authorization': `Bearer ${Deno.env.get('OPENAI_API_KEY')}`,\n    'Content-Type': 'application/json'\n  },\n  body: JSON.stringify({model: 'gpt-4', messages: [{role: 'user', content: 'Hello!'}]})\n});\nconsole.log(await response.json());",
  metadata: {
    description: 'Send a chat completion request to OpenAI',
    secrets: ['OPENAI_API_KEY'],
    network: ['api.openai.com'],
    timeout: 30,
  },
}

describe('asking', () => {
  test("takes the seed's example as it is and answers 202 with what the contract names", async () => {
    const answer = await api.execute(SEED)
    expect(answer.status).toBe(202)
    expect(answer.json).toMatchObject({
      status: 'pending',
      request_id: expect.stringMatching(/^req_[0-9a-f]{32}$/),
      message: expect.any(String),
      code_hash: sha256Hex(SEED.code),
      status_url: `/execute/${answer.json.request_id}`,
    })
    expect(Date.parse(answer.json.expires_at)).toBe(api.clock.now() + 3_600_000)
    const execution = await api.executions.resolve(answer.json.request_id)
    expect(api.executions.consentOf(execution)).toMatchObject({
      secrets: [{ name: 'OPENAI_API_KEY', mode: 'placeholder', hosts: ['api.openai.com'], in: ['header'] }],
      network: [
        { host: 'api.openai.com', methods: ['POST'], paths: ['/v1/chat/completions'], requests: 100 },
      ],
      limits: { timeout_ms: 30_000 },
      source: { url: SEED.skill_url, relation: 'unreadable' },
    })
  })

  test('an approved run is read with its result, and reading it stops the wakes', async () => {
    const { json } = await api.execute(BODY)
    await api.decide(json.request_id)
    const done = await api.call('GET', `/execute/${json.request_id}?wait=5`)
    expect(done.status).toBe(200)
    expect(done.json).toMatchObject({
      status: 'success',
      stdout: 'ran\n',
      stderr: '',
      exit_code: 0,
      duration: 5,
      trusted: false,
      truncated: false,
    })
    expect(done.json).not.toHaveProperty('error')
    await until(async () => (await api.executions.resolve(json.request_id)).seenAt !== null)
  })

  test('a trusted request is held until its result and answers 200', async () => {
    await api.decide((await api.execute(BODY)).json.request_id, 'forever')
    const begun = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    api.play = async (_order, print) => {
      begun.resolve()
      await release.promise
      print('stderr', 'late')
      return { exitCode: 3 }
    }
    const held = api.execute(BODY)
    await begun.promise
    release.resolve()
    const answer = await held
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({
      status: 'failed',
      trusted: true,
      stderr: 'late',
      exit_code: 3,
      error: { code: 'nonzero_exit' },
    })
  })

  test('the answer tells what the code did on the network', async () => {
    const record = { method: 'GET', path: '/', requestBytes: 0, responseBytes: 0, secrets: [], rejected: [] }
    api.play = async (order) => {
      order.egress?.record({ ...record, origin: 'https://a.com', status: 200, refused: null })
      order.egress?.record({
        ...record,
        origin: 'https://evil.com',
        status: null,
        refused: 'host_not_approved',
      })
      order.egress?.record({
        ...record,
        origin: 'https://b.com',
        status: null,
        refused: 'secret_not_for_host',
        rejected: ['DEMO_KEY'],
      })
      return {}
    }
    const { json } = await api.execute(BODY)
    await api.decide(json.request_id)
    const done = await api.call('GET', `/execute/${json.request_id}?wait=5`)
    expect(done.json.network).toEqual({
      requests: 3,
      refused: [
        { rule: 'host_not_approved', origin: 'https://evil.com', count: 1 },
        { rule: 'secret_not_for_host', origin: 'https://b.com', count: 1, secrets: ['DEMO_KEY'] },
      ],
      more_refused: 0,
    })
  })

  test('respond-async answers a trusted request at once; wait=N holds an untrusted one', async () => {
    await api.decide((await api.execute(BODY)).json.request_id, 'forever')
    const release = Promise.withResolvers<object>()
    api.play = () => release.promise
    const quick = await api.execute(BODY, { prefer: 'respond-async' })
    expect([quick.status, quick.headers.get('preference-applied')]).toEqual([202, 'respond-async'])
    expect(quick.headers.get('location')).toBe(quick.json.status_url)

    release.resolve({})

    const other = { ...BODY, code: 'console.log(2)' }
    const holding = api.execute(other, { prefer: 'handling=lenient, wait=10' })
    const pending = async () =>
      (await api.storage.read((tx) => api.executions.list(tx, { statuses: ['pending'], limit: 1 })))[0]
        ?.requestId
    await until(async () => (await pending()) !== undefined)
    await api.decide((await pending()) ?? '')
    const held = await holding
    expect([held.status, held.headers.get('preference-applied'), held.json.status]).toEqual([
      200,
      'wait=10',
      'success',
    ])
    const over = await api.execute({ ...BODY, code: 'console.log(3)' }, { prefer: 'wait=0' })
    expect(over.status).toBe(202)
  })

  test('denied, expired and cancelled are final answers with 200', async () => {
    const ids = []
    for (const n of [1, 2, 3]) ids.push((await api.execute({ ...BODY, code: `${n}` })).json.request_id)
    await api.decide(ids[0], 'deny')
    expect((await api.call('DELETE', `/execute/${ids[1]}`)).json).toMatchObject({ status: 'cancelled' })
    api.clock.advance(3_600_001)
    await api.approvals.tick()
    const states = await Promise.all(ids.map((id) => api.call('GET', `/execute/${id}/status`)))
    expect(states.map((state) => [state.status, state.json.status])).toEqual([
      [200, 'denied'],
      [200, 'cancelled'],
      [200, 'expired'],
    ])
    expect(states[0]?.json.message).toMatch(/denied/)
  })

  test('top-level secrets are what is injected, whatever metadata.secrets says', async () => {
    const { json } = await api.execute({
      ...BODY,
      secrets: [{ name: 'REAL_ONE', hosts: ['api.example.com'] }],
      metadata: { secrets: ['OTHER'], network: ['api.example.com'] },
    })
    const consent = api.executions.consentOf(await api.executions.resolve(json.request_id))
    expect(consent.secrets.map((secret) => secret.name)).toEqual(['REAL_ONE'])
    const fallback = await api.execute({ ...BODY, metadata: { secrets: ['OTHER'] } })
    const second = api.executions.consentOf(await api.executions.resolve(fallback.json.request_id))
    expect(second.secrets.map((secret) => secret.name)).toEqual(['OTHER'])
  })

  test('a fetched skill brings its comment metadata where the body leaves it out', async () => {
    await api[Symbol.asyncDispose]()
    const text =
      '// @description says hello\n// @secrets DEMO_KEY\n// @network api.example.com\n// @timeout 12\nconsole.log(1)\r\n'
    api = await startApi({ fetcher: { fetch: async () => ({ text, finalUrl: 'https://example.com/a.ts' }) } })
    const { json } = await api.execute({ skill_id: 'demo', skill_url: 'https://example.com/a.ts' })
    expect(json.code_hash).toBe(sha256Hex(text))
    expect(api.executions.consentOf(await api.executions.resolve(json.request_id))).toMatchObject({
      description: 'says hello',
      network: [{ host: 'api.example.com', methods: ['GET'], paths: ['/**'] }],
      limits: { timeout_ms: 12_000 },
      secrets: [{ name: 'DEMO_KEY' }],
    })
  })
})

describe('repeating', () => {
  test('an Idempotency-Key returns the first answer, and 409 for another body', async () => {
    const headers = { 'idempotency-key': 'once-1' }
    const first = await api.execute(BODY, headers)
    await api.decide(first.json.request_id)
    await api.call('GET', `/execute/${first.json.request_id}?wait=5`)
    const again = await api.execute(`{"code":${JSON.stringify(CODE)}, "skill_id":"demo"}`, headers)
    expect([again.status, again.json.request_id, again.json.status]).toEqual([
      200,
      first.json.request_id,
      'success',
    ])
    expect(api.orders).toHaveLength(1)
    const other = await api.execute({ ...BODY, code: 'other' }, headers)
    expect([other.status, other.json.error.code]).toEqual([409, 'idempotency_conflict'])
    const bad = await api.execute(BODY, { 'idempotency-key': 'a b' })
    expect([bad.status, bad.json.error.details[0].path]).toEqual([400, ['Idempotency-Key']])
  })

  test('another agent may use the same key for something else', async () => {
    const two = await api.addAgent({ name: 'agent-two' })
    const first = await api.execute(BODY, { 'idempotency-key': 'k' })
    const second = await api.call('POST', '/execute', {
      token: two.token,
      body: JSON.stringify({ ...BODY, code: 'other' }),
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
    })
    expect(second.status).toBe(202)
    expect(second.json.request_id).not.toBe(first.json.request_id)
  })

  test('an identical waiting request gives the same id, one that waits no more a new one', async () => {
    const first = await api.execute(BODY)
    expect((await api.execute(BODY)).json.request_id).toBe(first.json.request_id)
    await api.decide(first.json.request_id, 'deny')
    expect((await api.execute(BODY)).json.request_id).not.toBe(first.json.request_id)
  })
})

describe('reading', () => {
  test('an agent sees only its own executions; anything else is 404', async () => {
    const { json } = await api.execute(BODY)
    const two = await api.addAgent({ name: 'agent-two' })
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/status'],
      ['GET', '/events'],
      ['DELETE', ''],
      ['POST', '/ack'],
    ] as const) {
      const answer = await api.call(method, `/execute/${json.request_id}${path}`, { token: two.token })
      expect([answer.status, answer.json.error.code]).toEqual([404, 'not_found'])
    }
    expect((await api.call('GET', '/execute', { token: two.token })).json).toEqual({
      executions: [],
      next: null,
    })
    expect((await api.call('GET', '/execute/req_0')).status).toBe(404)
  })

  test('pages run from newest to oldest without gaps, and filter by status', async () => {
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.unshift((await api.execute({ ...BODY, code: `${n}` })).json.request_id)
    const seen: string[] = []
    let before = ''
    for (let page = 0; page < 3; page++) {
      const { json } = await api.call('GET', `/execute?limit=2${before}`)
      seen.push(...json.executions.map((item: { request_id: string }) => item.request_id))
      before = `&before=${json.next}`
      expect(json.next === null).toBe(page === 2)
    }
    expect(seen).toEqual(ids)
    await api.decide(ids[0] as string, 'deny')
    const denied = await api.call('GET', '/execute?status=denied,failed')
    expect(denied.json.executions.map((item: { request_id: string }) => item.request_id)).toEqual([ids[0]])
    expect(denied.json.executions[0]).not.toHaveProperty('stdout')
  })

  test.each(['status=nope', 'limit=0', 'limit=101', 'limit=x', 'before=MTp4', 'before=1', 'limit=1&limit=2'])(
    'refuses the list query %s',
    async (query) => {
      const answer = await api.call('GET', `/execute?${query}`)
      expect([answer.status, answer.json.error.code]).toEqual([400, 'invalid_request'])
      expect(answer.json.error.details[0].path).toEqual([query.split('=')[0]])
    },
  )

  test('ack marks the result as had; before the end it conflicts', async () => {
    const { json } = await api.execute(BODY)
    expect((await api.call('POST', `/execute/${json.request_id}/ack`)).status).toBe(409)
    await api.decide(json.request_id, 'deny')
    expect((await api.call('POST', `/execute/${json.request_id}/ack`)).json.status).toBe('denied')
    expect((await api.executions.resolve(json.request_id)).ackedAt).not.toBeNull()
    expect(api.events('execution.acknowledged')).toHaveLength(1)
    expect((await api.call('DELETE', `/execute/${json.request_id}`)).json.error.code).toBe('conflict')
  })

  test('a long poll that nobody answers ends in time with the present state', async () => {
    const { json } = await api.execute(BODY)
    const begun = Date.now()
    const answer = await api.call('GET', `/execute/${json.request_id}`, { headers: { prefer: 'wait=1' } })
    expect(answer.json.status).toBe('pending')
    expect(Date.now() - begun).toBeGreaterThan(900)
    expect(answer.headers.get('preference-applied')).toBe('wait=1')
  })
})
