import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { SecretValue } from '../../src/kernel/index.ts'
import type { KeyUse, NewProviderKey, ProviderKeys } from '../../src/llm/provider-keys/ports.ts'
import { createProviderKeys } from '../../src/llm/provider-keys/provider-keys.ts'
import { createProviders } from '../../src/llm/providers/index.ts'
import { createDomainKit, type DomainKit } from './domain-kit.ts'

export const ACTOR = 'cli:0'
export const START = Date.UTC(2030, 0, 2, 3, 4, 5)

export const USE: KeyUse = { endpoint: 'POST /chat/completions', model: 'gpt-5' }

/** Before each test: provider keys on a real file, a clock that is moved by hand, and a draw by `chance`. */
export function useProviderKeys() {
  let dir: string
  let kit: DomainKit
  let keys: ProviderKeys
  let now: number
  let chance: number

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'oauth3-provider-keys-'))
    now = START
    chance = 0
    kit = await createDomainKit({ dir, clock: { now: () => now } })
    keys = await build()
  })

  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })

  const build = async (): Promise<ProviderKeys> => {
    const providers = createProviders(kit)
    const built = createProviderKeys({ ...kit, providers, random: () => chance })
    await kit.storage.read(async (tx) => {
      await providers.load(tx)
      await built.load(tx)
    })
    return built
  }

  let made = 0
  const add = async (input: Partial<Omit<NewProviderKey, 'value'>> & { value?: string } = {}) => {
    made += 1
    const { value = `demo-value-${made}`, ...rest } = input
    return await kit.storage.transaction((tx) =>
      keys.add(tx, { provider: 'openai', ...rest, value: new SecretValue(value) }, ACTOR),
    )
  }

  const remove = (id: number) => kit.storage.transaction((tx) => keys.remove(tx, id, ACTOR))
  const pick = (want: Partial<Parameters<ProviderKeys['pick']>[0]> = {}) =>
    keys.pick({ provider: 'openai', model: 'gpt-5', tags: [], agentId: 'one', use: USE, ...want })

  const label = (picked: Awaited<ReturnType<typeof pick>>): string =>
    'refused' in picked ? picked.refused : picked.label

  const answered = (
    id: number,
    status: number,
    retryAfter: string | null,
    agentId = 'one',
    more: { readonly use?: KeyUse; readonly headers?: readonly string[]; readonly body?: string } = {},
  ): void => {
    const { use = USE, headers = [], body = '' } = more
    keys.answered(id, agentId, use, {
      status,
      headers: retryAfter === null ? headers : ['Retry-After', retryAfter, ...headers],
      body,
    })
  }

  return {
    get kit() {
      return kit
    },
    set kit(to) {
      kit = to
    },
    get dir() {
      return dir
    },
    get keys() {
      return keys
    },
    set keys(to) {
      keys = to
    },
    get now() {
      return now
    },
    set now(to) {
      now = to
    },
    set chance(to: number) {
      chance = to
    },
    pick,
    add,
    build,
    remove,
    label,
    answered,
  }
}
