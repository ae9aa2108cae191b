import { describe, expect, it, vi } from 'vitest'
import { collect } from '../../../test/support/collect.ts'
import { createDomainKit } from '../../../test/support/domain-kit.ts'
import { ACTOR, START, USE, useProviderKeys } from '../../../test/support/provider-keys-kit.ts'
import { inDatabase } from '../../../test/support/stored.ts'
import type { PickedKey } from './ports.ts'

const world = useProviderKeys()
const { pick, add, build, remove, label, answered } = world

const SEAT = `sk-ant-oat01-${'d'.repeat(40)}`
const failing = (code: string) => expect.objectContaining({ code })
const value = (picked: Awaited<ReturnType<typeof pick>>): string => {
  if ('refused' in picked) throw new Error(picked.refused)
  return picked.value.open()
}
const events = async (): Promise<string[]> =>
  (await collect(world.kit.audit.export())).map(({ event }) => event)
const openings = async (): Promise<number> =>
  (await events()).filter((event) => event === 'provider.key_opened').length

describe("a provider's key", () => {
  it('is kept sealed, and opens after a restart', async () => {
    const added = await add({
      label: 'main',
      value: 'demo-value-main',
      tags: ['work', 'lab', 'lab'],
      weight: 3,
      models: ['gpt-*'],
    })
    expect(added).toEqual({
      id: 1,
      provider: 'openai',
      label: 'main',
      tags: ['lab', 'work'],
      weight: 3,
      models: ['gpt-*'],
      isSeat: false,
      createdAt: START,
    })
    expect(value(await pick({ tags: ['lab', 'work'] }))).toBe('demo-value-main')
    const everything = JSON.stringify([
      inDatabase(world.dir, (db) => db.prepare('SELECT * FROM provider_keys').all()),
      await collect(world.kit.audit.export()),
      world.keys.list(),
    ])
    expect(everything).not.toContain('demo-value-main')
    expect(everything).not.toContain(Buffer.from('demo-value-main').toString('base64'))

    await world.kit[Symbol.asyncDispose]()
    world.kit = await createDomainKit({ dir: world.dir, clock: { now: () => world.now } })
    world.keys = await build()
    expect(world.keys.list()).toEqual([{ ...added, cooldown: null }])
    expect(value(await pick({ tags: ['lab', 'work'] }))).toBe('demo-value-main')
  })

  it('does not open as another key', async () => {
    await add({ label: 'one' })
    await add({ label: 'two' })
    inDatabase(world.dir, (db) =>
      db.exec(`UPDATE provider_keys SET encrypted_value =
      (SELECT encrypted_value FROM provider_keys WHERE label = 'one') WHERE label = 'two'`),
    )
    world.chance = 0.9
    await expect(pick()).rejects.toThrow(failing('locked'))
    expect(await openings()).toBe(1)
  })

  it('is told to the audit when it is stored, opened and removed, and never with its value', async () => {
    const { id } = await add({ label: 'main', value: 'demo-value-main' })
    await pick()
    await remove(id)
    expect(await events()).toEqual(['provider.key_added', 'provider.key_opened', 'provider.key_removed'])
    expect(JSON.stringify(await collect(world.kit.audit.export()))).not.toContain('demo-value-main')
    expect((await world.kit.audit.verify()).ok).toBe(true)
  })

  it('is no seat, nor a seat a key: each is picked where it is asked for, and opens as nothing else', async () => {
    const anthropic = { provider: 'anthropic', model: null }
    const seat = await add({ ...anthropic, isSeat: true, value: SEAT })
    expect(seat).toMatchObject({ isSeat: true, tags: [] })
    expect(await pick(anthropic)).toEqual({ refused: 'no_key' })
    await add({ provider: 'anthropic', value: 'sk-ant-api03-demo-value-1' })
    expect(value(await pick({ ...anthropic, isSeat: true }))).toBe(SEAT)
    expect(value(await pick(anthropic))).toBe('sk-ant-api03-demo-value-1')
    await remove(seat.id)
    expect(await pick({ ...anthropic, isSeat: true })).toEqual({ refused: 'no_key' })
    inDatabase(world.dir, (db) => db.exec('UPDATE provider_keys SET is_seat = 1'))
    await world.kit[Symbol.asyncDispose]()
    world.kit = await createDomainKit({ dir: world.dir, clock: { now: () => world.now } })
    world.keys = await build()
    await expect(pick({ ...anthropic, isSeat: true })).rejects.toThrow(failing('locked'))
  })

  it.each([
    ['a key as a seat', { isSeat: true, value: 'sk-ant-api03-demo-value-1' }, 'begins with sk-ant-oat'],
    ['a seat that was cut off', { isSeat: true, value: 'sk-ant-oat01-' }, 'begins with sk-ant-oat'],
    ['a seat as a key', { value: `sk-ant-oat01-${'d'.repeat(40)}` }, '--seat'],
    [
      'a seat for agents',
      { isSeat: true, tags: ['work'], value: `sk-ant-oat01-${'d'.repeat(40)}` },
      'no tags',
    ],
    ['a seat where there is none', { provider: 'openai', isSeat: true }, 'not known to have seats'],
  ])('is not stored: %s', async (_what, input, says) => {
    await expect(add({ provider: 'anthropic', ...input })).rejects.toThrow(
      expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(says) }),
    )
  })

  it('gets a label when it is given none, and an id that no key ever had', async () => {
    expect([(await add()).label, (await add()).label]).toEqual(['key-1', 'key-2'])
    await remove(2)
    expect(await add()).toMatchObject({ id: 3, label: 'key-3' })
    await add({ label: 'key-5' })
    expect(await add()).toMatchObject({ id: 5, label: 'key-5-2' })
  })

  it('is refused when the provider has it already, or its label', async () => {
    await add({ label: 'main', value: 'demo-value-main' })
    await expect(add({ label: 'main' })).rejects.toThrow(failing('conflict'))
    await expect(add({ label: 'again', value: 'demo-value-main' })).rejects.toThrow(failing('conflict'))
    expect((await add({ provider: 'groq', label: 'main', value: 'demo-value-main' })).provider).toBe('groq')
    expect(world.keys.list('openai')).toHaveLength(1)
  })

  it.each<[string, Parameters<typeof add>[0], string]>([
    ['of nobody', { provider: 'nobody' }, 'invalid_request'],
    ['of what every object has', { provider: 'constructor' }, 'invalid_request'],
    ['of a provider that takes none', { provider: 'ollama' }, 'invalid_request'],
    ['that is empty', { value: '' }, 'invalid_request'],
    ['that is too short to be found in an answer', { value: 'short' }, 'invalid_request'],
    ['with a line break', { value: 'demo-value\r\nHost: x' }, 'invalid_request'],
    ['with a line break at its end', { value: 'demo-value\n' }, 'invalid_request'],
    ['with its scheme', { value: 'Bearer demo-value' }, 'invalid_request'],
    ['that is not ASCII', { value: 'demo-välue' }, 'invalid_request'],
    ['that no header takes', { value: 'x'.repeat(8193) }, 'too_large'],
    ['without weight', { weight: 0 }, 'invalid_request'],
    ['of part of a weight', { weight: 1.5 }, 'invalid_request'],
    ['of too much weight', { weight: 1001 }, 'invalid_request'],
    ['with a label that is none', { label: '<b>' }, 'invalid_request'],
    ['with a tag that is none', { tags: ['A b'] }, 'invalid_request'],
    ['with too many tags', { tags: Array.from({ length: 17 }, (_, n) => `t${n}`) }, 'invalid_request'],
    ['with a model that is none', { models: ['gpt 5'] }, 'invalid_request'],
    ['with a star in the middle', { models: ['gpt-*-mini'] }, 'invalid_request'],
  ])('is refused %s', async (_what, input, code) => {
    await expect(add(input)).rejects.toThrow(failing(code))
    expect(world.keys.list()).toEqual([])
  })

  it('can be stored before the provider is filled in', async () => {
    expect((await add({ provider: 'azure' })).provider).toBe('azure')
  })

  it('that is not there cannot be removed', async () => {
    await expect(remove(1)).rejects.toThrow(failing('not_found'))
  })
})

