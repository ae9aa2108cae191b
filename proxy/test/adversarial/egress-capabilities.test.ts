/** What a person approved is all that a run can send: real code, real sandbox, real gateway, whatever the code does to hide. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dockerOrSkip } from '../support/docker.ts'
import { attack, rulesOf } from '../support/egress-attack.ts'
import { createEgressKit, type EgressKit } from '../support/egress-kit.ts'

const docker = await dockerOrSkip()

describe.skipIf(!docker.available)(`a run that was approved for GET ${docker.reason}`, () => {
  let kit: EgressKit
  const only = (change: object = {}) => [
    { host: kit.at('api.demo.test'), methods: ['GET'], paths: ['/v1/charges', '/v1/charges/*'], ...change },
  ]
  const sent = (): string[] => kit.upstream.seen.map(({ method, url }) => `${method} ${url}`)

  beforeAll(async () => {
    kit = await createEgressKit()
  })
  beforeEach(() => {
    kit.upstream.seen.length = 0
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
  })

  it('sends nothing else, by whatever client and in whatever spelling', async () => {
    const { report, answer } = await attack(
      kit,
      String.raw`
const host = 'api.demo.test:' + PORT
const at = 'https://' + host
const inside = (text) => tunnelled(host, text.replaceAll('HOST', host), 'api.demo.test')
const verb = ['PO', 'ST'].join('')
tell('plain', await get(at + '/v1/charges', { method: verb, body: '{}' }))
tell('small', await get(at + '/v1/charges', { method: 'patch', body: '{}' }))
tell('request', await get(new Request(at + '/v1/charges', { method: 'DELETE' })))
tell('getter', await get(at + '/v1/charges', { get method() { return verb }, body: '{}' }))
tell('other path', await get(at + '/v1/transfers'))
tell('climbing', await get(at + '/v1/charges/../transfers'))
for (const [name, line] of Object.entries({
  dots: 'GET /v1/charges/../transfers', encoded: 'GET /v1/charges/%2e%2e/transfers', slash: 'GET /v1/charges/..%2ftransfers',
  backslash: 'GET /v1/charges/..%5ctransfers', twice: 'GET /v1/charges/%252e%252e/transfers', doubled: 'GET //v1/charges', params: 'GET /v1/charges/..;/transfers',
  nul: 'GET /v1/charges/%00', absolute: 'GET https://HOST/v1/transfers', fragment: 'GET /v1/charges#/../transfers', post: 'POST /v1/charges', lower: 'post /v1/charges',
  options: 'OPTIONS *', connect: 'CONNECT HOST', trace: 'TRACE /v1/charges',
})) tell(name, await inside(line + ' HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'))
tell('override', await inside('GET /v1/charges HTTP/1.1\r\nHost: HOST\r\nX-HTTP-Method-Override: DELETE\r\nConnection: close\r\n\r\n'))
tell('query override', await inside('GET /v1/charges?_method=DELETE HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n'))
tell('pipelined', await inside('GET /v1/charges HTTP/1.1\r\nHost: HOST\r\n\r\nPOST /v1/transfers HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'))
tell('smuggled', await inside('GET /v1/charges HTTP/1.1\r\nHost: HOST\r\nContent-Length: 44\r\nConnection: close\r\n\r\nPOST /v1/transfers HTTP/1.1\r\nHost: HOST\r\n\r\n12'))
tell('socket', await inside('GET /v1/charges HTTP/1.1\r\nHost: HOST\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'))
tell('mutation', await get(at + '/v1/charges?query=mutation%7Ba%7D'))
const http = await import('node:https')
tell('node', await new Promise((done) => http.request({ host: 'api.demo.test', port: PORT, path: '/v1/charges', method: 'PUT' }, (answer) => { answer.resume(); done({ status: answer.statusCode, rule: answer.headers['x-oauth3-refused'] }) }).on('error', (error) => done({ status: 0, text: String(error) })).end()))
tell('good', await get(at + '/v1/charges/ch_1?limit=3'))
`,
      { network: only() },
    )
    expect(report.good.status).toBe(200)
    expect(report.plain.rule).toBe('method_not_approved')
    expect(report['other path'].rule).toBe('path_not_approved')
    expect(report.node.rule).toBe('method_not_approved')
    expect(sent().filter((line) => !/^GET \/v1\/charges(?:\/ch_1\?limit=3)?$/.test(line))).toEqual([])
    expect(sent()).toContain('GET /v1/charges/ch_1?limit=3')
    expect(kit.upstream.seen.every(({ headers }) => headers['x-http-method-override'] === undefined)).toBe(
      true,
    )
    expect(rulesOf(answer)).toEqual(expect.arrayContaining(['method_not_approved', 'path_not_approved']))
  })

  it('makes no code from text that could try', async () => {
    const { report } = await attack(
      kit,
      `
const at = 'https://api.demo.test:' + PORT + '/v1/transfers'
const text = 'fetch(' + JSON.stringify(at) + ', { method: "POST" })'
const tries = {
  direct: () => eval(text), indirect: () => (0, eval)(text), made: () => new Function('return ' + text)(),
  found: () => (() => {}).constructor('return ' + text)(), async: () => (async () => {}).constructor('return await ' + text)(),
  reflected: () => Reflect.construct(Function, ['return ' + text])(),
}
for (const [name, run] of Object.entries(tries)) {
  try { await run(); tell(name, 'ran') } catch (error) { tell(name, error.name) }
}`,
      { network: only() },
    )
    for (const name of ['direct', 'indirect', 'made', 'found', 'async', 'reflected'])
      expect([name, report[name]]).toEqual([name, 'EvalError'])
    expect(sent()).toEqual([])
  })

  it('that may make code from text is held to GET all the same', async () => {
    const { report } = await attack(
      kit,
      `
const at = 'https://api.demo.test:' + PORT
tell('made', await eval('get(at + "/v1/transfers", { method: "POST", body: "{}" })'))
tell('good', await eval('get(at + "/v1/charges")'))`,
      { network: only(), dynamicCode: true },
    )
    expect(report.made.rule).toBe('method_not_approved')
    expect(report.good.status).toBe(200)
    expect(sent()).toEqual(['GET /v1/charges'])
  })

  it('makes as many requests as were approved, and no more, at once or in turn', async () => {
    const { report, answer } = await attack(
      kit,
      `const at = 'https://api.demo.test:' + PORT
const all = await Promise.all(Array.from({ length: 12 }, () => get(at + '/v1/charges')))
tell('rules', all.map(({ status, rule }) => rule ?? status))
tell('later', await get(at + '/v1/charges/x'))`,
      { network: only({ requests: 3 }) },
    )
    expect(report.rules.filter((one: unknown) => one === 200)).toHaveLength(3)
    expect(report.later.rule).toBe('requests_exceeded')
    expect(sent()).toHaveLength(3)
    expect(rulesOf(answer)).toEqual(['requests_exceeded'])
  })

  it('reads from its refusal the entry to ask for, and with that entry it is let through', async () => {
    const first = await attack(
      kit,
      `const at = 'https://api.demo.test:' + PORT
tell('answer', await get(at + '/v1/refunds', { method: 'POST', body: '{}' }))`,
      { network: only() },
    )
    const { ask } = JSON.parse(first.report.answer.text).error
    expect(ask).toEqual({ host: kit.at('api.demo.test'), methods: ['POST'], paths: ['/v1/refunds'] })
    expect(first.answer.network.refused).toEqual([
      expect.objectContaining({ rule: 'method_not_approved', request: 'POST /v1/refunds', ask }),
    ])
    expect(sent()).toEqual([])
    const second = await attack(
      kit,
      `const at = 'https://api.demo.test:' + PORT
tell('answer', await get(at + '/v1/refunds', { method: 'POST', body: '{}' }))`,
      { network: [...only(), ask] },
    )
    expect(second.report.answer.status).toBe(200)
    expect(sent()).toEqual(['POST /v1/refunds'])
  })

  it('sends no GraphQL mutation in a body where queries alone were approved', async () => {
    const { report } = await attack(
      kit,
      String.raw`
const at = 'https://api.demo.test:' + PORT + '/graphql'
const json = (body, type = 'application/json') => get(at, { method: 'POST', headers: { 'content-type': type }, body })
const write = 'mutation { drop(id: 1) { id } }'
tell('plain', await json(JSON.stringify({ query: write })))
tell('batch', await json(JSON.stringify([{ query: '{ a }' }, { query: write }])))
tell('chosen', await json(JSON.stringify({ query: 'query Q { a } ' + write.replace('mutation', 'mutation M'), operationName: 'M' })))
tell('escaped', await json('{"query":"\u006dutation { drop }"}'))
tell('comment', await json(JSON.stringify({ query: '# query\n' + write })))
tell('graphql', await json(write, 'application/graphql'))
tell('good', await json(JSON.stringify({ query: 'query { me { id } }' })))`,
      {
        network: [
          { host: kit.at('api.demo.test'), methods: ['POST'], paths: ['/graphql'], graphql: 'query' },
        ],
      },
    )
    for (const name of ['plain', 'batch', 'chosen', 'escaped', 'comment', 'graphql'])
      expect([name, report[name].rule]).toEqual([name, 'method_not_approved'])
    expect(report.good.status).toBe(200)
    expect(sent()).toEqual(['POST /graphql'])
  })

  it('is told to the person as what it tried', async () => {
    const { answer } = await attack(
      kit,
      `await get('https://api.demo.test:' + PORT + '/v1/transfers', { method: 'POST', body: '{}' })`,
      { network: only(), shown: true },
    )
    expect(await kit.card(answer.request_id)).toMatch(/POST \/v1\/transfers was not approved/)
  })
})

describe.skipIf(!docker.available)(`a bare host ${docker.reason}`, () => {
  let kit: EgressKit
  beforeAll(async () => {
    kit = await createEgressKit()
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
  })

  /** As an agent asks: the host alone. */
  const bare = async (code: string) => {
    const asked = await kit.daemon.post({
      skill_id: `bare/${Math.random()}`,
      code,
      metadata: { network: [kit.at('api.demo.test')] },
    })
    expect(asked.status).toBe(202)
    await kit.approve(asked.body.request_id)
    return await kit.finished(asked.body.request_id)
  }

  it('gets what the code is seen to send there, and what the code hides is refused', async () => {
    const at = `https://${kit.at('api.demo.test')}`
    const answer = await bare(
      `const shown = await fetch('${at}/v1/charges')
console.log(shown.status)
const carrier = { toString() { return '${at}/v1/' + ['trans', 'fers'].join('') } }
const request = Object.create(null, { method: { get: () => 'PO' + 'ST' } })
const hidden = await [fetch][0](carrier, request).catch((error) => error)
console.log(hidden.status, hidden.headers.get('x-oauth3-refused'))`,
    )
    expect(answer.stdout).toMatch(/^200\n(?:403 (?:method|path)_not_approved|200 null)/)
    const posted = kit.upstream.seen.filter(({ method }) => method === 'POST')
    // Either the reader saw it, and a person was shown it, or the gateway refused it.
    if (posted.length > 0) {
      const { body } = await kit.daemon.admin('GET', `/v1/requests/${answer.request_id}`)
      expect(body.card.sends).toMatch(/ANY|POST/)
    }
  })

  it('with one helper and constant calls is narrow, and the program works', async () => {
    const at = `https://${kit.at('api.demo.test')}`
    const answer = await bare(
      `const BASE = '${at}'
async function api(method: string, path: string) {
  const answer = await fetch(BASE + path, { method })
  return answer.status
}
console.log(await api('GET', '/v1/charges?limit=2'), await api('POST', '/v1/refunds'))`,
    )
    expect(answer.stdout).toBe('200 200\n')
    const { body } = await kit.daemon.admin('GET', `/v1/requests/${answer.request_id}`)
    expect(body.card.sends).toBe(`POST ${kit.at('api.demo.test')}/v1/refunds · GET …/v1/charges`)
    expect(body.card.warnings).toEqual([])
  })
})
