import { describe, expect, test } from 'vitest'
import { columnsOf } from '../../src/cli/text-layout.ts'
import { useLlmCli } from '../support/cli-llm-kit.ts'
import { rawControls } from '../support/raw-controls.ts'

const world = useLlmCli()
const { oauth3, json, grantsOf } = world

const asked = (model: string | null = 'gpt-demo', provider = 'openai') =>
  world.kit.access.ask({
    agentId: world.kit.agent.id,
    provider,
    model,
    group: 'inference',
    path: '/v1/chat/completions',
  })

describe('asks', () => {
  test('stand beside the requests in pending, and are shown as a card', async () => {
    const ask = await asked()
    await world.kit.ask({ skillId: 'beside/an-ask' })
    const pending = await oauth3(['pending'], { env: { COLUMNS: '80' } })
    expect(pending.stdout).toContain('beside/an-ask')
    expect(pending.stdout).toMatch(
      new RegExp(
        `^${ask.id.slice(0, 16)} +provider openai, gpt-demo, \\S+ +clawd +pending +in (1 h|[0-9]+ min)`,
        'm',
      ),
    )
    for (const line of pending.stdout.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(80)
    const listed = await json(['pending'])
    expect(listed.asks).toMatchObject([{ id: ask.id, agent: 'clawd', model: 'gpt-demo' }])
    expect(listed.requests).toHaveLength(1)
    expect((await json(['status'])).waiting).toBe(2)

    const shown = await oauth3(['show', ask.id.slice(0, 12)])
    expect(shown.stdout).toContain('May this agent use this provider?')
    expect(shown.stdout).toContain('openai at https://api.openai.com')
    expect(shown.stdout).toContain(
      `oauth3 approve ${ask.id.slice(0, 16)} --1h   # or --24h | --forever | --until TIME [--model-only]`,
    )
    expect((await json(['show', ask.id])).card.askId).toBe(ask.id)
    await oauth3(['deny', ask.id])
  })

  test('are granted for a time, for a model alone and with limits', async () => {
    const ask = await asked('gpt-only')
    const args = ['approve', ask.id.slice(0, 16), '--24h', '--model-only', '--usd-per-day', '2.00']
    const run = await oauth3(args)
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toContain('clawd may use openai for inference, gpt-only; $2.00/day; ends in 24 h')
    expect(run.stdout).toContain('gpt-only of openai has no known price')
    expect(run.stdout).toContain('oauth3 price set openai gpt-only --input … --output …')
    expect(await world.kit.access.find(ask.id)).toMatchObject({
      status: 'approved',
      decidedBy: `cli:${process.getuid?.()}`,
    })
    expect(grantsOf('openai')).toMatchObject([
      { models: ['gpt-only'], limits: { microUsdPerDay: 2_000_000 } },
    ])
    const again = await oauth3(['approve', ask.id, '--24h'])
    expect(again).toMatchObject({ code: 5, stdout: '' })
    expect((await oauth3(['show', ask.id])).stdout).toMatch(/Status +granted/)
  })

  test('forever is until revoked, and a denial is one', async () => {
    const forever = await asked('m', 'together')
    await oauth3(['approve', forever.id, '--forever'])
    expect(grantsOf('together')).toMatchObject([{ models: null, expiresAt: null }])
    const denied = await asked('m', 'fireworks')
    expect(await json(['deny', denied.id])).toMatchObject({ status: 'denied', grant: null })
    expect(await json(['show', denied.id.slice(0, 16)])).toMatchObject({ id: denied.id, status: 'denied' })
    expect(grantsOf('fireworks')).toEqual([])
  })

  test('are in requests --all once they are answered, beside programs', async () => {
    const granted = await asked('m-all', 'together')
    const { requestId: program } = await world.kit.ask({ skillId: 'beside/an-answer' })
    const denied = await asked('m-all', 'fireworks')
    await oauth3(['approve', granted.id, '--1h', '--model-only'])
    await oauth3(['deny', denied.id])
    type Row = { readonly id: string; readonly status: string }
    const rows: Row[] = (await json(['requests', '--all'])).approvals
    const stateOf = (id: string) => rows.find((row) => row.id === id)?.status
    expect([granted.id, program, denied.id].map(stateOf)).toEqual(['granted', 'pending', 'denied'])
    expect((await oauth3(['requests', '--all'])).stdout).toMatch(
      new RegExp(`^${denied.id.slice(0, 16)} .* denied `, 'm'),
    )
  })

  test.each([
    [['--once'], 'exactly one of --1h | --24h | --forever'],
    [[], 'exactly one of --1h | --24h | --forever'],
    [['--1h', '--forever'], 'exactly one of'],
    [['--24h', '--any-args'], 'exactly one of --1h | --24h | --forever'],
    [['--24h', '--consent', 'nothing'], '8 to 64 hex digits'],
    [['--24h', '--model-only', '--models', 'a'], 'Choose one of'],
    [['--24h', '--rpm', 'many'], 'whole number'],
    [['--24h', '--models', 'none,a'], 'none does not go with a list'],
    [['--24h', '--models', 'a', '--models', 'none'], 'none does not go with a list'],
    [['--24h', '--paths', 'none', '--paths', '/a'], 'none does not go with a list'],
  ])('are not approved with %j', async (options, reason) => {
    const ask =
      (await world.kit.storage.read((tx) => world.kit.access.pending(tx)))[0] ??
      (await asked('m', 'cerebras'))
    const run = await oauth3(['approve', ask.id, ...options])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain(reason)
    expect((await world.kit.access.find(ask.id))?.status).toBe('pending')
  })

  test('without a model cannot be granted for the model alone', async () => {
    const ask = await asked(null, 'cohere')
    const run = await oauth3(['approve', ask.id, '--24h', '--model-only'])
    expect(run.code).toBe(2)
    expect(run.stderr).toContain('exactly one of --1h | --24h | --forever | --until TIME.')
    expect((await oauth3(['show', ask.id])).stdout).not.toContain('--model-only')
  })

  test('a person at a terminal sees the card and is asked', async () => {
    const ask = await asked('gpt-asked', 'deepseek')
    const no = await oauth3(['approve', ask.id, '--1h'], { isTerminal: true, stdin: 'n' })
    expect(no).toMatchObject({ code: 1, stdout: '' })
    expect(no.stderr).toContain('May this agent use this provider?')
    expect(no.stderr).toContain('Let clawd use deepseek for inference for 1 hour, every model?')
    expect((await world.kit.access.find(ask.id))?.status).toBe('pending')
    const yes = await oauth3(['approve', ask.id, '--1h'], { isTerminal: true, stdin: 'y' })
    expect(yes.code).toBe(0)
    expect((await world.kit.access.find(ask.id))?.status).toBe('approved')
  })

  test('what an agent writes as a model cannot steer the terminal', async () => {
    const ask = await asked('x\u001b[2J\u202e\nAgent  boss', 'perplexity')
    const runs = [
      await oauth3(['show', ask.id]),
      await oauth3(['pending']),
      await oauth3(['pending', '--json']),
    ]
    for (const run of runs) expect(rawControls(run.stdout)).toEqual([])
    expect(runs[0]?.stdout).not.toMatch(/^ {2}Agent +boss/m)
    const person = await oauth3(['approve', ask.id, '--1h'], { isTerminal: true, stdin: 'n' })
    expect(rawControls(person.stderr)).toEqual([])
    const given = await oauth3(['approve', ask.id, '--1h', '--usd-per-day', '1'])
    expect(rawControls(given.stdout)).toEqual([])
    expect(given.stdout).toContain('oauth3 price set perplexity MODEL ')
  })

  test('options of asks do not pass for those of requests, and unknown ids are named', async () => {
    const { requestId } = await world.kit.ask({ skillId: 'no/ask' })
    for (const [options, why] of [
      [['--1h'], 'exactly one of --once | --24h | --forever'],
      [['--24h', '--model-only'], 'exactly one of --once | --24h | --forever'],
      [['--once', '--rpm', '5'], 'are for providers'],
    ] as const) {
      const run = await oauth3(['approve', requestId, ...options])
      expect(run).toMatchObject({ code: 2 })
      expect(run.stderr).toContain(why)
    }
    const unknown = await oauth3(['show', 'ask_ffffffffffffffffffffffffffffffff'])
    expect(unknown.code).toBe(4)
    expect(unknown.stderr).toContain('No request ask_ffff')
    expect((await oauth3(['deny', 'ask_'])).code).toBe(2)
  })
})
