/** A grant for some models is for these alone, whatever a body, a path or a query says beside them or in their place. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const BODY = JSON.stringify(chatBody())

let kit: LlmKit
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.addKey('openai')
  await kit.addKey('google')
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const calls = (): number => kit.vendors.calls.length

describe('the model under a grant for some models', () => {
  let count = 0
  /** Another one for each test: an agent may have so many questions open, and a refusal for that proves nothing. */
  const limited = async (): Promise<string> => {
    const agent = `limited-${++count}`
    const token = await kit.addAgent(agent)
    await kit.grant('openai', { agent, modelsAllowed: ['gpt-demo'] })
    await kit.grant('google', { agent, modelsAllowed: ['gemini-demo'] })
    await kit.grant('azure', { agent, modelsAllowed: ['gpt-demo'] })
    return token
  }
  let token: string
  beforeAll(async () => {
    await kit.admin('PUT', '/v1/providers/azure/params/resource', { value: 'demo-resource' })
    await kit.addKey('azure')
    token = await limited()
  })
  const M = '"messages":[]'
  it.each([
    ['another model', CHAT, `{"model":"gpt-dear",${M}}`],
    ['no model', CHAT, `{${M}}`],
    ['two models', CHAT, `{"model":"gpt-demo",${M},"model":"gpt-dear"}`],
    ['two models, the other first', CHAT, `{"model":"gpt-dear",${M},"model":"gpt-demo"}`],
    ['two, one of them escaped', CHAT, `{"model":"gpt-demo",${M},"\\u006dodel":"gpt-dear"}`],
    ['one escaped', CHAT, `{"mod\\u0065l":"gpt-dear",${M}}`],
    ['another one in another case beside it', CHAT, `{"model":"gpt-demo",${M},"Model":"gpt-dear"}`],
    ['another one in another case', CHAT, `{"MODEL":"gpt-dear",${M}}`],
    ['the model one level down', CHAT, `{"metadata":{"model":"gpt-demo"},${M}}`],
    ['the model in an array', CHAT, `[{"model":"gpt-demo"}]`],
    ['a model that is no text', CHAT, `{"model":["gpt-demo"],${M}}`],
    ['a name that only begins alike', CHAT, `{"model":"gpt-demo-dear",${M}}`],
    ['a name in another case', CHAT, `{"model":"GPT-DEMO",${M}}`],
    ['a name with a blank', CHAT, `{"model":"gpt-demo ",${M}}`],
    ['a name with a NUL', CHAT, `{"model":"gpt-demo\\u0000-dear",${M}}`],
    ['no JSON', CHAT, `model=gpt-demo`],
    ['JSON with a byte order mark', CHAT, `\ufeff{"model":"gpt-dear",${M}}`],
    ['JSON with something behind it', CHAT, `{"model":"gpt-demo",${M}}{"model":"gpt-dear"}`],
    ['a model in the query alone', `${CHAT}?model=gpt-demo`, `{"model":"gpt-dear",${M}}`],
    [
      'Gemini: another model in the path',
      '/llm/google/v1beta/models/gemini-dear:generateContent',
      '{"contents":[]}',
    ],
    [
      'Gemini: allowed in the body alone',
      '/llm/google/v1beta/models/gemini-dear:generateContent',
      '{"model":"models/gemini-demo","contents":[]}',
    ],
    ['Gemini: an escaped path', '/llm/google/v1beta/models/gemini-d%65ar:generateContent', '{"contents":[]}'],
    [
      'Gemini: a tuned model',
      '/llm/google/v1beta/tunedModels/dear:generateContent',
      '{"model":"models/gemini-demo","contents":[]}',
    ],
    [
      'Azure: another deployment',
      '/llm/azure/openai/deployments/gpt-dear/chat/completions?api-version=1',
      `{"model":"gpt-demo",${M}}`,
    ],
    [
      'Azure: a path in another case',
      '/llm/azure/openai/Deployments/gpt-dear/chat/completions',
      `{"model":"gpt-demo",${M}}`,
    ],
    [
      'Azure: an escaped path',
      '/llm/azure/openai/%64eployments/gpt-dear/chat/completions',
      `{"model":"gpt-demo",${M}}`,
    ],
    [
      'Gemini: escaped words around the name',
      '/llm/google/v1beta/%6dodels/gemini-dear%3AgenerateContent',
      '{"model":"models/gemini-demo","contents":[]}',
    ],
    ['a path with a model of its own', '/llm/openai/v1/models/org/dear/v1/chat/completions', BODY],
    ['fallbacks beside the model', CHAT, `{"model":"gpt-demo","models":["gpt-dear"],${M}}`],
    ['work that is done later', '/llm/openai/v1/batches', BODY],
    ['a query that vouches for what is no JSON', `${CHAT}?model=gpt-demo`, `\ufeff{"model":"gpt-dear",${M}}`],
    ['a query that says another', `${CHAT}?model=gpt-dear`, BODY],
    ['a line break in a text', CHAT, `{"model":"gpt-demo","x":"\r\n--x\r\n",${M}}`],
  ])('%s is not passed', async (_name, path, body) => {
    const before = calls()
    const answer = await kit.ask(path, { token: await limited(), body, headers: { prefer: 'wait=0' } })
    expect([400, 403]).toContain(answer.status)
    expect(answer.headers.get('x-oauth3-error')).toMatch(/^(approval_pending|bad_request|owner_only)$/)
    expect(calls()).toBe(before)
  })

  it.each(['gzip', 'br', 'deflate', 'identity, gzip'])(
    'a body in an encoding that is not read is not passed: %s',
    async (encoding) => {
      const before = calls()
      const answer = await kit.ask(CHAT, {
        token,
        body: BODY,
        headers: { prefer: 'wait=0', 'content-encoding': encoding },
      })
      expect(answer.status).toBe(403)
      expect(calls()).toBe(before)
    },
  )

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/json; charset=utf-16',
    'application/jsonl',
  ])('a body that says it is %s is not passed, whatever query and path say', async (type) => {
    const before = calls()
    const asked = { token: await limited(), headers: { prefer: 'wait=0', 'content-type': type } }
    const azure = '/llm/azure/openai/deployments/gpt-demo/audio/transcriptions?api-version=1'
    for (const path of [
      `${CHAT}?model=gpt-demo`,
      '/llm/google/v1beta/models/gemini-demo:generateContent',
      azure,
    ]) {
      const answer = await kit.ask(path, { ...asked, body: '{"model":"gpt-dear","messages":[]}' })
      expect([path, answer.status]).toEqual([path, 403])
    }
    expect(calls()).toBe(before)
  })

  it('what the grant is for passes', async () => {
    expect((await kit.ask(CHAT, { token, body: chatBody() })).status).toBe(200)
    const gemini = '/llm/google/v1beta/models/gemini-demo:generateContent'
    expect((await kit.ask(gemini, { token, body: { contents: [] } })).status).toBe(200)
  })
})
