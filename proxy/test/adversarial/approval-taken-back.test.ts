/** A person who says no after a yes has said no: nothing runs by the yes any more. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ExecuteRequest, Execution } from '../../src/executions/index.ts'
import type { Agent } from '../../src/identity/agents/index.ts'
import { SecretValue } from '../../src/kernel/index.ts'
import { addAgent, createDomainKit, type DomainKit, requestOf } from '../support/domain-kit.ts'
import { approver } from '../support/principals.ts'

let dir: string
let kit: DomainKit
let agent: Agent
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-taken-back-'))
  kit = await createDomainKit({ dir })
  agent = await addAgent(kit)
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const ASK = { secrets: [{ name: 'A_KEY' }], argsJson: '{}' } as const
const submit = (request: Partial<ExecuteRequest> = ASK): Promise<Execution> =>
  kit.executions.submit(agent, requestOf(request))
const answer = ({ requestId, consentHash }: Execution, word: 'once' | 'forever' | 'forever_any' | 'deny') =>
  kit.executions.decide(requestId, consentHash, word, approver('7', 'Ann'))
const grants = () => kit.storage.read((tx) => kit.trust.list(tx))
const addSecret = () =>
  kit.storage.transaction((tx) =>
    kit.vault.put(tx, 'A_KEY', new SecretValue('demo-value-a'), { actor: 'cli:0' }),
  )

it.each(['forever', 'forever_any'] as const)(
  'a denial while a secret is missing takes back the trust that %s gave',
  async (word) => {
    const asked = await submit()
    expect(await answer(asked, word)).toMatchObject({ subject: { status: 'awaiting_secrets' } })
    expect(await answer(asked, 'deny')).toMatchObject({ accepted: true, subject: { status: 'denied' } })
    expect(await grants()).toEqual([])
    await addSecret()
    expect(await submit()).toMatchObject({ status: 'pending', trusted: false })
    const rows = await Array.fromAsync(kit.audit.export())
    expect(rows.filter(({ event }) => event === 'trust.revoked')).toHaveLength(1)
  },
)

it('a denial takes back what its own request was given, and nothing else', async () => {
  await addSecret()
  await answer(await submit({ ...ASK, argsJson: '{"other":1}' }), 'forever')
  await kit.vault.remove('A_KEY', 'cli:0')
  const asked = await submit()
  await answer(asked, 'once')
  await answer(asked, 'deny')
  expect(await grants()).toHaveLength(1)
})
