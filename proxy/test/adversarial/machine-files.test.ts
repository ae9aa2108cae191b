import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { FilesRef, Persistence } from '../../src/hosting/persistence/index.ts'
import { DEFAULT_TENANT, type TenantId } from '../../src/kernel/index.ts'
import { createMemoryStore, type MemoryStore, withFaults } from '../support/faulty-store.ts'
import { file, folder, treeOf, type Volume } from '../support/machine-volumes.ts'
import { createPersistenceKit, openVault, type PersistenceKit } from '../support/persistence-kit.ts'
import { seeded } from '../support/seeded.ts'

const NEVER = new AbortController().signal
const SMALL = { min: 256, max: 4_096, bits: 9 }
const ref = (machine: string, generation = 1): FilesRef => ({ tenant: DEFAULT_TENANT, machine, generation })

let kit: PersistenceKit
let memory: MemoryStore
let persistence: Persistence
beforeAll(async () => {
  kit = await createPersistenceKit()
})
afterAll(async () => {
  await kit[Symbol.asyncDispose]()
})
beforeEach(async () => {
  memory = createMemoryStore()
  persistence = await kit.open({ objects: memory, sizes: SMALL })
})
afterEach(async () => {
  await persistence.settled()
  for (const machine of ['one', 'two', 'other']) {
    await persistence.forget(ref(machine), NEVER)
    kit.volumes.purge(machine)
  }
  await persistence[Symbol.asyncDispose]()
})

const MARK = 'the words of one machine, which nobody else may read'
function fill(machine: string, text = MARK): Volume {
  const volume = kit.volumes.of(machine)
  volume
    .set('home', folder())
    .set('home/words', file(text.repeat(50)))
    .set('home/private-name', file('x'))
  const random = seeded(text.length)
  for (let at = 0; at < 20; at += 1)
    volume.set(`home/${at}`, file(Buffer.from(Array.from({ length: 3_000 }, () => random.below(256)))))
  return volume
}
async function sleep(machine: string): Promise<string[]> {
  const before = new Set(memory.objects.keys())
  await persistence.save(ref(machine), NEVER)
  await persistence.settled()
  kit.volumes.purge(machine)
  return [...memory.objects.keys()].filter((name) => !before.has(name))
}
const packOf = (names: readonly string[]): string => names.find((name) => name.endsWith('/0')) as string
const manifestOf = (names: readonly string[]): string =>
  names.find((name) => name.endsWith('manifest')) as string
const wake = (machine: string): Promise<string> => persistence.restore(ref(machine, 2), NEVER)

