import { afterAll, beforeAll, beforeEach } from 'vitest'
import { keyOf } from '../../src/contracts/registry/index.ts'
import { createSkillFetcher } from '../../src/executions/fetch-code/index.ts'
import { AppError } from '../../src/kernel/index.ts'
import { type ApiKit, startApi } from './api-kit.ts'
import { CODE, type index, indexText, REGISTRY } from './sample-registry.ts'
import { startTlsUpstream, type TlsUpstream } from './tls-upstream.ts'

/** Registries that lie, publishers whose keys were stolen, and agents that use either; the agents' API and the wire are real. */
export const OWNER = 'cli:1000'
export const INDEX = 'https://skills.example.com/index.json'

export const FILES = new Map<string, string>()
export const publish = (text: string, at = INDEX): void => void FILES.set(at, text)

export const problem = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => {
      if (!(error instanceof AppError)) throw error
      return `${error.code}: ${error.message}`
    },
  )

/** For one file of tests: the agents' API with a registry of skills that the test publishes. */
export function useRegistry() {
  let upstream: TlsUpstream
  let api: ApiKit

  beforeAll(async () => {
    const names = ['skills.example.com', 'other.example.com', 'gist.githubusercontent.com']
    upstream = await startTlsUpstream(names, ({ headers, url }, response) => {
      const body = FILES.get(`https://${headers.host}${url}`)
      if (body === undefined) response.writeHead(404).end()
      else if (body.startsWith('→ ')) response.writeHead(302, { location: body.slice(2) }).end()
      else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(body)
    })
    api = await startApi({
      maxWaitingPerAgent: 100,
      fetcher: createSkillFetcher({
        hosts: ['gist.githubusercontent.com', 'gist.github.com'],
        resolve: async (host) => [host.startsWith('inside') ? '10.0.0.1' : '127.0.0.1'],
        isAllowedAddress: (address) => address === '127.0.0.1',
        tls: { ca: upstream.ca },
        port: upstream.port,
      }),
    })
  })

  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  })

  const known = async () => (await api.registries.list()).map(({ registry }) => registry.name)

  beforeEach(async () => {
    for (const name of await known()) await api.registries.remove(name, OWNER)
    for (const { name, version } of await api.registries.pins())
      await api.registries.unpin(`${name}@${version}`, OWNER)
    FILES.clear()
    FILES.set('https://skills.example.com/skills/charge-report.js', CODE)
  })

  const add = (url = INDEX, key = keyOf(REGISTRY)) => api.registries.add({ url, key }, OWNER)
  const now = () => api.clock.now()
  const sample = (...[skills, change]: Parameters<typeof index>) =>
    indexText(skills, { now: now(), ...change })

  /** Names that no other test used, since what was approved stays known. */
  let used = 0
  const fresh = (): string => `skill-${++used}`

  async function ask(skill: string, more: object = {}) {
    const { status, json } = await api.execute({ skill, ...more })
    if (status >= 400) return { status, error: json.error as { code: string; message: string } }
    const execution = await api.executions.resolve(json.request_id)
    const card = await api.storage.read((tx) => api.executions.cardOf(tx, execution))
    return { status, json, execution, card, kinds: card.warnings.map(({ kind }) => kind) }
  }

  return {
    get api() {
      return api
    },
    get upstream() {
      return upstream
    },
    fresh,
    sample,
    add,
    ask,
    now,
    known,
  }
}
