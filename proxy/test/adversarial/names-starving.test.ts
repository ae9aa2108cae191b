/** One agent's names lead to a name server that never answers: whom that holds up. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSystemResolver, TooManyLookups } from '../../src/egress/dial/resolve.ts'
import { createSkillFetcher } from '../../src/executions/fetch-code/index.ts'
import { currentOwner } from '../../src/kernel/index.ts'
import { type DnsDouble, startDnsDouble } from '../support/dns-double.ts'
import { addAgent, createDomainKit, requestOf } from '../support/domain-kit.ts'
import { ask } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { createLlmKit } from '../support/llm-kit.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'

const HOST = 'api.example.com'

describe('runs of an agent whose names are never answered for', () => {
  let dns: DnsDouble
  let upstream: TlsUpstream
  let kit: GatewayKit
  beforeEach(async () => {
    dns = await startDnsDouble({ [HOST]: ['127.0.0.1'] })
    upstream = await startTlsUpstream([HOST], (_request, response) => response.end('here'))
    kit = await createGatewayKit({
      resolve: createSystemResolver({ servers: [dns.address], hosts: () => [] }),
      tls: { ca: upstream.ca },
    })
  })
  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
    await dns[Symbol.asyncDispose]()
  })

  test('keep the names of no other agent from being looked up', async () => {
    const hostile = await Promise.all([1, 2].map(() => kit.run(['*.silent.example'], {}, 'hostile')))
    const asked = hostile.flatMap(({ endpoint }, run) =>
      Array.from({ length: 100 }, (_, at) =>
        ask(endpoint, `https://n${run}-${at}.silent.example/`).catch(() => undefined),
      ),
    )
    await dns.silentQueries(16)
    const other = await kit.run([`${HOST}:${upstream.port}`], {}, 'other')
    const answer = await ask(other.endpoint, `https://${HOST}:${upstream.port}/`)
    expect([answer.status, answer.body]).toEqual([200, 'here'])
    // What is more than may wait is told so.
    const refused = (await Promise.race(asked)) ?? expect.fail('no answer')
    expect([refused.status, refused.rule]).toEqual([429, 'too_many_requests'])
    await Promise.all(hostile.map(({ endpoint }) => endpoint.close()))
    await Promise.all(asked)
  })
})

test('a connection to a provider is opened for the agent that needs it, also where a pool is shared', async () => {
  await using kit = await createLlmKit()
  await kit.open('openai')
  const token = await kit.addAgent('other')
  await kit.grant('openai', { agent: 'other' })
  const body = { model: 'gpt-demo', messages: [] }
  const both = [kit.token, token].map((of) => kit.ask('/llm/openai/v1/chat/completions', { body, token: of }))
  await Promise.all(both)
  const agents: { id: string }[] = (await kit.admin('GET', '/v1/agents')).agents
  expect([...kit.lookupOwners].sort()).toEqual(agents.map(({ id }) => id).sort())
})

test('a skill is fetched for the agent that asks, and so is one that is only explained', async () => {
  const owners: string[] = []
  const dir = mkdtempSync(join(tmpdir(), 'oauth3-names-'))
  const kit = await createDomainKit({
    dir,
    fetcher: {
      fetch: async (url) => {
        owners.push(currentOwner())
        return { text: 'console.log(1)', finalUrl: url }
      },
    },
  })
  const [one, two] = [await addAgent(kit, 'one'), await addAgent(kit, 'two')]
  const { code: _code, ...link } = requestOf({ skillUrl: 'https://example.com/x.ts' })
  await Promise.all([
    kit.executions.submit(one, link),
    kit.executions.submit(two, link),
    kit.executions.explain(two, link, AbortSignal.timeout(10_000)),
  ])
  expect(owners.sort()).toEqual([one.id, two.id, two.id].sort())
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

test('a skill or a provider whose name has no room to be looked up is a limit, not a failure', async () => {
  const full = (): Promise<never> => Promise.reject(new TooManyLookups())
  await expect(
    createSkillFetcher({ resolve: full }).fetch('https://example.com/x.ts', AbortSignal.timeout(10_000)),
  ).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 5 })

  await using kit = await createLlmKit()
  await kit.open('openai')
  kit.names.set('api.openai.com', () => {
    throw new TooManyLookups()
  })
  const answer = await kit.ask('/llm/openai/v1/chat/completions', {
    body: { model: 'gpt-demo', messages: [] },
  })
  expect([answer.status, answer.json.error.code]).toEqual([429, 'rate_limited'])
})
