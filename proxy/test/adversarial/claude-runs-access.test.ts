import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BOOTSTRAP, type ClaudeRunsKit, startClaudeRuns } from '../support/claude-runs-kit.ts'
import { collect } from '../support/collect.ts'

type Json = Record<string, unknown>
const json = async (response: Response): Promise<Json> => (await response.json()) as Json
const refusal = async (response: Response): Promise<unknown> => [response.status, (await json(response)).code]

let kit: ClaudeRunsKit
beforeEach(async () => {
  kit = await startClaudeRuns()
})
afterEach(() => kit[Symbol.asyncDispose]())

describe('another app’s token', () => {
  it('finds no run, no events and no session, and ends none', async () => {
    kit.runner.play = () => ({ sessionTranscript: Buffer.from('t'), sessionId: 'cli' })
    const [mine, theirs] = [await kit.addApp('mine'), await kit.addApp('theirs')]
    const run = await json(await kit.postRun(mine.token, { prompt: 'hi', session: {} }))
    const { session_id: session } = run
    for (const [method, path] of [
      ['GET', `/run/${run.run_id}`],
      ['DELETE', `/run/${run.run_id}`],
      ['GET', `/run/${run.run_id}/events`],
      ['DELETE', `/sessions/${session}`],
    ] as const)
      expect(await refusal(await kit.call(path, theirs.token, { method })), path).toEqual([404, 'not_found'])
    for (const wish of [{ id: session }, { id: session, fork: true }])
      expect(await refusal(await kit.postRun(theirs.token, { prompt: 'hi', session: wish }))).toEqual([
        404,
        'not_found',
      ])
    expect(await json(await kit.call('/sessions', theirs.token))).toEqual({ sessions: [] })
    expect(kit.runner.orders).toHaveLength(1)
    expect((await kit.call(`/run/${run.run_id}`, mine.token)).status).toBe(200)
  })
})

describe('a session', () => {
  it('goes on, forks and is forgotten, and takes one run at a time', async () => {
    let turn = 0
    kit.runner.play = () => ({ sessionTranscript: Buffer.from(`turn ${++turn}`), sessionId: `cli-${turn}` })
    const { token } = await kit.addApp()
    const first = await json(await kit.postRun(token, { prompt: 'a', session: {} }))
    const id = first.session_id
    const second = await json(await kit.postRun(token, { prompt: 'b', session: { id } }))
    expect(second.session_id).toBe(id)
    const fork = await json(await kit.postRun(token, { prompt: 'c', session: { id, fork: true } }))
    expect(fork.session_id).not.toBe(id)
    expect(kit.runner.orders.map(({ session }) => [session?.id, session?.fork])).toEqual([
      [null, false],
      ['cli-1', false],
      ['cli-2', true],
    ])
    const { sessions } = (await json(await kit.call('/sessions', token))) as { sessions: Json[] }
    expect(sessions.find(({ session_id }) => session_id === fork.session_id)).toMatchObject({
      parent: id,
      runs: 3,
    })

    kit.runner.play = () => new Promise(() => {})
    const runs = await json(await kit.postRun(token, { prompt: 'd', session: { id }, detach: true }))
    expect(await refusal(await kit.postRun(token, { prompt: 'e', session: { id } }))).toEqual([
      409,
      'conflict',
    ])
    expect(await refusal(await kit.call(`/sessions/${id}`, token, { method: 'DELETE' }))).toEqual([
      409,
      'conflict',
    ])
    await kit.call(`/run/${runs.run_id}`, token, { method: 'DELETE' })
    // The run left nothing: the session stands where it was.
    expect((await json(await kit.call(`/run/${runs.run_id}`, token))).session_id).toBe(id)
    expect((await kit.call(`/sessions/${id}`, token, { method: 'DELETE' })).status).toBe(200)
    expect(await refusal(await kit.postRun(token, { prompt: 'f', session: { id } }))).toEqual([
      404,
      'not_found',
    ])
    expect(await kit.storage.read((tx) => tx.runSessions.blobs())).toHaveLength(1)
  })
})

