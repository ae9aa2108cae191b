import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSkillFetcher } from '../../src/executions/fetch-code/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { type ApiKit, startApi } from '../support/api-kit.ts'
import { startTlsUpstream } from '../support/tls-upstream.ts'

/** Families 1, 2, 4, 6, 12 and 15: what the person is shown is what was asked, hashed, and runs. */
let api: ApiKit
beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const BODY = { skill_id: 'demo', code: 'console.log(1)' }

const cardOf = async (requestId: string) => {
  const execution = await api.executions.resolve(requestId)
  return api.storage.read((tx) => api.executions.cardOf(tx, execution))
}

describe('the card shows what is injected', () => {
  test('whatever the comment in the code or metadata.secrets names', async () => {
    const { json } = await api.execute({
      ...BODY,
      code: '// @secrets HARMLESS\nconsole.log(1)',
      secrets: ['BANK_TOKEN'],
      metadata: { secrets: ['HARMLESS'], description: 'uses HARMLESS only' },
    })
    const card = await cardOf(json.request_id)
    expect(card.secrets.map((secret) => secret.name)).toEqual(['BANK_TOKEN'])
    expect(card.warnings.map(({ text }) => text).join()).toMatch(/BANK_TOKEN.*comment names HARMLESS/)
    await api.storage.transaction((tx) =>
      api.vault.put(tx, 'BANK_TOKEN', new SecretValue('demo-value-bank'), { actor: 'cli:1000' }),
    )
    await api.storage.transaction((tx) =>
      api.vault.put(tx, 'HARMLESS', new SecretValue('demo-value-harmless'), { actor: 'cli:1000' }),
    )
    await api.decide(json.request_id)
    await api.call('GET', `/execute/${json.request_id}?wait=5`)
    expect([...(api.orders[0]?.secrets.keys() ?? [])]).toEqual(['BANK_TOKEN'])
  })

  test('HTML in every field that takes text is data, on the card and in the answer', async () => {
    const html = '<b>Approved</b>&lt;<a href="https://evil.example">x</a>"\''
    const { status, json, headers } = await api.execute({
      ...BODY,
      code: `console.log(${JSON.stringify(html)})`,
      args: { note: html, [html]: 1 },
      metadata: { description: html },
    })
    expect([status, headers.get('content-type')]).toEqual([202, 'application/json; charset=utf-8'])
    const card = await cardOf(json.request_id)
    expect(card.description).toBe(html)
    expect(card.args).toContain('<b>Approved</b>')
    for (const field of ['skill_id', 'runtime']) {
      expect((await api.execute({ ...BODY, [field]: html })).status).toBe(400)
    }
    expect((await api.execute({ ...BODY, secrets: [html] })).status).toBe(400)
    expect((await api.execute({ ...BODY, metadata: { network: [html] } })).status).toBe(400)
  })

  test('names that steer the runtime are refused as secret and as argument', async () => {
    for (const name of [
      'HOME',
      'PATH',
      'LD_PRELOAD',
      'DENO_DIR',
      'DENO_TLS_CA_STORE',
      'NODE_OPTIONS',
      'OAUTH3_ARGS',
      'Https_Proxy',
    ]) {
      expect((await api.execute({ ...BODY, secrets: [name] })).status).toBe(400)
      expect((await api.execute({ ...BODY, secrets: [{ name, mode: 'raw' }] })).status).toBe(400)
      expect((await api.execute({ ...BODY, metadata: { secrets: [name] } })).status).toBe(400)
      expect((await api.execute({ ...BODY, args: { [name]: 1 } })).status).toBe(400)
    }
    expect(api.rows('executions')).toBe(0)
  })
})

