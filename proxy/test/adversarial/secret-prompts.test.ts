import { describe, expect, it } from 'vitest'
import { SecretValue } from '../../src/kernel/index.ts'
import { startBotApiDouble } from '../support/bot-api-double.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { asAgent, owner } from '../support/principals.ts'
import { ANN, BOB, createTelegramKit, EVE, GROUP, UNHURRIED } from '../support/telegram-kit.ts'

type Kit = Awaited<ReturnType<typeof createTelegramKit>>
const KEY = { secrets: [{ name: 'DEMO_KEY' }], network: ['api.example.com'] }
const OWNER = owner('0', 'owner')

/** Approves a request for a secret that is not stored, and gives the bot's question for it. */
async function asked(kit: Kit, request: Parameters<Kit['ask']>[0] = KEY) {
  const { card, execution } = await kit.ask(request)
  await kit.double.press(kit.chatId, card.messageId, '✅ Run Once', ANN).answered
  const prompt = await kit.double.waitFor(
    () =>
      kit.double.messages.find(
        ({ fromBot, text }) =>
          fromBot && text.startsWith('🔑 Value of') && text.includes(execution.requestId),
      ),
    'the question',
  )
  return { card, execution, prompt }
}

const listed = async (kit: Kit, text: string): Promise<void> => {
  kit.double.say(kit.chatId, '/list_secrets', ANN)
  await kit.said(text)
}

describe('the question of a request that has ended', () => {
  it.each<[string, (kit: Kit, requestId: string) => void]>([
    [
      'denied',
      async ({ executions }, id) => {
        const execution = await executions.resolve(id)
        await executions.decide(execution.requestId, execution.consentHash, 'deny', OWNER)
      },
    ],
    [
      'cancelled',
      async ({ executions }, id) =>
        await executions.cancel(asAgent((await executions.resolve(id)).agentId), id),
    ],
    ['cancelled', ({ agents }) => agents.revoke('demo-agent', 'cli:0')],
  ])('takes no value: %s', async (status, end) => {
    await using kit = await createTelegramKit()
    const { execution, prompt } = await asked(kit)
    end(kit, execution.requestId)
    const reply = kit.double.say(kit.chatId, 'demo-value-too-late', ANN, { replyTo: prompt })
    const said = await kit.said(`is ${status} and waits for no secret. Nothing was stored.`)
    expect(said.text).not.toContain('too-late')
    expect(reply.deleted).toBe(true)
    expect(await kit.storage.read((tx) => kit.vault.list(tx))).toEqual([])
  })

  it('takes no value once it has expired, whether or not that was noticed yet', async () => {
    let now = Date.now()
    await using kit = await createTelegramKit({ clock: { now: () => now } })
    const { execution, prompt } = await asked(kit)
    now = execution.expiresAt
    kit.double.say(kit.chatId, 'demo-value-too-late', ANN, { replyTo: prompt })
    await kit.said('is expired and waits for no secret')
    await kit.approvals.tick()
    const second = kit.double.say(kit.chatId, 'demo-value-later-still', ANN, { replyTo: prompt })
    await kit.double.waitFor(() => second.deleted, 'the second reply to be deleted')
    await listed(kit, 'No secrets are stored.')
  })

  it('takes no value after a restart either', async () => {
    const double = await startBotApiDouble({ flood: UNHURRIED })
    double.addChat({ id: ANN.id, type: 'private' })
    const first = await createTelegramKit({ double })
    const { execution, prompt } = await asked(first)
    await first.executions.decide(execution.requestId, execution.consentHash, 'deny', OWNER)
    await first[Symbol.asyncDispose]()
    await using second = await createTelegramKit({ double, dir: first.dir })
    const reply = double.say(ANN.id, 'demo-value-after-restart', ANN, { replyTo: prompt })
    await second.said('is denied and waits for no secret')
    expect([reply.deleted, await second.storage.read((tx) => second.vault.list(tx))]).toEqual([true, []])
    await double[Symbol.asyncDispose]()
  })
})

