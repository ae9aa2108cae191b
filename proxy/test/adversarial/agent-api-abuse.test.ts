import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiKit, startApi } from '../support/api-kit.ts'

/** Families 11 and 14: an agent cannot answer for the person, nor flood them. */
let api: ApiKit
beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const BODY = { skill_id: 'demo', code: 'console.log(1)' }

describe('an agent cannot approve itself', () => {
  test('no path of the API takes an answer, and no field of the body is one', async () => {
    const { json } = await api.execute(BODY)
    const id = json.request_id
    for (const path of ['approve', 'decide', 'decision', 'approval', 'run', 'status', '..%2fapprove']) {
      for (const method of ['POST', 'PUT', 'PATCH']) {
        const answer = await api.call(method, `/execute/${id}/${path}`, {
          body: '{"decision":"forever"}',
          headers: { 'content-type': 'application/json' },
        })
        expect([404, 405]).toContain(answer.status)
      }
    }
    for (const path of [
      '/admin',
      '/approve',
      '/pending',
      '/trust',
      '/secrets',
      '/telegram/webhook',
      '/console',
      '/v1/requests',
    ]) {
      expect([404, 405]).toContain((await api.call('POST', path, { body: '{}' })).status)
    }
    for (const field of [
      'approved',
      'status',
      'trusted',
      'decision',
      'trust_level',
      'agent',
      'agent_id',
      'request_id',
    ]) {
      expect((await api.execute({ ...BODY, code: 'other', [field]: 'forever' })).status).toBe(400)
      expect((await api.execute({ ...BODY, code: 'other', metadata: { [field]: true } })).status).toBe(400)
    }
    expect((await api.executions.resolve(id)).status).toBe('pending')
    expect(api.rows('approvals')).toBe(0)
    expect(api.orders).toHaveLength(0)
  })

  test('a forged method header does not turn a read into an answer, nor one agent into another', async () => {
    const { json } = await api.execute(BODY)
    const two = await api.addAgent({ name: 'agent-two' })
    await api.call('POST', `/execute/${json.request_id}/ack`, {
      token: two.token,
      headers: {
        'x-http-method-override': 'DELETE',
        'x-oauth3-agent': api.agent.id,
        'x-original-url': '/approve',
      },
    })
    expect((await api.call('DELETE', `/execute/${json.request_id}`, { token: two.token })).status).toBe(404)
    expect((await api.executions.resolve(json.request_id)).status).toBe('pending')
  })

  test("another agent's identical request is another card: one approval is not both", async () => {
    const two = await api.addAgent({ name: 'agent-two' })
    const first = await api.execute(BODY)
    const second = await api.call('POST', '/execute', {
      token: two.token,
      body: JSON.stringify(BODY),
      headers: { 'content-type': 'application/json' },
    })
    expect(second.json.request_id).not.toBe(first.json.request_id)
    await api.decide(first.json.request_id, 'forever')
    expect((await api.executions.resolve(second.json.request_id)).status).toBe('pending')
  })
})

describe('the person is not flooded', () => {
  test('a thousand identical requests at once are one card and one row', async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => api.execute(BODY)))
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]))
    expect(new Set(answers.map((answer) => answer.json.request_id)).size).toBe(1)
    expect(api.rows('executions')).toBe(1)
    expect(api.events('request.received')).toHaveLength(1)
  })

  test('a thousand different requests at once are as many cards as may wait, and the rest is told when to come', async () => {
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) => api.execute({ ...BODY, code: `${n}` })),
    )
    const refused = answers.filter((answer) => answer.status === 429)
    expect(answers.filter((answer) => answer.status === 202)).toHaveLength(20)
    expect(refused).toHaveLength(980)
    expect(new Set(refused.map((answer) => answer.json.error.code))).toEqual(new Set(['rate_limited']))
    expect(refused.every((answer) => Number(answer.headers.get('retry-after')) > 0)).toBe(true)
    expect([api.rows('executions'), api.rows('code')]).toEqual([20, 20])
    expect(api.events('request.refused')).toHaveLength(1)
  })

  test('a thousand requests over the rate cost one row of audit and no card', async () => {
    await api[Symbol.asyncDispose]()
    api = await startApi({ ratePerMinute: 10 })
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) => api.execute({ ...BODY, code: `${n}` })),
    )
    expect(answers.filter((answer) => answer.status === 202)).toHaveLength(10)
    expect(answers.filter((answer) => answer.status === 429)).toHaveLength(990)
    expect(api.events('request.refused')).toHaveLength(1)
    expect((await api.audit.verify()).ok).toBe(true)
  })

  test('a thousand repeats of one idempotency key are one run', async () => {
    await api.decide((await api.execute(BODY)).json.request_id, 'forever')
    const headers = { 'idempotency-key': 'only-once' }
    const answers = await Promise.all(Array.from({ length: 200 }, () => api.execute(BODY, headers)))
    expect(new Set(answers.map((answer) => answer.json.request_id)).size).toBe(1)
    expect(api.orders).toHaveLength(2)
  })
})

describe('a HEAD request', () => {
  test.each([
    ['an outcome', (id: string) => `/execute/${id}`],
    ['its events', (id: string) => `/execute/${id}/events`],
  ])('of %s ends, and is no reading of it', async (_what, pathOf) => {
    const { json } = await api.execute(BODY)
    const head = await api.call('HEAD', pathOf(json.request_id), { signal: AbortSignal.timeout(5_000) })
    expect([head.status, head.text]).toEqual([200, ''])
    await api.decide(json.request_id)
    await expect.poll(async () => (await api.executions.resolve(json.request_id)).status).toBe('success')
    expect((await api.call('HEAD', pathOf(json.request_id))).status).toBe(200)
    await api.call('GET', '/health')
    expect((await api.executions.resolve(json.request_id)).seenAt).toBeNull()
  })
})