describe('what is kept of a machine', () => {
  it('is noise to who keeps it: no name, no content, no hash of one, in any object or its name', async () => {
    fill('one')
    await sleep('one')
    const bucket = Buffer.concat([...memory.objects].flatMap(([name, bytes]) => [Buffer.from(name), bytes]))
    for (const word of [MARK.slice(0, 16), 'private-name', 'words', 'ustar'])
      for (const form of [
        word,
        Buffer.from(word).toString('hex'),
        Buffer.from(word).toString('base64').slice(0, -4),
      ])
        expect(bucket.includes(form), form).toBe(false)
    // The same files of another machine have nothing in common with it.
    fill('two')
    const [first, ...others] = [packOf([...memory.objects.keys()]), ...(await sleep('two'))]
    const pieces = [...Array(20).keys()].map((at) =>
      memory.objects.get(first)?.subarray(at * 500, at * 500 + 16),
    )
    for (const name of others)
      for (const piece of pieces) expect(memory.objects.get(name)?.includes(piece ?? '')).toBe(false)
  })

  it.each([
    'a bit changed',
    'cut',
    'longer',
    'empty',
    'gone',
    'another one’s',
    'an older one',
    'two swapped',
  ])('is refused when an object is %s, and nothing of it runs', async (how) => {
    fill('other', 'other words')
    const others = await sleep('other')
    const volume = fill('one')
    const older = await sleep('one')
    volume.set('home/words', file('new'))
    for (const [name, each] of volume) kit.volumes.of('one').set(name, each)
    kit.volumes.of('one').set('home/3', file('changed'))
    const newer = await sleep('one')
    for (const [kind, mine] of [
      ['pack', packOf(newer)],
      ['manifest', manifestOf(newer)],
    ] as const) {
      const whole = memory.objects.get(mine) as Buffer
      const pick = kind === 'pack' ? packOf : manifestOf
      const flipped = Buffer.from(whole)
      flipped[whole.length >> 1] = (flipped[whole.length >> 1] ?? 0) ^ 1
      const bad: Record<string, Buffer | undefined> = {
        'a bit changed': flipped,
        cut: whole.subarray(0, -1),
        longer: Buffer.concat([whole.subarray(0, 40), Buffer.from('x'), whole.subarray(40)]),
        empty: Buffer.alloc(0),
        gone: undefined,
        'another one’s': memory.objects.get(pick(others)),
        'an older one': memory.objects.get(pick(older)),
        'two swapped': memory.objects.get(kind === 'pack' ? manifestOf(newer) : packOf(newer)),
      }
      const put = bad[how]
      if (put === undefined) memory.objects.delete(mine)
      else memory.objects.set(mine, put)
      await expect(wake('one'), kind).rejects.toThrow(/not what was stored/)
      expect([...(kit.volumes.of('one').get('.files')?.content.toString() ?? '')].join('')).not.toContain(
        '"isWhole":true',
      )
      kit.volumes.purge('one')
      memory.objects.set(mine, whole)
    }
    expect(await wake('one')).toBe('ready')
  })

  it('of one tenant opens for no other, also not under the same names', async () => {
    const theirs = kit.database.forTenant('ten_00000000000000aa')
    persistence.open({ storage: theirs, vault: openVault })
    fill('one')
    const mine = await sleep('one')
    fill('one', 'theirs')
    const them = { tenant: theirs.tenant as TenantId, machine: 'one' }
    const before = new Set(memory.objects.keys())
    await persistence.save({ ...them, generation: 1 }, NEVER)
    const others = [...memory.objects.keys()].filter((name) => !before.has(name))
    kit.volumes.purge('one')
    memory.objects.set(manifestOf(others), memory.objects.get(manifestOf(mine)) as Buffer)
    memory.objects.set(packOf(others), memory.objects.get(packOf(mine)) as Buffer)
    await expect(persistence.restore({ ...them, generation: 2 }, NEVER)).rejects.toThrow(
      'not what was stored',
    )
    kit.volumes.purge('one')
    expect(await persistence.snapshots({ ...them, machine: 'two' })).toEqual([])
    await persistence.forget(them, NEVER)
    expect(await wake('one')).toBe('ready')
  })

  it('opens with no key that was of another machine', async () => {
    fill('one')
    await sleep('one')
    fill('two')
    await sleep('two')
    await kit.database.storage.transaction(async (tx) => {
      const two = await tx.machineFiles.find('two')
      await tx.machineFiles.setRootKey('one', two?.rootKey ?? '')
    })
    await expect(wake('one')).rejects.toThrow('sealed for something else')
  })

  it('is forgotten with its key, and all of it', async () => {
    fill('one')
    await sleep('one')
    fill('two')
    await sleep('two')
    await persistence.forget(ref('one'), NEVER)
    await persistence.forget(ref('one'), NEVER)
    expect([...memory.objects.keys()].filter((name) => name.includes('/one/'))).toEqual([])
    expect(await kit.database.storage.read((tx) => tx.machineFiles.find('one'))).toBeUndefined()
    expect(await wake('two')).toBe('ready')
  })
})