describe('which key is picked', () => {
  it('is none where the provider has none', async () => {
    await add({ provider: 'groq' })
    expect(await pick()).toEqual({ refused: 'no_key' })
    expect(await pick({ provider: 'constructor' })).toEqual({ refused: 'no_key' })
  })

  it('is never one with a tag that the agent lacks', async () => {
    await add({ label: 'work', tags: ['work'] })
    await add({ label: 'both', tags: ['lab', 'work'] })
    expect(label(await pick())).toBe('no_key')
    expect(label(await pick({ tags: ['lab'] }))).toBe('no_key')
    expect(label(await pick({ tags: ['work'] }))).toBe('work')
    expect(label(await pick({ tags: ['lab', 'other', 'work'] }))).toBe('both')
  })

  it('is one with most of the tags, and one without any where nothing else is left', async () => {
    await add({ label: 'plain', weight: 1000 })
    const { id } = await add({ label: 'work', tags: ['work'] })
    expect(label(await pick({ tags: ['work'] }))).toBe('work')
    expect(label(await pick())).toBe('plain')
    answered(id, 429, '10')
    expect(label(await pick({ tags: ['work'] }))).toBe('plain')
  })

  it('is for the model that is asked for', async () => {
    await add({ label: 'exact', models: ['gpt-5'] })
    expect(label(await pick({ model: 'gpt-5' }))).toBe('exact')
    expect(label(await pick({ model: 'gpt-5-mini' }))).toBe('no_key')
    expect(label(await pick({ model: null }))).toBe('no_key')
    const { id } = await add({ label: 'beginning', models: ['o3*'] })
    expect(label(await pick({ model: 'o3' }))).toBe('beginning')
    expect(label(await pick({ model: 'o3-mini' }))).toBe('beginning')
    expect(label(await pick({ model: 'xo3' }))).toBe('no_key')
    await remove(id)
    expect((await add({ label: 'any', models: ['*'] })).models).toBeNull()
    expect(label(await pick({ model: null }))).toBe('any')
  })

  it('is drawn by weight among equals', async () => {
    await add({ label: 'one', weight: 1 })
    await add({ label: 'three', weight: 3 })
    await add({ label: 'four', weight: 4 })
    const drawn: Record<string, number> = {}
    for (let step = 0; step < 80; step += 1) {
      world.chance = (step + 0.5) / 80
      const chosen = label(await pick())
      drawn[chosen] = (drawn[chosen] ?? 0) + 1
    }
    expect(drawn).toEqual({ one: 10, three: 30, four: 40 })
  })
})

