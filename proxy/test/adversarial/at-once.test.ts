import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SecretValue } from '../../src/kernel/index.ts'
import type { Sandbox } from '../../src/sandbox/index.ts'
import {
  addAgent,
  createDomainKit,
  createScriptedSandbox,
  type DomainKit,
  type DomainKitOptions,
  requestOf,
} from '../support/domain-kit.ts'
import { owner } from '../support/principals.ts'

let folder: string
let kit: DomainKit
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-at-once-'))
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})
const start = async (options: Partial<DomainKitOptions> = {}): Promise<void> => {
  kit = await createDomainKit({ dir: folder, ...options })
}
/** Says whether it is there only when it is let to. */
function heldSandbox(inner: Sandbox): { sandbox: Sandbox; hold(): void; release(): void } {
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  const status: Sandbox['status'] = async () => {
    if (isHeld) await gate.promise
    return await inner.status()
  }
  return {
    sandbox: { ...inner, status },
    hold: () => {
      isHeld = true
    },
    release: () => {
      isHeld = false
      gate.resolve()
    },
  }
}
const NEVER = new AbortController().signal
const PERSON = owner('1000', 'tester')

describe('keys that are rotated while something else goes on', () => {
  it('leave no token of a wake target behind that nobody can open', async () => {
    await start()
    const token = new SecretValue('a-token-of-the-target')
    const [, { agent }] = await Promise.all([
      kit.keys.rotateData('cli:0'),
      kit.agents.add(
        {
          name: 'woken',
          wake: (id) => ({
            kind: 'webhook',
            target: 'https://wake.example/',
            sessionKey: null,
            sealedToken: kit.vault.sealFor(`agent-wake:${id}`, token),
          }),
        },
        'cli:0',
      ),
    ])
    const sealed = kit.agents.byId(agent.id)?.wake?.sealedToken ?? ''
    expect(kit.vault.openFor(`agent-wake:${agent.id}`, sealed).open()).toBe(token.open())
  })

  it('are the master key of the file after several rotations at once', async () => {
    await start()
    await kit.storage.transaction((tx) =>
      kit.vault.put(tx, 'API_KEY', new SecretValue('a-value-of-a-secret'), { actor: 'cli:0' }),
    )
    const rotated = await Promise.allSettled([1, 2, 3].map(() => kit.keys.rotateMaster('cli:0')))
    expect(rotated.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    await kit[Symbol.asyncDispose]()
    await start()
    const value = await kit.storage.transaction((tx) => kit.vault.open(tx, 'API_KEY', 'req_none'))
    expect(value.open()).toBe('a-value-of-a-secret')
  })
})

describe('an agent that is revoked while its request is under way', () => {
  it('runs nothing more, and asks for nothing more', async () => {
    const scripted = createScriptedSandbox()
    const { sandbox, hold, release } = heldSandbox(scripted)
    await start({ sandbox })
    const agent = await addAgent(kit)
    const first = await kit.executions.submit(agent, requestOf())
    await kit.executions.decide(first.requestId, first.consentHash, 'forever', PERSON)
    await kit.executions.wait(first.requestId, 5_000, NEVER)
    expect(scripted.orders).toHaveLength(1)

    hold()
    const trusted = kit.executions.submit(agent, requestOf())
    const other = kit.executions.submit(agent, requestOf({ code: 'console.log("other")\n' }))
    const settled = Promise.allSettled([trusted, other])
    await kit.agents.revoke(agent.name, 'cli:0')
    release()
    expect(await settled).toMatchObject([
      { status: 'rejected', reason: { code: 'unauthenticated' } },
      { status: 'rejected', reason: { code: 'unauthenticated' } },
    ])
    await kit.runs.drain(0)
    expect(scripted.orders).toHaveLength(1)
    expect(await kit.storage.read((tx) => tx.executions.list({ limit: 10 }))).toHaveLength(1)
  })

  it('asks the owner for no provider more', async () => {
    await start()
    const agent = await addAgent(kit)
    const use = {
      agentId: agent.id,
      provider: 'openai',
      model: 'gpt-4o',
      group: 'inference',
      path: '/v1/chat/completions',
    } as const
    const [, asked] = await Promise.allSettled([
      kit.agents.revoke(agent.name, 'cli:0'),
      kit.llm.access.ask(use),
    ])
    expect(asked).toMatchObject({ status: 'rejected', reason: { code: 'unauthenticated' } })
    expect(await kit.storage.read((tx) => kit.llm.access.pending(tx))).toEqual([])
  })
})

describe('a run whose beginning was committed without an answer', () => {
  it('is ended, since nobody has begun it', async () => {
    const scripted = createScriptedSandbox()
    const { sandbox, hold, release } = heldSandbox(scripted)
    await start({ sandbox })
    const { requestId, consentHash } = await kit.executions.submit(await addAgent(kit), requestOf())
    hold()
    await kit.executions.decide(requestId, consentHash, 'once', PERSON)
    const row = await kit.executions.resolve(requestId)
    await kit.storage.transaction((tx) =>
      tx.executions.update({ ...row, status: 'running', startedAt: row.createdAt }),
    )
    release()
    const ended = await kit.executions.wait(requestId, 5_000, NEVER)
    expect(ended).toMatchObject({ status: 'failed', failure: 'interrupted' })
    expect(scripted.orders).toEqual([])
  })
})