describe('one and the same bytes are shown, hashed and run', () => {
  test.each([
    ['CRLF', 'a\r\nb\r\n'],
    ['lone CR', 'a\rb'],
    ['trailing white space', 'a  \n\t\n\n'],
    ['a byte order mark', '\ufeffa'],
    ['NFD', 'e\u0301'],
    ['NFC', '\u00e9'],
    ['line separators', 'a\u2028b\u2029c'],
    ['astral characters', '\u{1f600}\u{e0041}'],
  ])('%s', async (_name, code) => {
    const { json } = await api.execute({ ...BODY, code })
    const hash = createHash('sha256').update(Buffer.from(code, 'utf8')).digest('hex')
    expect(json.code_hash).toBe(hash)
    expect((await cardOf(json.request_id)).codeHash).toBe(hash)
    await api.decide(json.request_id)
    await api.call('GET', `/execute/${json.request_id}?wait=5`)
    expect(
      createHash('sha256')
        .update(api.orders[0]?.code ?? '', 'utf8')
        .digest('hex'),
    ).toBe(hash)
  })

  test('code with a NUL, which not every database keeps, is refused before anything of it is kept', async () => {
    const { status, json } = await api.execute({ ...BODY, code: 'a\0b' })
    expect([status, json.error.code]).toEqual([400, 'invalid_request'])
    expect(json.error.message).toContain('NUL')
    expect([api.rows('executions'), api.rows('code')]).toEqual([0, 0])
  })

  test('a link that answers differently the second time: what was fetched first is shown, hashed and run', async () => {
    let served = 0
    await using upstream = await startTlsUpstream(['code.example.com'], (_request, response) => {
      served += 1
      response.end(served === 1 ? 'console.log("good")' : 'console.log("evil")')
    })
    await api[Symbol.asyncDispose]()
    api = await startApi({
      fetcher: createSkillFetcher({
        resolve: async () => ['127.0.0.1'],
        isAllowedAddress: (address) => address === '127.0.0.1',
        tls: { ca: upstream.ca },
        port: upstream.port,
      }),
    })
    const body = { skill_id: 'demo', skill_url: 'https://code.example.com/a.ts' }
    const { json } = await api.execute(body)
    expect((await cardOf(json.request_id)).code.text).toBe('console.log("good")')
    await api.decide(json.request_id, 'forever')
    await api.call('GET', `/execute/${json.request_id}?wait=5`)
    expect([served, api.orders.map((order) => order.code)]).toEqual([1, ['console.log("good")']])
    const second = await api.execute(body)
    expect([second.status, second.json.status]).toEqual([202, 'pending'])
    expect((await cardOf(second.json.request_id)).changes.join()).toMatch(/^code: /)
    expect(api.orders).toHaveLength(1)
  })

  test.each([
    ['the same bytes', 'console.log(1)', 'same'],
    ['other bytes', 'console.log(1) ', 'different'],
  ])('code sent with a link that holds %s says so', async (_name, served, relation) => {
    await using upstream = await startTlsUpstream(['code.example.com'], (_request, response) =>
      response.end(served),
    )
    await api[Symbol.asyncDispose]()
    api = await startApi({
      fetcher: createSkillFetcher({
        resolve: async () => ['127.0.0.1'],
        isAllowedAddress: (address) => address === '127.0.0.1',
        tls: { ca: upstream.ca },
        port: upstream.port,
      }),
    })
    const { json } = await api.execute({ ...BODY, skill_url: 'https://code.example.com/a.ts' })
    const asked = await api.executions.resolve(json.request_id)
    const consent = api.executions.consentOf(asked)
    expect(consent.source?.relation).toBe(relation)
    expect(await api.storage.read((tx) => api.executions.codeOf(tx, asked))).toBe(BODY.code)
  })
})

