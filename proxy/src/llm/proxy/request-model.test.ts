import { describe, expect, it } from 'vitest'
import { modelOfPath, modelsNamed, type Naming, namesOfQuery } from './request-model.ts'

const CHAT: Naming = {
  method: 'POST',
  path: '/chat/completions',
  query: '',
  websocket: false,
  body: 'read',
  inBody: ['cheap'],
}
const named = (more: Partial<Naming>) => modelsNamed({ ...CHAT, ...more })

it.each([
  ['/models/gemini-2.5-pro:streamGenerateContent', 'gemini-2.5-pro'],
  ['/deployments/my-gpt/chat/completions', 'my-gpt'],
  ['/Deployments/My-GPT/chat/completions', 'My-GPT'],
  ['/model/anthropic.claude-sonnet-4-v1:0/converse', 'anthropic.claude-sonnet-4-v1:0'],
  ['/projects/p/locations/l/publishers/google/models/gemini:generateContent', 'gemini'],
  ['/chat/completions', null],
  ['/models', null],
])('%s names %s', (path, model) => {
  expect(modelOfPath(path)).toBe(model)
})

it('reads the names of a query', () => {
  expect(namesOfQuery('model=gpt-realtime&x=1')).toEqual(['gpt-realtime'])
  expect(namesOfQuery('Model=a&deployment=b&%6dodel=c')).toEqual(['a', 'b', 'c'])
  expect(namesOfQuery('alt=sse')).toEqual([])
})

describe('which model a request is for', () => {
  it('is what its body says, on the endpoints where the body decides', () => {
    expect(named({})).toEqual(['cheap'])
    expect(named({ path: '/messages' })).toEqual(['cheap'])
    expect(named({ inBody: ['cheap', 'dear'] })).toEqual(['cheap', 'dear'])
    expect(named({ inBody: [] })).toEqual([])
  })

  it('is what its path says, and its body too where that says something else', () => {
    const path = '/models/gemini-2.5-flash:embedContent'
    expect(named({ path, inBody: ['models/gemini-2.5-flash'] })).toEqual(['gemini-2.5-flash'])
    expect(named({ path, inBody: ['other'] })).toEqual(['gemini-2.5-flash', 'other'])
  })

  it.each([
    [
      'a body that nobody read, whatever the query says',
      { body: 'unread', inBody: [], query: 'model=cheap' },
    ],
    [
      'a body that nobody read on a path that names one',
      { body: 'unread', path: '/models/cheap:generateContent' },
    ],
    ['a query on an endpoint where the body decides', { inBody: [], query: 'model=cheap' }],
    ['a path that acts on a model it does not name', { path: '/tunedModels/dear:generateContent' }],
    ['a path with escapes', { path: '/%6dodels/dear%2Fx/predict' }],
    ['a router that has the model in its path', { path: '/models/org/dear/v1/chat/completions' }],
    ['work that is done later', { path: '/batches' }],
    [
      'a session on another path',
      { websocket: true, path: '/responses', body: 'none', query: 'model=cheap' },
    ],
    [
      'a session with two names',
      { websocket: true, path: '/realtime', body: 'none', query: 'model=cheap&deployment=dear' },
    ],
  ] as const)('is not known for %s', (_what, more) => {
    expect(named(more as Partial<Naming>)).toContain(null)
  })

  it('is what the query of a realtime session says', () => {
    const session = { websocket: true, path: '/realtime', body: 'none', inBody: [] } as const
    expect(named({ ...session, query: 'model=gpt-realtime' })).toEqual(['gpt-realtime'])
    expect(named({ ...session, query: 'deployment=mine' })).toEqual(['mine'])
  })

  it('reads an escaped path as the vendor does', () => {
    expect(named({ path: '/%64eployments/dear/chat/completions', inBody: [] })).toEqual(['dear'])
    expect(named({ path: '/%6dodels/dear%3AgenerateContent', inBody: [] })).toEqual(['dear'])
  })

  it('is none where nothing is used', () => {
    expect(named({ method: 'GET', path: '/models', body: 'none', inBody: [] })).toEqual([])
    expect(named({ method: 'GET', path: '/models/gpt-5', body: 'none', inBody: [] })).toEqual(['gpt-5'])
    expect(named({ method: 'GET', path: '/files', body: 'none', inBody: [] })).toEqual([])
  })
})
