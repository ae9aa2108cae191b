import { expect, test } from 'vitest'
import type { AgentId, RequestId } from '../kernel/index.ts'
import { createRunPlaces, type QueuedRun, type RunPlaces } from './run-places.ts'

/** A tenant whose runs go on until the test ends them. */
function tenantOf(places: RunPlaces, name: string) {
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const lane = places.open(
    ({ requestId }: QueuedRun) =>
      new Promise<void>((resolve) => {
        started.push(requestId)
        ends.set(requestId, resolve)
      }),
  )
  return {
    lane,
    started,
    push: (agent: string, id: string): void =>
      lane.push({ agentId: `${name}/${agent}` as AgentId, requestId: `${name}/${id}` as RequestId }),
    async end(id: string): Promise<void> {
      const run = lane.active.get(`${name}/${id}` as RequestId)
      ends.get(`${name}/${id}`)?.()
      await run?.ended
    },
  }
}

test('one tenant alone takes every place, an agent of it all but one', () => {
  const only = tenantOf(createRunPlaces(3), 'a')
  for (const id of ['1', '2', '3']) only.push('busy', id)
  expect(only.started).toEqual(['a/1', 'a/2'])
  only.push('other', '4')
  expect(only.started).toEqual(['a/1', 'a/2', 'a/4'])
})

test('a tenant leaves a place to the others, however many agents it has', () => {
  const places = createRunPlaces(3)
  const [busy, other] = [tenantOf(places, 'a'), tenantOf(places, 'b')]
  for (const id of ['1', '2', '3', '4']) busy.push(id, id)
  expect(busy.started).toEqual(['a/1', 'a/2'])
  other.push('x', '1')
  expect(other.started).toEqual(['b/1'])
})

test('places that become free go to tenants in turn, and there are never more than there are', async () => {
  const places = createRunPlaces(2)
  const [busy, other] = [tenantOf(places, 'a'), tenantOf(places, 'b')]
  for (const id of ['1', '2', '3']) busy.push('x', id)
  for (const id of ['1', '2', '3']) other.push('x', id)
  expect([busy.lane.active.size, other.lane.active.size]).toEqual([1, 1])
  await busy.end('1')
  await other.end('1')
  expect([busy.started, other.started]).toEqual([
    ['a/1', 'a/2'],
    ['b/1', 'b/2'],
  ])
  expect(busy.lane.active.size + other.lane.active.size).toBe(2)
})

test('a tenant that ends takes no more turns, and the last one has every place again', async () => {
  const places = createRunPlaces(2)
  const [leaving, staying] = [tenantOf(places, 'a'), tenantOf(places, 'b')]
  for (const id of ['1', '2']) leaving.push(id, id)
  staying.push('x', '1')
  staying.push('y', '2')
  leaving.lane.close()
  await leaving.end('1')
  expect(leaving.started).toEqual(['a/1'])
  expect(staying.started).toEqual(['b/1', 'b/2'])
})

test('a run that is taken up again before it has ended starts once more when it has', async () => {
  const only = tenantOf(createRunPlaces(3), 'a')
  only.push('x', '1')
  // Its own end stored what it waited for, or put it back: it is in the queue while it is still under way.
  only.push('x', '1')
  only.push('x', '2')
  expect(only.started).toEqual(['a/1', 'a/2'])
  await only.end('1')
  expect(only.started).toEqual(['a/1', 'a/2', 'a/1'])
  for (const id of ['1', '2']) await only.end(id)
  expect(only.started).toHaveLength(3)
  expect(only.lane.active.size + only.lane.waitingOf('a/x' as AgentId)).toBe(0)
})

test('a place is held only for a run that would begin at once, and counts until it is given back', async () => {
  const places = createRunPlaces(3)
  const [busy, other] = [tenantOf(places, 'a'), tenantOf(places, 'b')]
  const run = (id: string) => ({ agentId: `a/${id}` as AgentId, requestId: `a/${id}` as RequestId })
  const held = busy.lane.hold(run('1'))
  expect(held).toBeDefined()
  // Not twice for one run, and no more than a tenant's share.
  expect(busy.lane.hold(run('1'))).toBeUndefined()
  const second = busy.lane.hold(run('2'))
  expect(busy.lane.hold(run('3'))).toBeUndefined()
  busy.push('x', '4')
  other.push('x', '1')
  other.push('x', '2')
  expect([busy.started, other.started]).toEqual([[], ['b/1']])
  second?.release()
  expect([busy.started, other.started]).toEqual([['a/4'], ['b/1']])
  const { promise, resolve } = Promise.withResolvers<void>()
  held?.start(() => promise)
  expect(busy.lane.active.size).toBe(2)
  resolve()
  await busy.lane.active.get('a/1' as RequestId)?.ended
  expect([busy.lane.active.size, other.started]).toEqual([1, ['b/1', 'b/2']])
  busy.lane.close()
  expect(busy.lane.hold(run('9'))).toBeUndefined()
})

test('what has a place ends by its signal: one agent, or all and whatever comes until it is over', async () => {
  const given = new Map<string, AbortSignal>()
  const lane = createRunPlaces(9).open(({ requestId }, ending) => {
    given.set(requestId, ending)
    return new Promise<void>((resolve) => ending.addEventListener('abort', () => resolve()))
  })
  const run = (agentId: string, requestId: string) =>
    ({ agentId: agentId as AgentId, requestId: requestId as RequestId }) satisfies QueuedRun
  const why = new DOMException('stopped', 'AbortError')
  lane.push(run('one', '1'))
  lane.push(run('other', '2'))
  // Held before, begun after: what was stopped on the way stays so.
  const held = lane.hold(run('one', '3'))
  lane.end(why, { agentId: 'one' as AgentId })
  expect([given.get('1')?.reason, given.get('2')?.aborted]).toEqual([why, false])
  held?.start(async (ending) => void given.set('3', ending))
  expect(given.get('3')?.aborted).toBe(true)
  await lane.active.get('3' as RequestId)?.ended
  expect(lane.hold(run('one', '3'))).toBeDefined()

  lane.push(run('one', '6'))
  lane.end(why, { requestId: '6' as RequestId })
  expect([given.get('6')?.aborted, given.get('2')?.aborted]).toEqual([true, false])

  lane.halt(why)
  lane.hold(run('one', '4'))?.start(async (ending) => void given.set('4', ending))
  lane.resume()
  lane.hold(run('one', '5'))?.start(async (ending) => void given.set('5', ending))
  expect(['2', '4', '5'].map((id) => given.get(id)?.aborted)).toEqual([true, true, false])
})