describe('what was trusted covers exactly that', () => {
  const TRUSTED = {
    ...BODY,
    secrets: ['FIRST_KEY'],
    args: { city: 'Berlin' },
    metadata: { network: ['api.example.com'], timeout: 30, memory: 256 },
  }
  beforeEach(async () => {
    for (const name of ['FIRST_KEY', 'SECOND_KEY']) {
      await api.storage.transaction((tx) =>
        api.vault.put(tx, name, new SecretValue(`demo-value-${name}`), { actor: 'cli:1000' }),
      )
    }
    const { json } = await api.execute(TRUSTED)
    await api.decide(json.request_id, 'forever')
    await api.call('GET', `/execute/${json.request_id}?wait=5`)
    expect((await api.execute(TRUSTED)).json).toMatchObject({ status: 'success', trusted: true })
  })

  test.each<[string, object, RegExp]>([
    ['one more secret', { secrets: ['FIRST_KEY', 'SECOND_KEY'] }, /^secret: \+ SECOND_KEY/],
    [
      'one more host',
      { metadata: { ...TRUSTED.metadata, network: ['api.example.com', 'evil.example'] } },
      /network: \+ GET evil\.example/,
    ],
    [
      'another port',
      { metadata: { ...TRUSTED.metadata, network: ['api.example.com:8443'] } },
      /network: \+ GET api\.example\.com:8443/,
    ],
    [
      'a wildcard',
      { metadata: { ...TRUSTED.metadata, network: ['*.example.com'] } },
      /network: \+ GET \*\.example\.com/,
    ],
    [
      'plain http',
      { metadata: { ...TRUSTED.metadata, network: ['http://api.example.com'] } },
      /network: \+ GET http:\/\/api\.example\.com/,
    ],
    ['a longer timeout', { metadata: { ...TRUSTED.metadata, timeout: 31 } }, /timeout: 30 → 31 s/],
    ['more memory', { metadata: { ...TRUSTED.metadata, memory: 257 } }, /memory: 256 → 257 MiB/],
    ['other args', { args: { city: 'Paris' } }, /args: other than approved/],
    ['one more argument', { args: { city: 'Berlin', extra: true } }, /args: other than approved/],
    ['no args', { args: undefined }, /args: other than approved/],
    ['another skill id', { skill_id: 'other' }, /^$/],
    ['other code', { code: 'console.log(2)' }, /^code: /],
  ])('%s is asked anew, and the card leads with the change', async (_name, change, changes) => {
    const ran = api.orders.length
    const { status, json } = await api.execute({ ...TRUSTED, ...change })
    expect([status, json.status, json.trusted]).toEqual([202, 'pending', false])
    expect((await cardOf(json.request_id)).changes.join('\n')).toMatch(changes)
    expect(api.orders).toHaveLength(ran)
  })

  test.each<[string, object, RegExp]>([
    ['fewer secrets', { secrets: [] }, /^secret: − FIRST_KEY$/],
    ['no hosts', { metadata: { timeout: 30, memory: 256 } }, /network: − GET api\.example\.com/],
    ['a shorter timeout', { metadata: { ...TRUSTED.metadata, timeout: 5 } }, /^timeout: 30 → 5 s$/],
    ['less memory', { metadata: { ...TRUSTED.metadata, memory: 128 } }, /^memory: 256 → 128 MiB$/],
    [
      'fewer requests',
      { metadata: { ...TRUSTED.metadata, network: [{ host: 'api.example.com', requests: 1 }] } },
      /^sends: − GET api\.example\.com.*\(100 requests\)$/,
    ],
    [
      'a secret that goes nowhere',
      { secrets: [{ name: 'FIRST_KEY', hosts: [] }] },
      /^FIRST_KEY: − api\.example\.com$/,
    ],
  ])('%s is asked anew: less of it can take another branch', async (_name, change, changes) => {
    const ran = api.orders.length
    const { status, json } = await api.execute({ ...TRUSTED, ...change })
    expect([status, json.status, json.trusted]).toEqual([202, 'pending', false])
    expect((await cardOf(json.request_id)).changes.join('\n')).toMatch(changes)
    expect(api.orders).toHaveLength(ran)
  })

  test('a denial does not make the narrower request that follows it trusted', async () => {
    const wider = await api.execute({ ...TRUSTED, secrets: ['FIRST_KEY', 'SECOND_KEY'] })
    await api.decide(wider.json.request_id, 'deny')
    const narrower = await api.execute({ ...TRUSTED, secrets: [] })
    expect([narrower.status, narrower.json.trusted]).toEqual([202, false])
    expect((await api.execute(TRUSTED)).json).toMatchObject({ status: 'success', trusted: true })
  })

  test.each<[string, object]>([
    ['other white space and order in the JSON', { args: { city: 'Berlin' } }],
    ['the host in capitals', { metadata: { ...TRUSTED.metadata, network: ['API.example.com:443'] } }],
  ])('%s is covered', async (_name, change) => {
    expect((await api.execute({ ...TRUSTED, ...change })).json).toMatchObject({
      status: 'success',
      trusted: true,
    })
  })

  test('another agent, another image and weaker walls are asked anew', async () => {
    const two = await api.addAgent({ name: 'agent-two' })
    const foreign = await api.call('POST', '/execute', {
      token: two.token,
      body: JSON.stringify(TRUSTED),
      headers: { 'content-type': 'application/json' },
    })
    expect([foreign.status, (await cardOf(foreign.json.request_id)).changes]).toEqual([
      202,
      ['agent: agent-one → agent-two'],
    ])
    api.sandboxStatus = {
      ...api.sandboxStatus,
      runtimes: [{ name: 'deno', image: `sha256:${'e'.repeat(64)}` }],
    }
    const image = await api.execute(TRUSTED)
    expect((await cardOf(image.json.request_id)).changes.join()).toMatch(/^runtime image: d+ → e+$/)
    api.sandboxStatus = {
      ...api.sandboxStatus,
      kind: 'embedded',
      runtimes: [{ name: 'deno', image: `sha256:${'d'.repeat(64)}` }],
    }
    const weaker = await api.execute(TRUSTED)
    expect((await cardOf(weaker.json.request_id)).changes).toEqual(['sandbox: docker → embedded'])
  })

  test('a host binding that the owner changed is asked anew', async () => {
    await api.storage.transaction((tx) =>
      api.vault.put(tx, 'FIRST_KEY', new SecretValue('demo-value-new'), {
        hosts: ['other.example'],
        actor: 'cli:1000',
      }),
    )
    const { status, json } = await api.execute(TRUSTED)
    expect([status, (await cardOf(json.request_id)).changes]).toEqual([
      202,
      ['FIRST_KEY: its host binding was changed', 'FIRST_KEY: − api.example.com'],
    ])
  })

  test('"any args" covers other args and nothing else', async () => {
    const asked = await api.execute({ ...TRUSTED, args: { city: 'Oslo' } })
    await api.decide(asked.json.request_id, 'forever_any')
    await api.call('GET', `/execute/${asked.json.request_id}?wait=5`)
    expect((await api.execute({ ...TRUSTED, args: { city: 'Rome' } })).json.trusted).toBe(true)
    expect(
      (await api.execute({ ...TRUSTED, args: { city: 'Rome' }, secrets: ['SECOND_KEY'] })).json.status,
    ).toBe('pending')
  })

  test('24 hours end at 24 h sharp, and a clock set back does not bring them back', async () => {
    const other = { ...BODY, code: 'console.log("day")' }
    const { json } = await api.execute(other)
    await api.decide(json.request_id, 'trust24h')
    await api.call('GET', `/execute/${json.request_id}?wait=5`)
    api.clock.advance(86_400_000 - 1)
    expect((await api.execute(other)).json.trusted).toBe(true)
    api.clock.advance(1)
    expect((await api.execute(other)).json.trusted).toBe(false)
    await api.trust.tick()
    api.clock.advance(-3_600_000)
    expect((await api.execute({ ...other, metadata: { description: 'again' } })).json.trusted).toBe(false)
  })
})