describe('a sleep that is cut', () => {
  it('at each of its steps leaves what was kept before, and nothing when it is repeated', async () => {
    const random = seeded(1)
    const store = withFaults(memory, random)
    const volume = fill('one')
    const first = treeOf(volume)
    await sleep('one')
    for (let steps = 0; ; steps += 1) {
      fill('one').set('home/new', file(`step ${steps}`))
      kit.volumes.of('one').set('home/7', file(Buffer.alloc(9_000, `${steps} `)))
      const second = treeOf(kit.volumes.of('one'))
      const cut = await kit.open({ objects: store, sizes: SMALL })
      store.killAfter = steps
      const outcome = await cut.save(ref('one'), NEVER).then(
        () => 'kept',
        () => 'cut',
      )
      await cut.settled()
      store.killAfter = Number.POSITIVE_INFINITY
      kit.volumes.purge('one')
      expect(await wake('one')).toBe('ready')
      expect(treeOf(kit.volumes.of('one')), `${steps} steps`).toEqual(outcome === 'kept' ? second : first)
      if (outcome === 'kept') {
        // Probe, base, looks, pack and manifest at least.
        expect(steps).toBeGreaterThan(5)
        return
      }
    }
  })

  it('has its manifest last, when each pack is there', async () => {
    const order: string[] = []
    const held = Promise.withResolvers<void>()
    const objects: MemoryStore = {
      ...memory,
      async put(name, bytes, how) {
        if (name.endsWith('/0')) {
          setImmediate(() => setImmediate(held.resolve))
          await held.promise
        }
        const outcome = await memory.put(name, bytes, how)
        if (name.startsWith('machines/')) order.push(name.replace(/.*[/]/, ''))
        return outcome
      },
    }
    fill('one')
    const slow = await kit.open({ objects, sizes: SMALL })
    await slow.save(ref('one'), NEVER)
    expect(order).toEqual(['0', 'manifest'])
  })

  it('by an incarnation of before is refused, however late it comes', async () => {
    fill('one')
    await persistence.save(ref('one', 2), NEVER)
    fill('one').set('home/old', file('of before'))
    await expect(persistence.save(ref('one', 1), NEVER)).rejects.toThrow('Newer files')
    const broken = withFaults(memory, seeded(1))
    const cut = await kit.open({ objects: broken, sizes: SMALL })
    // Past what it asks the store before it begins.
    broken.killAfter = 4
    // Between its beginning and its end a newer one begins, and another one of its own is kept.
    const meanwhile = [
      () => cut.save(ref('one', 3), NEVER).catch(() => {}),
      () => persistence.save(ref('one', 3), NEVER),
    ]
    for (const [at, act] of meanwhile.entries()) {
      let acted = false
      const objects: MemoryStore = {
        ...memory,
        async put(name, bytes, how) {
          if (name.endsWith('manifest') && !acted) {
            acted = true
            await act()
          }
          return memory.put(name, bytes, how)
        },
      }
      const late = await kit.open({ objects, sizes: SMALL })
      await expect(late.save(ref('one', 2 + at), NEVER)).rejects.toThrow('Newer files')
      expect(acted).toBe(true)
      await late.settled()
    }
    kit.volumes.purge('one')
    expect(await persistence.restore(ref('one', 4), NEVER)).toBe('ready')
  })

  it('at the quota of bytes or of files is refused, and what was kept before stays', async () => {
    const before = treeOf(fill('one'))
    await sleep('one')
    for (const quota of [
      { bytes: 10_000, files: 1_000 },
      { bytes: 1_000_000, files: 5 },
    ]) {
      const small = await kit.open({ objects: memory, quota, sizes: SMALL })
      fill('one').set('home/more', file('more'))
      await expect(small.save(ref('one'), NEVER)).rejects.toMatchObject({ code: 'too_large' })
    }
    kit.volumes.purge('one')
    await wake('one')
    expect(treeOf(kit.volumes.of('one'))).toEqual(before)
  })

  it('whose base has lost a pack sends all of it again', async () => {
    const before = treeOf(fill('one'))
    const names = await sleep('one')
    fill('one')
    memory.objects.delete(packOf(names))
    await sleep('one')
    await wake('one')
    expect(treeOf(kit.volumes.of('one'))).toEqual(before)
  })
})