describe('a question that was answered', () => {
  it('takes no second value: not by another approver, not while another secret is still missing', async () => {
    const sandbox = createScriptedSandbox()
    await using kit = await createTelegramKit({ sandbox, chatId: GROUP, approvers: [ANN, BOB] })
    const { execution, prompt } = await asked(kit, {
      secrets: [{ name: 'A_KEY' }, { name: 'B_KEY' }],
      network: ['api.example.com'],
    })
    const [forA, forB] = prompt.text.includes('A_KEY')
      ? [prompt, await kit.said('Value of B_KEY?')]
      : [await kit.said('Value of A_KEY?'), prompt]
    kit.double.say(GROUP, 'demo-value-first', ANN, { replyTo: forA })
    await kit.said('Stored A_KEY (version 1)')
    kit.double.say(GROUP, 'demo-value-of-bob', BOB, { replyTo: forA })
    await kit.said('A_KEY was stored meanwhile. Nothing was stored.')
    kit.double.say(GROUP, 'demo-value-stranger', EVE, { replyTo: forB })
    kit.double.say(GROUP, 'demo-value-b', ANN, { replyTo: forB })
    await kit.reaches(execution, 'success')
    kit.double.say(GROUP, 'demo-value-later', BOB, { replyTo: forB })
    await kit.said('The request that asked for B_KEY is success and waits for no secret.')
    expect(
      sandbox.orders[0]?.egress?.policy.secrets.map(({ replacement }) => replacement.open()).sort(),
    ).toEqual(['demo-value-b', 'demo-value-first'])
  })

  it('does not put an older value over what /add_secret stored meanwhile', async () => {
    await using kit = await createTelegramKit()
    const { execution, prompt } = await asked(kit)
    kit.double.say(kit.chatId, '/add_secret DEMO_KEY demo-value-typed', ANN)
    await kit.reaches(execution, 'success')
    kit.double.say(kit.chatId, 'demo-value-old', ANN, { replyTo: prompt })
    await kit.said('Nothing was stored.')
    expect((await kit.storage.transaction((tx) => kit.vault.open(tx, 'DEMO_KEY', 'req_x'))).open()).toBe(
      'demo-value-typed',
    )
  })

  it('of /add_secret is good for one version: what was stored since is not replaced', async () => {
    await using kit = await createTelegramKit()
    kit.double.say(kit.chatId, '/add_secret DEMO_KEY', ANN)
    const prompt = await kit.said('Value of DEMO_KEY? (new)')
    kit.double.say(kit.chatId, 'demo-value-one', ANN, { replyTo: prompt })
    await kit.said('Stored DEMO_KEY (version 1)')
    kit.double.say(kit.chatId, 'demo-value-two', ANN, { replyTo: prompt })
    await kit.said('This question for DEMO_KEY is out of date.')
    kit.double.say(kit.chatId, '/add_secret DEMO_KEY', ANN)
    const again = await kit.said('Value of DEMO_KEY? (replaces version 1)')
    kit.double.say(kit.chatId, 'demo-value-three', ANN, { replyTo: again })
    await kit.said('Stored DEMO_KEY (version 2)')
    expect((await kit.storage.transaction((tx) => kit.vault.open(tx, 'DEMO_KEY', 'req_x'))).open()).toBe(
      'demo-value-three',
    )
  })

  it('from an earlier version, which names neither request nor version, takes no value', async () => {
    await using kit = await createTelegramKit()
    const { prompt } = await asked(kit)
    const old = {
      ...prompt,
      text: '🔑 Value of DEMO_KEY?\ndemo-skill is approved and waits for it. Reply to this message.',
    }
    const reply = kit.double.say(kit.chatId, 'demo-value-old', ANN, { replyTo: old })
    await kit.said('This question for DEMO_KEY is out of date.')
    expect([reply.deleted, await kit.storage.read((tx) => kit.vault.list(tx))]).toEqual([true, []])
  })
})