describe('a token', () => {
  it('does what its scopes say, asks for what the owner allowed, and nothing else', async () => {
    const files = await kit.addApp('files', { scopes: ['files'] })
    const run = await kit.addApp('run', { scopes: ['run'], tools: ['Read'], models: ['claude-haiku-*'] })
    expect(await refusal(await kit.postRun(files.token, { prompt: 'hi' }))).toEqual([409, 'refused'])
    expect(await refusal(await kit.upload(run.token, 'x'))).toEqual([409, 'refused'])
    const ask = async (body: object): Promise<unknown> =>
      (await kit.postRun(run.token, { prompt: 'hi', model: 'haiku', ...body })).status
    expect(await ask({ tools: ['Read'] })).toBe(200)
    expect(await ask({ tools: ['Read', 'Bash'] })).toBe(409)
    for (const model of ['haiku', 'claude-haiku-5-5']) expect(await ask({ model })).toBe(200)
    // Words of the CLI's are what they stand for, and nobody knows what `default` is.
    for (const model of ['claude-opus-5-5', 'opus', 'opusplan', 'default'])
      expect(await ask({ model })).toBe(409)
    const word = await json(await kit.postRun(run.token, { prompt: 'hi', model: 'sonnet' }))
    expect(JSON.stringify(word)).toContain('sonnet, which is claude-sonnet-5-5; it may: claude-haiku-*')
    expect(await ask({ model: 'x --dangerously-skip-permissions' })).toBe(400)
    expect(await ask({ unknown: true })).toBe(400)
  })

  it('of an agent, of another form, of nobody, or the bootstrap token, runs nothing', async () => {
    const { token: agent } = await kit.agents.add({ name: 'agent' }, 'cli:0')
    for (const token of [null, '', agent, `cf_${'A'.repeat(43)}`, BOOTSTRAP])
      expect(await refusal(await kit.postRun(token ?? '', { prompt: 'hi' }))).toEqual([
        401,
        'unauthenticated',
      ])
    const { token } = await kit.addApp()
    for (const [method, path] of [
      ['GET', '/admin/tokens'],
      ['DELETE', '/admin/tokens/demo'],
    ] as const)
      expect(await refusal(await kit.call(path, token, { method }))).toEqual([401, 'unauthenticated'])
    // Apps are no agents either.
    expect(() => kit.agents.authenticate(`Bearer ${token}`, '127.0.0.1')).toThrow()
    expect(kit.runner.orders).toEqual([])
  })

  it('that is guessed too often from one address is answered no more', async () => {
    const answers = new Set<number>()
    for (let count = 0; count < 40; count += 1)
      answers.add((await kit.call('/files', `cf_${'B'.repeat(43)}`)).status)
    expect([...answers]).toEqual([401, 429])
  })

  it('is nowhere in the database or the audit, and the old one is refused once it is rotated', async () => {
    const { token } = await kit.addApp()
    const { token: second } = await kit.apps.rotate('demo', 'cli:0')
    expect((await kit.call('/files', token)).status).toBe(401)
    expect((await kit.call('/files', second)).status).toBe(200)
    const all = JSON.stringify([
      await kit.storage.read((tx) => tx.apps.list()),
      await collect(kit.audit.export()),
    ])
    for (const text of [token, second, BOOTSTRAP]) expect(all).not.toContain(text)
  })
})

describe('an address', () => {
  const from = (headers: Record<string, string>, path = '/healthz') => kit.call(path, null, { headers })

  it('of a proxy on this machine is not taken for loopback', async () => {
    expect((await from({})).status).toBe(200)
    expect(await refusal(await from({ 'x-forwarded-for': '203.0.113.9' }))).toEqual([
      403,
      'address_not_allowed',
    ])
    expect(await refusal(await from({ forwarded: 'for=127.0.0.1' }))).toEqual([403, 'address_not_allowed'])
  })

  it('that a trusted proxy tells has to be one of ALLOW_CIDRS, and of the token', async () => {
    await using behind = await startClaudeRuns({
      environment: { OAUTH3_TRUSTED_PROXIES: '127.0.0.1', ALLOW_CIDRS: '10.0.0.0/8,192.168.0.0/16' },
    })
    const { token } = await behind.addApp('demo', { cidrs: ['10.1.0.0/16'] })
    const status = async (address: string): Promise<number> =>
      (await behind.call('/files', token, { headers: { 'x-forwarded-for': address } })).status
    expect(await status('10.1.2.3')).toBe(200)
    expect(await status('192.168.1.1')).toBe(403)
    expect(await status('203.0.113.9')).toBe(403)
    // What the caller wrote itself stands before what the proxy saw.
    expect(await status('10.1.2.3, 203.0.113.9')).toBe(403)
  })
})

describe('a body', () => {
  it.each([
    ['no JSON', 'x', 400],
    ['no prompt', '{}', 400],
    ['an empty prompt', '{"prompt":""}', 400],
    ['a lone surrogate', '{"prompt":"\\ud800"}', 400],
    ['a prototype', '{"prompt":"x","schema":{"__proto__":{}}}', 400],
    ['a file that is a path', '{"prompt":"x","files":["../x"]}', 400],
    ['a budget of nothing', '{"prompt":"x","budget":{"usd":0}}', 400],
  ])('with %s is refused, and no run is stored', async (_what, body, status) => {
    const { token } = await kit.addApp()
    const answer = await kit.call('/run', token, {
      ...{ method: 'POST', body, headers: { 'content-type': 'application/json' } },
    })
    expect(answer.status).toBe(status)
    expect(await json(answer)).toMatchObject({ ok: false, error: { code: 'invalid_request' } })
    expect(await kit.storage.read((tx) => tx.claudeRuns.list({ limit: 1 }))).toEqual([])
  })

  it('leaves no word of prompt or result in the database, in the clear', async () => {
    kit.runner.play = () => ({ result: 'answer-word', text: 'answer-word' })
    const { token } = await kit.addApp('demo', { keepsPrompts: true })
    const run = await json(await kit.postRun(token, { prompt: 'prompt-word', system: 'system-word' }))
    expect(run.result).toBe('answer-word')
    const rows = await kit.storage.read((tx) => tx.claudeRuns.list({ limit: 1 }))
    const all = JSON.stringify([rows, await collect(kit.audit.export())])
    for (const word of ['prompt-word', 'system-word', 'answer-word']) expect(all).not.toContain(word)
    const body = rows[0] && (await kit.runs.body(rows[0]))
    expect(body).toMatchObject({ prompt: 'prompt-word', system: 'system-word' })
  })
})