describe('a wake', () => {
  it('on a full disk is repeated from its beginning', async () => {
    const before = treeOf(fill('one'))
    await sleep('one')
    kit.volumes.spaceBytes = 20_000
    await expect(wake('one')).rejects.toThrow('no space')
    kit.volumes.spaceBytes = Number.POSITIVE_INFINITY
    expect(await wake('one')).toBe('ready')
    expect(treeOf(kit.volumes.of('one'))).toEqual(before)
  })

  it('does not mix what another choice left by half', async () => {
    fill('one').set('home/0-first', file('first'))
    await sleep('one')
    const second = treeOf(fill('one'))
    await sleep('one')
    const [newest, oldest] = await persistence.snapshots(ref('one'))
    await persistence.rollBack(ref('one'), oldest?.number ?? 0)
    kit.volumes.spaceBytes = 20_000
    await expect(wake('one')).rejects.toThrow('no space')
    kit.volumes.spaceBytes = Number.POSITIVE_INFINITY
    await persistence.rollBack(ref('one'), newest?.number ?? 0)
    expect(await wake('one')).toBe('unusable')
    kit.volumes.purge('one')
    expect(await wake('one')).toBe('ready')
    expect(treeOf(kit.volumes.of('one'))).toEqual(second)
  })

  it('brings what was chosen, however many saves came between, and where the store has all of it alone', async () => {
    const first = treeOf(fill('one'))
    await sleep('one')
    {
      using _pinned = await persistence.pin(ref('one'), 1, NEVER)
      for (let at = 0; at < 5; at += 1) {
        fill('one', `words of ${at}`)
        await sleep('one')
      }
      expect((await persistence.kept(ref('one'))).map(({ number }) => number)).toEqual([6, 5, 4, 1])
      // What is to be written beside it decides: refused, nothing is chosen.
      const also = () => Promise.reject(new Error('it runs'))
      await expect(persistence.rollBack(ref('one'), 1, also)).rejects.toThrow('it runs')
      expect((await persistence.kept(ref('one'))).find(({ isCurrent }) => isCurrent)?.number).toBe(6)
      await persistence.rollBack(ref('one'), 1)
    }
    expect(await wake('one')).toBe('ready')
    expect(treeOf(kit.volumes.of('one'))).toEqual(first)
    // Those of before are kept until newer ones take their place.
    expect((await persistence.kept(ref('one'))).map(({ number }) => number)).toEqual([6, 5, 4, 1])
    await sleep('one')
    expect((await persistence.kept(ref('one'))).map(({ number }) => number)).toEqual([7, 6, 5])
    await expect(persistence.pin(ref('one'), 1, NEVER)).rejects.toMatchObject({ code: 'not_found' })
    const lost = [...memory.objects.keys()].find((name) => /\/5-[^/]+\/0$/.test(name)) ?? ''
    memory.objects.delete(lost)
    await expect(persistence.pin(ref('one'), 5, NEVER)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('that ended in the middle left nothing of its own: its half is not kept for whole', async () => {
    const before = treeOf(fill('one'))
    await sleep('one')
    kit.volumes.spaceBytes = 20_000
    await expect(wake('one')).rejects.toThrow('no space')
    kit.volumes.spaceBytes = Number.POSITIVE_INFINITY
    await persistence.save(ref('one', 2), NEVER)
    expect(await persistence.kept(ref('one'))).toMatchObject([{ number: 1, isCurrent: true }])
    kit.volumes.purge('one')
    expect(await wake('one')).toBe('ready')
    expect(treeOf(kit.volumes.of('one'))).toEqual(before)
  })

  it('leaves files that a start has used, and those of a machine that was never saved', async () => {
    kit.volumes.of('one').set('home', folder())
    expect(await persistence.restore(ref('one', 1), NEVER)).toBe('ready')
    fill('one')
    await persistence.save(ref('one', 1), NEVER)
    const used = treeOf(kit.volumes.of('one').set('home/newer', file('newer')))
    expect(await persistence.restore(ref('one', 2), NEVER)).toBe('ready')
    expect(treeOf(kit.volumes.of('one'))).toEqual(used)
  })

  it('does not begin empty where a row of what was kept is lost', async () => {
    fill('one')
    await sleep('one')
    await kit.database.storage.transaction((tx) => tx.machineFiles.removeSnapshot('one', 1))
    await expect(wake('one')).rejects.toThrow('not what was stored')
    expect(kit.volumes.of('one').size).toBe(0)
  })
})