describe('a value that is asked for', () => {
  it('is bound to the hosts that the card showed, and the question says so', async () => {
    await using kit = await createTelegramKit()
    const { execution, prompt } = await asked(kit)
    expect(prompt.text).toContain('It will be bound to api.example.com.')
    kit.double.say(kit.chatId, 'demo-value-abcdef', ANN, { replyTo: prompt })
    await kit.said('It may go to api.example.com.')
    await kit.reaches(execution, 'success')
    expect((await kit.storage.read((tx) => kit.vault.find(tx, 'DEMO_KEY')))?.hosts).toEqual([
      'api.example.com',
    ])
  })

  it.each(['raw', 'placeholder'] as const)(
    'is bound to no host where the card showed none: %s',
    async (mode) => {
      await using kit = await createTelegramKit()
      const { execution, prompt } = await asked(kit, { secrets: [{ name: 'DEMO_KEY', mode }] })
      kit.double.say(kit.chatId, 'demo-value-abcdef', ANN, { replyTo: prompt })
      await kit.said('It may go to no host.')
      await kit.reaches(execution, 'success')
      expect((await kit.storage.read((tx) => kit.vault.find(tx, 'DEMO_KEY')))?.hosts).toEqual([])
    },
  )

  it.each<[string, (kit: Kit) => void]>([
    ['removed', (kit) => kit.vault.remove('DEMO_KEY', 'cli:0')],
    ['renamed', (kit) => kit.vault.rename('DEMO_KEY', 'OLD_KEY', 'cli:0')],
  ])('keeps the binding of the one that it replaces, which was %s', async (_how, take) => {
    await using kit = await createTelegramKit()
    await kit.storage.transaction((tx) =>
      kit.vault.put(tx, 'DEMO_KEY', new SecretValue('demo-value-before'), {
        hosts: ['api.example.com'],
        actor: 'cli:0',
      }),
    )
    take(kit)
    const evil = { secrets: [{ name: 'DEMO_KEY' }], network: ['api.example.com', 'evil.example'] }
    const { execution, prompt } = await asked(kit, evil)
    const { secrets } = await kit.storage.read((tx) => kit.executions.cardOf(tx, execution))
    expect(secrets.map(({ name, goes }) => `${name} → ${goes}`)).toEqual(['DEMO_KEY → api.example.com'])
    kit.double.say(kit.chatId, 'demo-value-abcdef', ANN, { replyTo: prompt })
    await kit.said('It may go to api.example.com.')
    await kit.reaches(execution, 'success')
    expect((await kit.storage.read((tx) => kit.vault.find(tx, 'DEMO_KEY')))?.hosts).toEqual([
      'api.example.com',
    ])
  })

  it.each<[string, (kit: Kit) => void]>([
    ['/add_secret', (kit) => kit.double.say(kit.chatId, '/add_secret DEMO_KEY demo-value-abcdef', ANN)],
    [
      'the terminal',
      (kit) =>
        kit.storage.transaction((tx) =>
          kit.vault.put(tx, 'DEMO_KEY', new SecretValue('demo-value-abc'), { actor: 'cli:0' }),
        ),
    ],
    [
      'another name',
      async (kit) => {
        await kit.storage.transaction((tx) =>
          kit.vault.put(tx, 'OTHER', new SecretValue('demo-value-abc'), { actor: 'cli:0' }),
        )
        await kit.vault.rename('OTHER', 'DEMO_KEY', 'cli:0')
      },
    ],
  ])('and comes by %s in place of a reply is bound alike', async (_way, supply) => {
    await using kit = await createTelegramKit()
    const { execution } = await asked(kit)
    supply(kit)
    await kit.reaches(execution, 'success')
    expect((await kit.storage.read((tx) => kit.vault.find(tx, 'DEMO_KEY')))?.hosts).toEqual([
      'api.example.com',
    ])
  })

  it('is not bound by a request that nobody approved', async () => {
    await using kit = await createTelegramKit()
    await kit.submit({ secrets: [{ name: 'DEMO_KEY' }], network: ['evil.example'] })
    await kit.storage.transaction((tx) =>
      kit.vault.put(tx, 'DEMO_KEY', new SecretValue('demo-value-abc'), { actor: 'cli:0' }),
    )
    expect((await kit.storage.read((tx) => kit.vault.find(tx, 'DEMO_KEY')))?.hosts).toBeNull()
  })

  it('does not start code whose secret was bound to fewer hosts than the card showed', async () => {
    const sandbox = createScriptedSandbox()
    await using kit = await createTelegramKit({ sandbox })
    const { execution } = await asked(kit, {
      secrets: [{ name: 'DEMO_KEY' }],
      network: ['api.example.com', 'b.example.com'],
    })
    await kit.storage.transaction((tx) =>
      kit.vault.put(tx, 'DEMO_KEY', new SecretValue('demo-value-abc'), {
        hosts: ['b.example.com'],
        actor: 'cli:0',
      }),
    )
    await kit.reaches(execution, 'failed')
    expect([(await kit.find(execution)).failure, sandbox.orders.length]).toEqual(['consent_stale', 0])
  })

  it('and was trusted before it was stored is trusted once it is', async () => {
    await using kit = await createTelegramKit()
    const { card, execution } = await kit.ask(KEY)
    await kit.double.press(kit.chatId, card.messageId, '♾ Always Trust', ANN).answered
    const prompt = await kit.said('Value of DEMO_KEY?')
    kit.double.say(kit.chatId, 'demo-value-abcdef', ANN, { replyTo: prompt })
    await kit.reaches(execution, 'success')
    expect((await kit.submit(KEY)).trusted).toBe(true)
  })
})
