import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { createProviderKeyStore, createProviderStore } from './adapters/storage/index.ts'
import { readConfig } from './config/index.ts'
import { openCore } from './daemon-core.ts'
import { createProviderKeys } from './domain/provider-keys/index.ts'
import { createProviders } from './domain/providers/index.ts'
import { SecretValue } from './kernel/index.ts'

const dir = mkdtempSync(join(tmpdir(), 'oauth3-core-'))
afterEach(() => rmSync(dir, { recursive: true }))

it("a daemon that rotates its data key still opens its agents' wake tokens and its providers' keys", async () => {
  const clock = { now: () => 1_000 }
  const open = async (stack: AsyncDisposableStack) => {
    const config = readConfig({ DB_PATH: join(dir, 'proxy.db') })
    const core = await openCore(config, clock, console, stack)
    const keys = createProviderKeys({
      ...core,
      repository: createProviderKeyStore(core.db),
      providers: createProviders({ ...core, repository: createProviderStore(core.db), clock }),
      clock,
    })
    return { core, keys }
  }
  const want = {
    provider: 'openai',
    model: null,
    tags: [],
    agentId: 'agt_1',
    use: { endpoint: 'POST /chat/completions', model: '' },
  }
  {
    await using stack = new AsyncDisposableStack()
    const { core, keys } = await open(stack)
    keys.add({ provider: 'openai', value: new SecretValue('demo-value-key') }, 'cli:0')
    core.agents.add(
      {
        name: 'demo',
        wake: (id) => ({
          kind: 'webhook',
          target: 'https://example.com/hook',
          sessionKey: null,
          sealedToken: core.vault.sealFor(`agent-wake:${id}`, new SecretValue('demo-value-wake')),
        }),
      },
      'cli:0',
    )
    core.keys.rotateData('cli:0')
    expect(core.db.prepare('SELECT id FROM data_keys').pluck().all()).toEqual([2])
    const picked = keys.pick(want)
    expect('value' in picked && picked.value.open()).toBe('demo-value-key')
  }
  await using stack = new AsyncDisposableStack()
  const { core, keys } = await open(stack)
  const picked = keys.pick(want)
  expect('value' in picked && picked.value.open()).toBe('demo-value-key')
  const [agent] = core.agents.list()
  const sealed = agent?.wake?.sealedToken ?? ''
  expect(core.vault.openFor(`agent-wake:${agent?.id}`, sealed).open()).toBe('demo-value-wake')
  expect(core.audit.verify().ok).toBe(true)
})
