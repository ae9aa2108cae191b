import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { createDomainKit } from '../../test/support/domain-kit.ts'
import { SecretValue } from '../kernel/index.ts'

const dir = mkdtempSync(join(tmpdir(), 'oauth3-core-'))
afterEach(() => rmSync(dir, { recursive: true }))

it("a daemon that rotates its data key still opens its agents' wake tokens and its providers' keys", async () => {
  const clock = { now: () => 1_000 }
  const open = async (stack: AsyncDisposableStack) => {
    const core = stack.use(await createDomainKit({ dir, clock }))
    return { core, keys: core.llm.keys }
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
    await core.storage.transaction((tx) =>
      keys.add(tx, { provider: 'openai', value: new SecretValue('demo-value-key') }, 'cli:0'),
    )
    await core.agents.add(
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
    await core.vault.rotate('cli:0')
    expect((await core.storage.read((tx) => tx.dataKeys.list())).map(({ id }) => id)).toEqual([2])
    const picked = await keys.pick(want)
    expect('value' in picked && picked.value.open()).toBe('demo-value-key')
  }
  await using stack = new AsyncDisposableStack()
  const { core, keys } = await open(stack)
  const picked = await keys.pick(want)
  expect('value' in picked && picked.value.open()).toBe('demo-value-key')
  const [agent] = core.agents.list()
  const sealed = agent?.wake?.sealedToken ?? ''
  expect(core.vault.openFor(`agent-wake:${agent?.id}`, sealed).open()).toBe('demo-value-wake')
  expect((await core.audit.verify()).ok).toBe(true)
})