describe('a decrypted key', () => {
  const same = async (): Promise<PickedKey> => {
    const picked = await pick()
    if ('refused' in picked) throw new Error(picked.refused)
    return picked
  }

  it('is kept for a minute, and told to the audit once for it', async () => {
    await add()
    const first = await same()
    const rows = (await events()).length
    for (let step = 0; step < 50; step += 1) expect(await same()).toBe(first)
    world.now += 59_999
    expect(await same()).toBe(first)
    expect(await events()).toHaveLength(rows)
    world.now += 1
    expect(await same()).not.toBe(first)
    expect(await openings()).toBe(2)
  })

  it('costs whoever picks it neither a turn nor a unit, and is decrypted once for all who wait', async () => {
    await add()
    const want = { provider: 'openai', model: 'gpt-5', tags: [], agentId: 'one', use: USE }
    const [first, second] = await Promise.all([
      world.keys.pick(want),
      world.keys.pick({ ...want, agentId: 'two' }),
    ])
    expect(second).toBe(first)
    expect(await openings()).toBe(1)
    expect(world.keys.pick(want)).toBe(first)
  })

  it('is neither given out nor kept when it was removed, or all were to be forgotten, before it was decrypted', async () => {
    const { id } = await add()
    const removed = remove(id)
    const late = pick()
    await removed
    expect(await late).toEqual({ refused: 'no_key' })

    await add()
    const opening = pick()
    world.keys.dropCache()
    const first = await opening
    expect(await same()).not.toBe(first)
  })

  it('is forgotten after its minute also when nobody asks again', async () => {
    vi.useFakeTimers()
    try {
      await add()
      const first = await same()
      vi.advanceTimersByTime(59_999)
      expect(await same()).toBe(first)
      vi.advanceTimersByTime(1)
      // By the clock it were still good: it is the value that is gone.
      expect(await same()).not.toBe(first)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is forgotten when told to', async () => {
    await add()
    await same()
    world.keys.dropCache()
    await same()
    expect(await openings()).toBe(2)
  })

  it('is forgotten when it is removed, though it was used a moment ago', async () => {
    const { id } = await add()
    await same()
    await remove(id)
    expect(await pick()).toEqual({ refused: 'no_key' })
  })

  it('is forgotten when keys come or go, and when the clock is set back', async () => {
    await add({ weight: 1000 })
    const first = await same()
    await add({ tags: ['other'] })
    const second = await same()
    expect(second).not.toBe(first)
    world.now -= 3_600_000
    expect(await same()).not.toBe(second)
  })

  it('is not given out when the audit cannot be told', async () => {
    await add()
    const rows = (await events()).length
    inDatabase(world.dir, (db) =>
      db.exec(`CREATE TRIGGER broken BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'broken'); END`),
    )
    await expect(pick()).rejects.toThrow('broken')
    await expect(pick()).rejects.toThrow('broken')
    inDatabase(world.dir, (db) => db.exec('DROP TRIGGER broken'))
    expect(await events()).toHaveLength(rows)
    expect(label(await pick())).toBe('key-1')
  })
})

describe('a rotation of the data key', () => {
  it("seals providers' keys anew, each for its own purpose, or changes nothing", async () => {
    const stored = () => world.kit.storage.read((tx) => tx.providerKeys.list())
    await add({ label: 'one', value: 'demo-value-one' })
    await add({ label: 'two', tags: ['two'], value: 'demo-value-two' })
    const before = (await stored()).map(({ sealed }) => sealed)
    await world.kit.vault.rotate(ACTOR)
    expect((await stored()).map(({ sealed }) => sealed.slice(0, 8))).toEqual(['oa3v1.2.', 'oa3v1.2.'])
    world.keys.dropCache()
    expect([value(await pick()), value(await pick({ tags: ['two'] }))]).toEqual([
      'demo-value-one',
      'demo-value-two',
    ])

    inDatabase(world.dir, (db) =>
      db.prepare('UPDATE provider_keys SET encrypted_value = ? WHERE id = 2').run(before[0]),
    )
    await expect(world.kit.vault.rotate(ACTOR)).rejects.toThrow(failing('locked'))
    expect((await stored())[0]?.sealed).toMatch(/^oa3v1\.2\./)
    expect(inDatabase(world.dir, (db) => db.prepare('SELECT id FROM data_keys').pluck().all())).toEqual([2])
  })
})
