import { expect, it } from 'vitest'
import type { RunOrder, ToolVerdict } from '../../src/claude-runs/index.ts'
import { startClaudeRuns } from '../support/claude-runs-kit.ts'
import { owner } from '../support/principals.ts'

/** From the port of apps to the runner: the tools of a run that ask, as the daemon joins them. */
const PAGE = { url: 'https://docs.example.com/', prompt: 'p' }
const hostsOf = ({ egress }: RunOrder): readonly string[] | null =>
  egress?.policy.network.map(({ host }) => host) ?? null

async function start() {
  const kit = await startClaudeRuns()
  const asked = Promise.withResolvers<string>()
  kit.events.subscribe('approval.requested', async ({ id }, tx) => {
    tx.afterCommit(() => asked.resolve(id))
  })
  const { token } = await kit.addApp('shop', { tools: ['WebFetch', 'Bash'] })
  return {
    kit,
    token,
    asked: asked.promise,
    stateOf: async (id: string) => (await kit.storage.read((tx) => kit.approvals.find(tx, id)))?.state,
    [Symbol.asyncDispose]: () => kit[Symbol.asyncDispose](),
  }
}
const ask = { id: 'q_1', toolUseId: 'toolu_1', tool: 'WebFetch', input: PAGE }

it('a yes opens the run’s way out until the tool’s result comes, and its end closes all', async () => {
  await using world = await start()
  const { kit } = world
  const seen: (readonly string[] | null)[] = []
  let order: RunOrder | undefined
  kit.runner.play = async (given, hooks, signal) => {
    order = given
    seen.push(hostsOf(given))
    expect(await hooks.onToolRequest(ask, signal)).toEqual({ behavior: 'allow', updatedInput: PAGE })
    seen.push(hostsOf(given))
    hooks.onToolAnswered('toolu_1')
    seen.push(hostsOf(given))
    return {}
  }
  const answer = kit.postRun(world.token, { prompt: 'Read it', tools: ['WebFetch'] })
  const id = await world.asked
  const { contentHash = '' } = (await kit.storage.read((tx) => kit.approvals.find(tx, id))) ?? {}
  await kit.storage.transaction((tx) => kit.approvals.choose(tx, id, contentHash, 'once', owner()))
  expect(await (await answer).json()).toMatchObject({ ok: true, result: 'hello' })
  expect(seen).toEqual([[], ['docs.example.com'], []])
  expect(order?.egress?.ended).toBe(true)
})

it('an app’s hosts are open to runs with a command tool while it asks, and end with a cancel before the container does', async () => {
  await using world = await start()
  const { kit } = world
  const orders: RunOrder[] = []
  const begun: (() => void)[] = []
  const atCancel: unknown[] = []
  kit.runner.play = async (order, _hooks, signal) => {
    orders.push(order)
    begun.shift()?.()
    if (order.prompt !== 'stay') return {}
    // Right at the cancel: the run's end, which ends all, comes later.
    signal.addEventListener('abort', () => atCancel.push(order.egress?.ended, order.egress?.asker))
    return await new Promise<never>(() => {})
  }
  const hosts = ['docs.example.com', 'example.org:8443']
  const tools = ['Bash', 'WebFetch', 'Read']
  const { token } = await kit.addApp('reaching', { tools, hosts, network: 'ask' })
  const { token: off } = await kit.addApp('off', { tools, hosts })
  const run = async (of: string, given: string[]) => {
    await kit.postRun(of, { prompt: 'x', tools: given })
    const order = orders.at(-1)
    return [order && hostsOf(order), order?.asksForHosts]
  }
  expect(await run(token, ['Bash'])).toEqual([['docs.example.com', 'example.org'], true])
  expect(orders.at(-1)?.egress?.ended).toBe(true)
  expect(await run(token, ['Read'])).toEqual([null, false])
  // What is for commands is none of WebFetch's, which asks for each call.
  expect(await run(token, ['WebFetch'])).toEqual([[], false])
  expect(await run(off, ['Bash'])).toEqual([null, false])
  expect(await run(off, ['Bash', 'WebFetch'])).toEqual([[], false])
  const started = new Promise<void>((resolve) => begun.push(resolve))
  const staying = kit.postRun(token, { prompt: 'stay', tools: ['Bash'] })
  await started
  await kit.apps.revoke('reaching', 'cli:0')
  expect(await (await staying).json()).toMatchObject({ ok: false, code: 'cancelled' })
  expect(atCancel).toEqual([true, null])
})

it('a run without tools that may open it has no way out at all, and what it was not given is denied', async () => {
  await using world = await start()
  const { kit } = world
  const verdicts: ToolVerdict[] = []
  kit.runner.play = async (given, hooks, signal) => {
    expect(given.egress).toBe(null)
    verdicts.push(await hooks.onToolRequest(ask, signal))
    verdicts.push(await hooks.onToolRequest({ ...ask, tool: 'Bash', input: { command: 'ls' } }, signal))
    return {}
  }
  await kit.postRun(world.token, { prompt: 'hi', tools: ['Bash'] })
  expect(verdicts).toMatchObject([{ behavior: 'deny' }, { behavior: 'allow' }])
})

it.each([
  ['its app is revoked', (kit: Awaited<ReturnType<typeof start>>['kit']) => kit.apps.revoke('shop', 'cli:0')],
  [
    'everything stops',
    (kit: Awaited<ReturnType<typeof start>>['kit']) => kit.lockdown.begin({ actor: 'cli:0', name: null }),
  ],
])('what it asks is cancelled when %s', async (_what, act) => {
  await using world = await start()
  const { kit } = world
  const verdict = Promise.withResolvers<ToolVerdict>()
  kit.runner.play = async (_order, hooks, signal) => {
    verdict.resolve(await hooks.onToolRequest(ask, signal))
    return {}
  }
  const answer = kit.postRun(world.token, { prompt: 'Read it', tools: ['WebFetch'] })
  const id = await world.asked
  await act(kit)
  expect(await verdict.promise).toMatchObject({ behavior: 'deny' })
  expect(await world.stateOf(id)).toBe('cancelled')
  await answer
})

it('what a daemon left waiting is cancelled when the next begins', async () => {
  await using world = await start()
  const { kit } = world
  kit.runner.play = async (_order, hooks, signal) => {
    await hooks.onToolRequest(ask, signal)
    return {}
  }
  const answer = kit.postRun(world.token, { prompt: 'Read it', tools: ['WebFetch'] })
  const id = await world.asked
  await kit.toolCalls.recover()
  await answer
  expect(await world.stateOf(id)).toBe('cancelled')
})
