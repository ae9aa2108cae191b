import { describe, expect, it } from 'vitest'
import { START, useProviderKeys } from '../../../test/support/provider-keys-kit.ts'

const world = useProviderKeys()
const { add, answered, pick, label, remove } = world

describe('a key that was refused', () => {
  it.each<[number, string | null, number]>([
    [401, null, 300],
    [401, '1', 300],
    [429, null, 30],
    [429, '', 30],
    [429, 'soon', 30],
    [429, '-5', 30],
    [429, '1e9', 30],
    [429, '2030', 2030],
    [429, '7', 7],
    [429, ' 7 ', 7],
    [429, '0', 1],
    [429, '0.2', 1],
    [429, '1.5', 2],
    [429, '999999999', 3600],
    [429, 'Wed, 02 Jan 2030 03:04:25 GMT', 20],
    [429, 'Wed, 02 Jan 2030 03:00:00 GMT', 1],
    [429, 'Thu, 03 Jan 2030 03:04:05 GMT', 3600],
    [429, 'Wed, 99 Jan 2030 03:04:25 GMT', 30],
  ])('with %i and retry-after %j is in cooldown for %i seconds', async (status, retryAfter, seconds) => {
    const { id } = await add()
    answered(id, status, retryAfter)
    expect(await pick()).toEqual({ refused: 'keys_in_cooldown', retryAfterSeconds: seconds })
    const until = world.keys.list()[0]?.cooldown?.until ?? 0
    expect(Math.ceil((until - START) / 1000)).toBe(seconds)
    world.now = until - 1
    expect(await pick()).toEqual({ refused: 'keys_in_cooldown', retryAfterSeconds: 1 })
    world.now = until
    expect(label(await pick())).toBe('key-1')
    expect(world.keys.list()[0]?.cooldown).toBeNull()
  })

  it.each([200, 201, 204, 301, 400, 403, 404, 408, 500, 503, 529])(
    'is in no cooldown after %i',
    async (status) => {
      const { id } = await add()
      answered(id, status, '100')
      expect(label(await pick())).toBe('key-1')
    },
  )

  it('stays in cooldown when another answer comes in, good or milder', async () => {
    const { id } = await add()
    answered(id, 401, null)
    answered(id, 200, null)
    answered(id, 429, '1')
    expect(await pick()).toEqual({ refused: 'keys_in_cooldown', retryAfterSeconds: 300 })
  })

  it('is left alone by the agent that drew it, and by no other', async () => {
    const { id } = await add()
    for (let at = 0; at < 100; at += 1) answered(id, at % 2 === 0 ? 401 : 429, '3600', 'hostile')
    expect(label(await pick({ agentId: 'hostile' }))).toBe('keys_in_cooldown')
    expect(label(await pick({ agentId: 'other' }))).toBe('key-1')
    expect(world.keys.list()[0]?.cooldown).toEqual({ until: START + 3_600_000, agents: 1, parts: 1 })
  })

  it.each([
    [429, '3600', 10],
    [429, '7', 7],
    [401, null, 10],
  ])(
    'with %i and retry-after %j by a second agent too is left alone by all, for %i s',
    async (status, retryAfter, seconds) => {
      const { id } = await add()
      answered(id, status, retryAfter, 'one')
      answered(id, status, retryAfter, 'two')
      expect(label(await pick({ agentId: 'three' }))).toBe('key-1')
      expect(await pick({ agentId: 'three' })).toEqual({
        refused: 'keys_in_cooldown',
        retryAfterSeconds: seconds,
      })
      expect(world.keys.list()[0]?.cooldown).toEqual({
        until: START + seconds * 1_000,
        agents: 0,
        parts: 1,
      })
      world.now = START + seconds * 1_000
      expect(label(await pick({ agentId: 'three' }))).toBe('key-1')
    },
  )

  it('is left alone by all only when two draw the same, while the first is in cooldown and nobody was answered', async () => {
    const { id } = await add()
    const forAll = async (): Promise<boolean> => {
      // The first may be its one try.
      await pick({ agentId: 'three' })
      return label(await pick({ agentId: 'three' })) !== 'key-1'
    }
    answered(id, 401, null, 'one')
    answered(id, 429, '5', 'two')
    expect(await forAll()).toBe(false)
    // Earlier requests of the agent itself still end well; another one's show that the key is good.
    answered(id, 200, null, 'three')
    answered(id, 401, null, 'four')
    expect(await forAll()).toBe(false)
    world.now += 301_000
    answered(id, 401, null, 'five')
    expect(await forAll()).toBe(false)
    answered(id, 200, null, 'five')
    answered(id, 401, null, 'six')
    expect(await forAll()).toBe(true)
  })

  it('is left alone twice as long each time that an agent draws more right after, and that is forgotten', async () => {
    const { id } = await add()
    const seconds: number[] = []
    const draw = (): void => {
      // A rush is one.
      for (let at = 0; at < 20; at += 1) answered(id, 429, null)
      const until = world.keys.list()[0]?.cooldown?.until ?? world.now
      seconds.push((until - world.now) / 1_000)
      world.now = until
    }
    for (let at = 0; at < 7; at += 1) draw()
    world.now += 600_000
    draw()
    expect(seconds).toEqual([30, 60, 120, 240, 480, 900, 900, 30])
  })

  it('is left alone as long as the vendor says, each time, and no longer for that', async () => {
    const { id } = await add()
    for (let at = 0; at < 6; at += 1) {
      answered(id, 429, '2')
      expect(await pick()).toEqual({ refused: 'keys_in_cooldown', retryAfterSeconds: 2 })
      world.now += 2_000
      expect(label(await pick())).toBe('key-1')
    }
  })

  it('is not left alone by all for two agents that draw the same again and again', async () => {
    const { id } = await add()
    for (const agent of ['one', 'two']) answered(id, 429, '30', agent)
    expect(label(await pick({ agentId: 'three' }))).toBe('key-1')
    expect(label(await pick({ agentId: 'three' }))).toBe('keys_in_cooldown')
    for (let at = 0; at < 5; at += 1) {
      world.now += 31_000
      for (const agent of ['one', 'two']) answered(id, 429, '30', agent)
      expect(label(await pick({ agentId: 'three' }))).toBe('key-1')
    }
  })

  it('is skipped while another can be used, and the earliest is told when none can', async () => {
    const one = await add({ label: 'one', weight: 1000 })
    const two = await add({ label: 'two' })
    answered(one.id, 429, '60')
    world.chance = 0
    expect(label(await pick())).toBe('two')
    answered(two.id, 429, '20')
    expect(await pick()).toEqual({ refused: 'keys_in_cooldown', retryAfterSeconds: 20 })
    expect(await pick({ provider: 'groq' })).toEqual({ refused: 'no_key' })
  })

  it('tells no agent of a key that it may not use', async () => {
    const { id } = await add({ tags: ['work'] })
    answered(id, 429, '60')
    expect(await pick()).toEqual({ refused: 'no_key' })
  })

  it('does not rest for ever when the clock is set back', async () => {
    const { id } = await add()
    answered(id, 401, null)
    world.now = START - 7_200_000
    expect(label(await pick())).toBe('key-1')
  })

  it('leaves nothing behind when it is removed', async () => {
    const { id } = await add()
    answered(id, 401, null)
    await remove(id)
    answered(id, 401, null)
    await add()
    expect(label(await pick())).toBe('key-2')
  })
})
