import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addAgent, createDomainKit, requestOf } from '../../test/support/domain-kit.ts'
import { owner } from '../../test/support/principals.ts'
import { readConfig } from '../config/index.ts'
import { SecretValue } from '../kernel/index.ts'
import { compose } from './compose.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-compose-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const kitWithChat = () =>
  createDomainKit({
    dir,
    telegramConfig: {
      token: new SecretValue('1:demo'),
      chatId: '42',
      approverIds: new Set(['7']),
      apiRoot: 'http://127.0.0.1:9',
      webhook: null,
    },
  })

type Kit = Awaited<ReturnType<typeof kitWithChat>>

/** All that is stored, so that a change of any row shows. */
const everyRow = ({ db }: Kit): unknown =>
  db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck()
    .all()
    .map((name) => [name, db.prepare(`SELECT * FROM "${name}"`).all()])

test('everybody acts on the revocation of an agent, and none of it stands when one of them fails', async () => {
  await using kit = await kitWithChat()
  const agent = await addAgent(kit)
  const { requestId } = await kit.executions.submit(agent, requestOf())
  const use = {
    agentId: agent.id,
    provider: 'openai',
    model: 'gpt-5',
    group: 'inference',
    path: '/x',
  } as const
  const asked = await kit.llm.access.ask(use)
  await kit.llm.access.grant(
    {
      ...{ agentId: agent.id, provider: 'mistral', models: null, paths: null, forMs: null },
      limits: { requestsPerMinute: null, tokensPerDay: null, microUsdPerDay: null, requests: null },
    },
    'cli:0',
  )
  const states = async () => [
    kit.agents.byId(agent.id)?.revokedAt === null,
    (await kit.storage.read((tx) => kit.executions.find(tx, requestId)))?.status,
    (await kit.llm.access.find(asked.id))?.status,
    kit.llm.access.grants().length,
  ]
  let isBroken = true
  kit.events.subscribe('agent.revoked', () => {
    if (isBroken) throw new Error('one of them fails')
  })
  const before = everyRow(kit)
  await expect(kit.agents.revoke(agent.name, 'cli:0')).rejects.toThrow('one of them fails')
  expect(everyRow(kit)).toEqual(before)
  expect(await states()).toEqual([true, 'pending', 'pending', 1])

  isBroken = false
  const waiting = await kit.outbox.waiting('telegram:')
  await kit.agents.revoke(agent.name, 'cli:0')
  expect(await states()).toEqual([false, 'cancelled', 'cancelled', 0])
  expect(await kit.outbox.waiting('telegram:')).toBe(waiting + 2)
})

test('a secret that is stored resumes what waits for it, and is not stored when that fails', async () => {
  await using kit = await kitWithChat()
  const agent = await addAgent(kit)
  const { requestId, consentHash } = await kit.executions.submit(
    agent,
    requestOf({
      network: ['api.example.com'],
      secrets: [{ name: 'DEMO_KEY', hosts: ['api.example.com'] }],
    } as never),
  )
  const by = owner('0', 'owner')
  await kit.executions.decide(requestId, consentHash, 'once', by)
  expect((await kit.storage.read((tx) => kit.executions.find(tx, requestId)))?.status).toBe(
    'awaiting_secrets',
  )
  let isBroken = true
  kit.events.subscribe('execution.changed', () => {
    if (isBroken) throw new Error('one of them fails')
  })
  const put = () =>
    kit.storage.transaction((tx) =>
      kit.vault.put(tx, 'DEMO_KEY', new SecretValue('demo-value'), { actor: 'cli:0' }),
    )
  await expect(put()).rejects.toThrow('one of them fails')
  expect([
    await kit.storage.read((tx) => kit.vault.list(tx)),
    (await kit.storage.read((tx) => kit.executions.find(tx, requestId)))?.status,
  ]).toEqual([[], 'awaiting_secrets'])
  isBroken = false
  await put()
  expect((await kit.executions.wait(requestId, 10_000, new AbortController().signal)).status).toBe('success')
})

test('a provider that is removed takes its keys, grants and asks with it', async () => {
  await using kit = await kitWithChat()
  const agent = await addAgent(kit)
  const lab = { name: 'lab', url: 'https://lab.example/v1', errors: 'openai', private: false } as const
  await kit.llm.providers.add({ ...lab, auth: { kind: 'bearer' } }, 'cli:0')
  await kit.storage.transaction((tx) =>
    kit.llm.keys.add(tx, { provider: 'lab', value: new SecretValue('demo-value-key') }, 'cli:0'),
  )
  const asked = await kit.llm.access.ask({
    ...{ agentId: agent.id, provider: 'lab', model: 'm', group: 'inference', path: '/x' },
  } as const)
  await kit.llm.providers.remove('lab', 'cli:0')
  expect(kit.llm.keys.list('lab')).toEqual([])
  expect((await kit.llm.access.find(asked.id))?.status).toBe('cancelled')
})

test('what was opened is closed again when a part cannot be built', async () => {
  const open = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dir)
      } catch {
        return false
      }
    })
  const failing = compose(readConfig({ DB_PATH: join(dir, 'proxy.db'), LOG_LEVEL: 'silent' }), {
    async sandbox() {
      expect(open()).not.toEqual([])
      throw new Error('no engine')
    },
  })
  await expect(failing).rejects.toThrow('no engine')
  expect(open()).toEqual([])
})
