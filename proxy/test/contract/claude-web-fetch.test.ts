import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEgressSessions } from '../../src/egress/index.ts'
import { type ClaudeKit, createClaudeKit } from '../support/claude-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createTestEndpoints, type TestEndpoints } from '../support/egress-endpoints.ts'
import { policyOf } from '../support/egress-policy.ts'
import { say, use } from '../support/messages-api-double.ts'
import { createUnitDouble } from '../support/unit-double.ts'

const PAGE = { url: 'https://docs.example.com/a?q=1', prompt: 'What does it say?' }
const TASK = { description: 'look up', prompt: 'Look it up.', subagent_type: 'general-purpose' }
const ENTRY = {
  ...{ host: 'docs.example.com', methods: ['GET'], paths: ['/**'], requests: 20 },
  ...{ websocket: false, graphql: 'query' as const },
}

const availability = await dockerOrSkip({ images: ['claude'] })

describe.skipIf(!availability.available)('WebFetch of the real CLI', () => {
  let kit: ClaudeKit
  let endpoints: TestEndpoints
  beforeAll(async () => {
    endpoints = await createTestEndpoints({
      answer: (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/plain' })
        response.end('The page says forty-two.')
      },
    })
    kit = await createClaudeKit({ endpoints })
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
    await endpoints?.[Symbol.asyncDispose]()
  })
  /** What came through, the refused too. */
  const seen = () => endpoints.opened.flatMap((endpoint) => endpoint.seen)
  const begin = () =>
    createEgressSessions({
      audit: { append: async () => {} } as never,
      storage: createUnitDouble(),
      onDefect: () => {},
    }).begin('run_1', policyOf([]))

  it('reads from the host that is opened for it, and asks for no other', async () => {
    const session = begin()
    const { outcome, api, events, asked } = await kit.run({
      tools: ['WebFetch'],
      egress: session,
      answer: (_call, at) => (at === 0 ? use('WebFetch', PAGE) : say('forty-two')),
      onTool: async ({ input }) => {
        session.admit([ENTRY])
        return { behavior: 'allow', updatedInput: input }
      },
    })
    expect(seen()).toEqual([`GET ${PAGE.url}`])
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'tool_result', id: asked[0]?.toolUseId, isError: false }),
    )
    // The CLI has the page read by a call of its own before the model is told.
    expect(api.calls.some(({ raw }) => raw.includes('The page says forty-two.'))).toBe(true)
    expect(outcome.code).toBe('ok')
  })

  it('that is allowed and not opened for reaches nothing', async () => {
    const { outcome, api } = await kit.run({
      tools: ['WebFetch'],
      egress: begin(),
      answer: (_call, at) => (at === 0 ? use('WebFetch', PAGE) : say('no')),
      onTool: async () => ({ behavior: 'allow' }),
    })
    expect(api.calls.length).toBeGreaterThan(1)
    expect(api.calls.some(({ raw }) => raw.includes('The page says forty-two.'))).toBe(false)
    expect(outcome.text).toBe('no')
  })

  it('of a subagent is told when it has answered, though no event tells of it', async () => {
    const session = begin()
    const answered: string[] = []
    const { outcome, asked, events } = await kit.run({
      tools: ['Task', 'WebFetch'],
      egress: session,
      answer: ({ body }) => {
        const last = JSON.stringify(body.messages.at(-1))
        const all = JSON.stringify(body.messages)
        if (last.includes('The page says forty-two.')) return say('forty-two')
        if (all.includes('tool_result')) return say('done')
        return all.includes(TASK.prompt) ? use('WebFetch', PAGE) : use('Task', TASK)
      },
      prompt: 'Have it looked up.',
      onTool: async ({ tool, input }) => {
        if (tool === 'WebFetch') session.admit([ENTRY])
        return { behavior: 'allow', updatedInput: input }
      },
      onToolAnswered: (id) => void answered.push(id),
    })
    const ids = (of: string) => asked.filter(({ tool }) => tool === of).map(({ toolUseId }) => toolUseId)
    // What the model calls Task, the CLI asks about as Agent.
    expect(asked.map(({ tool }) => tool)).toEqual(['Agent', 'WebFetch'])
    expect(answered).toEqual([...ids('WebFetch'), ...ids('Agent')])
    expect(events.filter(({ type }) => type === 'tool_result')).toHaveLength(1)
    // It is waited for: the run's last word comes behind it.
    expect(outcome).toMatchObject({ code: 'ok', text: 'done' })
  }, 30_000)
})
