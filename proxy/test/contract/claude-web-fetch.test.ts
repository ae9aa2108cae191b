import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OwnToolCall, REQUEST_TOOL } from '../../src/claude-runs/index.ts'
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
  })

  const REQUEST = { url: 'https://api.example.com/mail', method: 'POST', body: '{{MAIL_KEY}}' }
  const OWN = REQUEST_TOOL

  it.each([[[OWN]], [[OWN, 'Bash']]])(
    'and our own request: %j are what the model knows, and it goes where it was allowed',
    async (tools) => {
      const used: OwnToolCall[] = []
      const { outcome, api, asked, events } = await kit.run({
        tools,
        answer: (_call, at) => (at === 0 ? use(OWN, REQUEST) : say('sent')),
        onTool: async ({ input }) => ({ behavior: 'allow', updatedInput: input }),
        onOwnTool: async (call) => {
          used.push(call)
          return { isError: false, text: 'HTTP 200 sent-4f1c' }
        },
      })
      expect(outcome).toMatchObject({ code: 'ok', text: 'sent' })
      const known = api.calls[0]?.body.tools?.map(({ name }) => name) ?? []
      expect(known.filter((name) => name !== 'DeferredToolPlaceholder').toSorted()).toEqual(tools.toSorted())
      expect(asked).toMatchObject([{ tool: OWN, input: REQUEST }])
      expect(used).toEqual([{ toolUseId: asked[0]?.toolUseId, tool: OWN, input: REQUEST }])
      expect(used[0]?.toolUseId).toMatch(/^toolu_/)
      expect(JSON.stringify(api.calls.at(-1)?.body.messages.at(-1))).toContain('HTTP 200 sent-4f1c')
      expect(events).toContainEqual(expect.objectContaining({ type: 'tool_result', isError: false }))
    },
  )

  it('our own request, denied, is never sent, and the model reads why; without it in the run there is no server', async () => {
    const used: OwnToolCall[] = []
    const onOwnTool = async (call: OwnToolCall) => {
      used.push(call)
      return { isError: false, text: 'sent' }
    }
    const denied = await kit.run({
      ...{ tools: [OWN], onOwnTool },
      answer: (_call, at) => (at === 0 ? use(OWN, REQUEST) : say('gave up')),
      onTool: async () => ({ behavior: 'deny', message: 'A person said no: not-today-77.' }),
    })
    expect(denied.outcome).toMatchObject({ code: 'ok', text: 'gave up' })
    expect(JSON.stringify(denied.api.calls.at(-1)?.body.messages)).toContain('not-today-77')
    const without = await kit.run({
      ...{ tools: ['Bash'], onOwnTool },
      answer: (_call, at) => (at === 0 ? use(OWN, REQUEST) : say('none')),
    })
    expect(without.api.calls[0]?.body.tools?.map(({ name }) => name)).not.toContain(OWN)
    expect(without.asked).toEqual([])
    expect(used).toEqual([])
  })
})
