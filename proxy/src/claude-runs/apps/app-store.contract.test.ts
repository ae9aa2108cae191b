import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { sampleApp } from '../../../test/support/store-samples.ts'
import { createAppStore } from './app-store.ts'
import { type App, NO_APP_LIMITS } from './ports.ts'

storeContract('the store of apps', { apps: createAppStore }, (kit) => {
  const add = (...apps: App[]): Promise<void> =>
    kit.mine.transaction(async (tx) => {
      for (const app of apps) await tx.apps.insert(app)
    })
  const list = () => kit.mine.read((tx) => tx.apps.list())

  it('gives back every field, and what is changed of that app alone', async () => {
    const limits = { ...NO_APP_LIMITS, microUsdPerDay: 2_500_000, maxRunning: 3 }
    const full = sampleApp({
      ...{ cidrs: ['10.0.0.0/8', '::1/128'], scopes: ['run'], tools: ['Read'], models: ['claude-*'], limits },
      ...{ provider: 'other', usesSeat: true, keepsPrompts: true },
      ...{ secrets: null, network: 'ask', hosts: ['example.com', 'example.org:8443'] },
    })
    const bare = sampleApp({ createdAt: 2_000 })
    await add(full, bare)
    expect(await list()).toEqual([full, bare])
    const changed: App = {
      ...bare,
      tokenSha256: 'n'.repeat(64),
      tools: ['Bash'],
      models: [],
      secrets: ['A'],
      revokedAt: 9,
    }
    await kit.mine.transaction((tx) => tx.apps.update(changed))
    expect(await list()).toEqual([full, changed])
  })

  it('finds by name the active one, or else the newest, of which there is one', async () => {
    const name = 'again'
    const [first, second] = [
      sampleApp({ name, revokedAt: 9 }),
      sampleApp({ name, createdAt: 2_000, revokedAt: 5 }),
    ]
    await add(first, second)
    const found = () => kit.mine.read((tx) => tx.apps.byName(name))
    expect(await found()).toEqual(second)
    const active = sampleApp({ name, createdAt: 1 })
    await add(active)
    expect(await found()).toEqual(active)
    await expect(add(sampleApp({ name }))).rejects.toThrow()
  })

  it('takes a limit that is newer than the row for none', async () => {
    const app = sampleApp()
    await add(app)
    await kit.sql(`UPDATE apps SET limits = '{"tokensPerDay":5}' WHERE id = '${app.id}'`)
    expect(await list()).toEqual([{ ...app, limits: { ...NO_APP_LIMITS, tokensPerDay: 5 } }])
  })

  it('shows a tenant nothing of another, and changes nothing of it', async () => {
    const app = sampleApp()
    await kit.theirs.transaction((tx) => tx.apps.insert(app))
    await kit.mine.transaction(async ({ apps }) => {
      expect(await apps.byName(app.name)).toBeUndefined()
      expect(await apps.list()).toEqual([])
      await apps.update({ ...app, revokedAt: 1 })
      await apps.insert(sampleApp({ name: app.name }))
    })
    expect(await kit.theirs.read((tx) => tx.apps.list())).toEqual([app])
  })
})
