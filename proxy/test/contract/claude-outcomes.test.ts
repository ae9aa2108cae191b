/** How runs of the real CLI end, and that each ending is told by its own name. */
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClaudeKit, createClaudeKit, type RunPlan } from '../support/claude-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { type Reply, say, use } from '../support/messages-api-double.ts'

const availability = await dockerOrSkip({ images: ['claude'] })
const SCHEMA = {
  type: 'object',
  properties: { qty: { type: 'number' } },
  required: ['qty'],
  additionalProperties: false,
}
const error = (status: number, type: string, message: string, headers?: Record<string, string>): Reply => ({
  error: { status, type, message },
  ...(headers === undefined ? {} : { headers }),
})

describe.skipIf(!availability.available)('a run of the Claude Code CLI', () => {
  let kit: ClaudeKit
  beforeAll(async () => {
    kit = await createClaudeKit({ poolSize: 1 })
    kit.runner.start()
  })
  afterAll(() => kit[Symbol.asyncDispose]())

  const docker = new Docker()
  const containers = () =>
    docker.listContainers({ filters: { label: [`oauth3.instance=${kit.instance}-claude`] } })

  /** A run whose model begins to answer and then says nothing; resolves when the first text has come. */
  function begun(plan: Partial<RunPlan>) {
    const first = Promise.withResolvers<void>()
    const done = kit.run({
      answer: () => ({ content: [{ type: 'text', text: 'begun' }], end: 'silent' }),
      ...plan,
      onEvent: (event) => event.type === 'text' && first.resolve(),
    })
    return { first: first.promise, done }
  }

  it.each([
    ['image_missing', Object.assign(new Error('no such image'), { statusCode: 404 }), 'npm run images'],
    ['engine_away', new Error('connect ECONNREFUSED'), 'does not answer'],
  ])(
    'tells %s where that comes in the middle of its life, and goes on when it is over',
    async (reason, away, says) => {
      let failure: Error | null = null
      const fails = () => Promise.reject(failure)
      const lively = new Proxy(docker, {
        get(engine, name) {
          if (failure !== null && name === 'getImage') return () => ({ inspect: fails })
          if (failure !== null && name === 'createContainer') return fails
          const member: unknown = Reflect.get(engine, name)
          return typeof member === 'function' ? member.bind(engine) : member
        },
      })
      await using own = await createClaudeKit({ docker: lively })
      const run = () => own.run({ answer: () => say('hi') })
      expect((await run()).outcome.code).toBe('ok')
      failure = away
      const [refused] = await Promise.allSettled([run()])
      expect(refused).toMatchObject({ reason: { reason, message: expect.stringContaining(says) } })
      expect(await own.runner.status()).toMatchObject({ notes: [expect.stringContaining(says)] })
      failure = null
      expect((await run()).outcome.code).toBe('ok')
    },
  )

  describe('with a schema', () => {
    it('repairs a wrong answer once, in the same conversation', async () => {
      const { outcome, api, events } = await kit.run({
        schema: SCHEMA,
        answer: (_call, at) => say(at === 0 ? 'Here: {"qty": "two"}' : '```json\n{"qty": 2}\n```'),
      })
      expect(outcome).toMatchObject({ code: 'ok', result: { qty: 2 }, turns: 2, usage: { inputTokens: 22 } })
      expect(events).toContainEqual({ type: 'repair', problems: ['/qty must be number'] })
      expect(JSON.stringify(api.calls[0]?.body.system)).toContain('additionalProperties')
      expect(api.calls[1]?.raw).toContain('/qty must be number')
      expect(api.calls[1]?.raw).toContain('Here: ')
      expect(api.refused).toEqual([])
    })

    it('gives up when the second answer is wrong too', async () => {
      const { outcome, api } = await kit.run({ schema: SCHEMA, answer: () => say('{"qty": "two"}') })
      expect(outcome).toMatchObject({ code: 'schema_not_met', result: null, text: '{"qty": "two"}' })
      expect(outcome.message).toContain('/qty must be number')
      expect(api.calls).toHaveLength(2)
    })
  })

  it.each<[string, Reply, Partial<RunPlan>, object, number]>([
    [
      'a refusal of the model',
      { content: [{ type: 'text', text: 'I will' }], stopReason: 'refusal' },
      {},
      { code: 'model_refused', text: '' },
      2,
    ],
    [
      'an answer beyond its tokens',
      { content: [{ type: 'text', text: 'far too' }], stopReason: 'max_tokens' },
      {},
      { code: 'max_tokens', text: 'far too' },
      4,
    ],
    [
      'an endpoint over budget',
      error(402, 'billing_error', 'The run has spent its budget.'),
      { refusal: () => ({ code: 'budget_exceeded', message: 'The run has spent its budget.' }) },
      { code: 'budget_exceeded', message: 'The run has spent its budget.' },
      1,
    ],
    ['a refusal for good', error(403, 'permission_error', 'not for you'), {}, { code: 'upstream_error' }, 1],
    [
      'a failing vendor',
      error(500, 'api_error', 'Internal server error'),
      {},
      { code: 'upstream_error', text: '' },
      3,
    ],
    [
      'a prompt that is too long',
      error(400, 'invalid_request_error', 'prompt is too long: 300000 tokens > 200000 maximum'),
      {},
      { code: 'input_refused' },
      1,
    ],
  ])('tells of %s', async (_what, reply, plan, expected, calls) => {
    const { outcome, api } = await kit.run({ ...plan, answer: () => reply })
    expect(outcome).toMatchObject({ result: null, ...expected })
    expect(outcome.message).not.toBe('')
    expect(api.calls.length).toBe(calls)
  })

  it('a stream that is cut counts as no answer', async () => {
    const { outcome } = await kit.run({
      answer: () => ({ content: [{ type: 'text', text: 'half of' }], end: 'cut' }),
    })
    expect(outcome).toMatchObject({ code: 'upstream_error', result: null })
  })

  it('ends as silent when nothing happens any more, with what came', async () => {
    const { done } = begun({ silenceMs: 5_000 })
    const { outcome } = await done
    expect(outcome).toMatchObject({ code: 'silent', text: 'begun', usage: { inputTokens: 11 } })
  })

  it('ends when its time is over', async () => {
    const { done } = begun({ timeoutMs: 6_000 })
    expect((await done).outcome).toMatchObject({ code: 'timeout', text: 'begun' })
  })

  it('is cancelled: the process is gone when that is told', async () => {
    const cancelling = new AbortController()
    const { first, done } = begun({ signal: cancelling.signal })
    await first
    const before = await containers()
    cancelling.abort()
    const { outcome } = await done
    const running = new Set((await containers()).map(({ Id }) => Id))
    // The one of the run; what waits for the next one may have come since.
    expect(before.filter(({ Id }) => running.has(Id)).length).toBeLessThan(before.length)
    expect(outcome).toMatchObject({
      code: 'cancelled',
      text: 'begun',
      usage: { inputTokens: 11, outputTokens: 1 },
    })
  })

  it('ends when it gives more than it may', async () => {
    const { outcome } = await kit.run({
      maxOutputBytes: 1_000,
      answer: () => ({ content: [{ type: 'text', text: 'x'.repeat(5_000) }], deltaChars: 500 }),
    })
    expect(outcome.code).toBe('output_limit')
    expect(outcome.text.length).toBeGreaterThan(900)
  })

  it('loses its container', async () => {
    const { first, done } = begun({})
    await first
    for (const { Id } of await containers())
      await docker
        .getContainer(Id)
        .kill()
        .catch(() => {})
    expect((await done).outcome).toMatchObject({ code: 'sandbox_lost', text: 'begun' })
  })

  it('runs what was allowed, as it was allowed, inside the container alone', async () => {
    const { outcome, api } = await kit.run({
      tools: ['Bash'],
      answer: (_call, at) =>
        at === 0 ? use('Bash', { command: 'echo wrong', description: 'x' }) : say('done'),
      onTool: async () => ({
        behavior: 'allow',
        updatedInput: { command: 'id -u; ls /run/oauth3; echo right', description: 'x' },
      }),
    })
    expect(outcome).toMatchObject({ code: 'ok', denials: [] })
    expect(api.calls[1]?.raw).toContain('65532')
    expect(api.calls[1]?.raw).toContain('right')
    expect(api.calls[1]?.raw).not.toContain('wrong\\n')
  })

  it('stops after its turns', async () => {
    const { outcome, api } = await kit.run({
      tools: ['Bash'],
      maxTurns: 2,
      answer: () => use('Bash', { command: 'echo again', description: 'x' }),
      onTool: async () => ({ behavior: 'allow' }),
    })
    expect(outcome.code).toBe('max_turns')
    expect(api.calls).toHaveLength(2)
  })
})
