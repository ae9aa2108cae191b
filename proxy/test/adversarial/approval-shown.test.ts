import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ProviderAsk } from '../../src/llm/provider-access/index.ts'
import { type AdminKit, startAdminKit } from '../support/admin-kit.ts'
import { type CliHereOptions, type CliRun, runCliHere } from '../support/run-cli.ts'

let kit: AdminKit
beforeEach(async () => {
  kit = await startAdminKit()
})
afterEach(() => kit[Symbol.asyncDispose]())

const oauth3 = (args: readonly string[], options: CliHereOptions = {}): Promise<CliRun> =>
  runCliHere(args, { ...options, env: { OAUTH3_SOCKET: kit.socketPath } })

/** The provider of that name is another place from now on; what asks for it is still there. */
async function moveLab(): Promise<void> {
  await kit.providers.setParam('openai', 'url', 'https://elsewhere.test/v1', 'cli:0')
}

const asks = (): Promise<ProviderAsk> =>
  kit.access.ask({
    agentId: kit.agent.id,
    provider: 'openai',
    model: 'demo-1',
    group: 'inference',
    path: '/v1/chat/completions',
  })

const stillWaits = async ({ id }: ProviderAsk): Promise<void> => {
  expect((await kit.access.find(id))?.status).toBe('pending')
  expect(kit.access.grants()).toEqual([])
}

/** Over the admin socket, as a program of the owner's would. */
function decide(id: string, body: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath: kit.socketPath,
        path: `/v1/asks/${id}/decision`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => (text += part))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      },
    )
    call.on('error', reject).end(JSON.stringify(body))
  })
}

describe('a decision about a provider is of what was shown', () => {
  test('approve at a terminal grants nothing when the provider moved while the question was open', async () => {
    const ask = await asks()
    const run = await oauth3(['approve', ask.id, '--24h'], {
      isTerminal: true,
      types: async (shown) => {
        expect(shown).toContain('https://api.openai.com')
        await moveLab()
        return 'y'
      },
    })
    expect(run.code, run.stdout + run.stderr).not.toBe(0)
    expect(run.stderr).toContain('look at it again')
    await stillWaits(ask)
  })

  test.each(['t', 'd'])('watch takes no %s for a card that changed below the person', async (key) => {
    const ask = await asks()
    const answers = ['1', key, 'q']
    const run = await oauth3(['watch'], {
      isTerminal: true,
      types: async () => {
        const answer = answers.shift() ?? null
        if (answer === key) await moveLab()
        return answer
      },
    })
    expect(run.stderr).toContain('look at it again')
    await stillWaits(ask)
  })

  test('approve --consent is refused for another hash than show displays, and taken for its own', async () => {
    const ask = await asks()
    const { consent_hash } = JSON.parse((await oauth3(['--json', 'show', ask.id])).stdout)
    expect(consent_hash).toMatch(/^[0-9a-f]{64}$/)
    expect((await oauth3(['show', ask.id])).stdout).toContain(consent_hash)
    await moveLab()
    const moved = await oauth3(['approve', ask.id, '--24h', '--yes', '--consent', consent_hash.slice(0, 12)])
    expect(moved.code).not.toBe(0)
    await stillWaits(ask)
    const now = JSON.parse((await oauth3(['--json', 'show', ask.id])).stdout).consent_hash
    expect(now).not.toBe(consent_hash)
    expect((await oauth3(['approve', ask.id, '--24h', '--yes', '--consent', now.slice(0, 12)])).code).toBe(0)
    expect(kit.access.grants()).toHaveLength(1)
  })

  test('over the admin socket nothing is decided without the hash, nor by another one', async () => {
    const ask = await asks()
    const shown = JSON.parse((await oauth3(['--json', 'show', ask.id])).stdout).consent_hash
    for (const body of [{}, { consent_hash: 'f'.repeat(64) }, { consent_hash: '' }, { consent_hash: null }]) {
      const answer = await decide(ask.id, { decision: '24h', ...body })
      expect(answer.status, answer.text).toBeGreaterThanOrEqual(400)
      await stillWaits(ask)
    }
    await moveLab()
    for (const decision of ['24h', 'deny']) {
      expect((await decide(ask.id, { decision, consent_hash: shown })).text).toContain('other_consent')
      await stillWaits(ask)
    }
  })
})
