import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createHostKit,
  createPlayedFiles,
  type HostKit,
  keyOf,
  type PlayedFiles,
} from '../../../test/support/machine-kit.ts'
import { owner } from '../../../test/support/principals.ts'
import { seeded } from '../../../test/support/seeded.ts'
import { AppError } from '../../kernel/index.ts'
import type { Machine } from './machine.ts'

const NEVER = new AbortController().signal

let kit: HostKit
const begin = async (options: Parameters<typeof createHostKit>[0]): Promise<void> => {
  kit = await createHostKit(options)
}
const running = async (): Promise<Machine> => {
  const machine = await kit.create()
  await kit.untilState(machine, 'running')
  return machine
}
const ask = (machine: Machine, to: Machine['desired']) => kit.machines.ask(machine.id, to, owner())
const awake = (machine: Machine) => kit.machines.ensureAwake(machine.id, 'message', NEVER)

afterEach(async () => {
  expect(kit.driver.violations).toEqual([])
  await kit[Symbol.asyncDispose]()
})

it('keeps files beyond the host where it can, and nothing at the driver meanwhile', async () => {
  const kept: string[] = []
  let tooLarge = false
  await begin({
    persistence: {
      async save({ generation }) {
        if (tooLarge) throw new AppError('too_large', 'it has too many files')
        kept.push(`save ${generation}`)
      },
      async restore({ generation }) {
        kept.push(`restore ${generation}`)
        return kept.length === 3 ? 'unusable' : 'ready'
      },
      isHalf: async () => false,
      async forget() {
        kept.push('forget')
      },
      kept: async () => [],
      pin: () => Promise.reject(new AppError('not_found', 'there is none')),
      rollBack: () => Promise.reject(new AppError('not_found', 'there is none')),
    },
  })
  const machine = await running()
  await ask(machine, 'asleep')
  await kit.untilState(machine, 'asleep')
  expect(kit.driver.things).toBe(0)
  const call = awake(machine)
  await kit.untilState(machine, 'running')
  await call
  // Half of something else was there.
  expect(kept).toEqual(['restore 1', 'save 1', 'restore 2', 'restore 2'])
  ;(await call)[Symbol.dispose]()
  // What cannot be kept elsewhere stays.
  tooLarge = true
  await ask(machine, 'asleep')
  await kit.untilState(machine, 'asleep')
  expect(kit.driver.phasesOf(keyOf(machine))).toEqual(['stopped'])
  expect((await kit.rowOf(machine)).lastError).toBe('it has too many files')
  await ask(machine, 'deleted')
  await kit.untilState(machine, 'deleted')
  expect(kept.at(-1)).toBe('forget')
})

it('starts with its files alone, also where its creation was given up before they were there', async () => {
  const files = createPlayedFiles(() => kit.storage)
  const { restore } = files
  const happened: string[] = []
  let refused: string | undefined
  await begin({ persistence: files })
  kit.driver.faults = (act) => {
    if (act === 'start') happened.push(act)
    return act === refused ? 'refuse' : 'none'
  }
  files.restore = async () => {
    happened.push('no files')
    throw new Error('the store is down')
  }
  const machine = await kit.create()
  await kit.until(() => happened.length > 0)
  refused = 'list'
  await kit.untilState(machine, 'failed', 1_000)
  expect(kit.driver.phasesOf(keyOf(machine))).toEqual(['created'])
  refused = undefined
  happened.length = 0
  await ask(machine, 'awake')
  await kit.until(() => happened.length > 1)
  expect(happened).not.toContain('start')
  files.restore = (...of) => {
    happened.push('files')
    return restore(...of)
  }
  await kit.untilState(machine, 'running', 1_000)
  expect(happened.slice(-2)).toEqual(['files', 'start'])
})

describe('one that waits for its configuration', () => {
  /** Of the volume: nothing says anything, it is a half, all is there. */
  let volume: 'bare' | 'half' | 'whole'
  let files: PlayedFiles
  /** Acts in their order, and what must never be. */
  let happened: string[]
  let broken: string[]
  /** What befalls a restore before it has begun, and behind that. */
  let befalls: (when: 'before' | 'within') => Promise<void>

  const isUp = (): boolean => kit.driver.phasesOf(keyOf(one)).includes('running')
  let one: Pick<Machine, 'id'>
  beforeEach(async () => {
    volume = 'bare'
    happened = []
    broken = []
    befalls = async () => {}
    files = createPlayedFiles(() => kit.storage)
    const { restore } = files
    files.restore = async (ref, signal, begun) => {
      if (volume === 'whole') return 'ready'
      await befalls('before')
      volume = 'half'
      await begun?.()
      happened.push(isUp() ? 'up' : 'down')
      await befalls('within')
      signal.throwIfAborted()
      volume = 'whole'
      happened.push('files')
      return restore(ref, signal)
    }
    files.isHalf = async () => volume === 'half'
    await begin({
      persistence: files,
      changed(_key, { observed }) {
        // It is configured from here on.
        if (['starting', 'waking', 'running'].includes(observed) && isUp() && volume !== 'whole')
          broken.push(`${observed} with ${volume} files`)
      },
    })
    kit.driver.waiting = true
    kit.driver.watch(() => {
      if (kit.driver.things === 0) volume = 'bare'
    })
    one = { id: '' } as Machine
  })
  afterEach(() => expect(broken).toEqual([]))

  const made = async (): Promise<Machine> => {
    const machine = await kit.create()
    one = machine
    return machine
  }

  it('comes up beside its files, and is told to begin behind them', async () => {
    const machine = await made()
    await kit.untilState(machine, 'running')
    expect(happened).toEqual(['up', 'files'])
    expect(kit.driver.calls.start).toBe(1)
  })

  it.each([
    ['its image does not say that it waits', () => (kit.driver.waiting = false)],
    [
      'it does not come up',
      () => (kit.driver.faults = (act) => (act === 'start' && volume === 'half' ? 'refuse' : 'none')),
    ],
  ])('comes up behind its files where %s', async (_case, arrange) => {
    arrange()
    await kit.untilState(await made(), 'running')
    expect(happened).toEqual(['down', 'files'])
  })

  it('goes on where a daemon ended within, and is up already', async () => {
    const held = Promise.withResolvers<void>()
    befalls = (when) => (when === 'within' ? held.promise : Promise.resolve())
    const machine = await made()
    await kit.until(isUp)
    held.reject(new Error('the daemon was killed'))
    befalls = async () => {}
    await kit.restart()
    expect(await kit.stateOf(machine)).toBe('creating')
    await kit.untilState(machine, 'running')
    expect(happened.at(-1)).toBe('files')
    expect(await kit.rowOf(machine)).toMatchObject({ generation: 1 })
  })

  it('is created anew where its creation was given up when it was up with a half', async () => {
    let refused: string | undefined
    befalls = (when) =>
      when === 'within' ? Promise.reject(new Error('the store is down')) : Promise.resolve()
    kit.driver.faults = (act) => (act === refused ? 'refuse' : 'none')
    const machine = await made()
    await kit.until(isUp)
    refused = 'list'
    await kit.untilState(machine, 'failed', 1_000)
    refused = undefined
    await kit.until(() => !isUp())
    befalls = async () => {}
    await ask(machine, 'awake')
    await kit.untilState(machine, 'running', 1_000)
    expect(happened.at(-1)).toBe('files')
  })

  it('is not told to begin with a half where it is woken anew before it was ended', async () => {
    let refused: readonly string[] = []
    befalls = (when) =>
      when === 'within' ? Promise.reject(new Error('the store is down')) : Promise.resolve()
    kit.driver.faults = (act) => (refused.includes(act) ? 'refuse' : 'none')
    const machine = await made()
    await kit.until(isUp)
    refused = ['list', 'stop']
    await kit.untilState(machine, 'failed', 1_000)
    expect(isUp()).toBe(true)
    befalls = async () => {}
    await ask(machine, 'awake')
    refused = []
    await kit.untilState(machine, 'running', 1_000)
    expect(happened.at(-1)).toBe('files')
  })

  it('is never told to begin with half of them, whatever fails and whenever the daemon is killed', async () => {
    const random = seeded(11)
    let percent = 25
    const fails = (): boolean => random.below(100) < percent
    befalls = async (when) => {
      if (fails()) throw new Error(`the store is down, ${when}`)
    }
    kit.driver.faults = () => (fails() ? random.pick(['refuse', 'lose_answer', 'half'] as const) : 'none')
    const machine = await made()
    for (let turn = 0; turn < 60; turn += 1) {
      await kit.time.advance(random.below(20_000))
      if (random.chance(0.3)) await kit.restart()
      if (random.chance(0.1)) kit.driver.outside(random.pick(['kill', 'remove'] as const), keyOf(machine))
      await ask(machine, random.chance(0.6) ? 'awake' : 'asleep')
    }
    percent = 0
    await ask(machine, 'awake')
    await kit.untilState(machine, 'running', 1_000)
    expect(happened.filter((what) => what === 'up').length).toBeGreaterThan(3)
  })
})

describe('a machine that is rolled back', () => {
  let files: PlayedFiles
  let machine: Machine
  const back = (to: number) => kit.machines.rollBack(machine.id, to, owner())
  /** Time goes on until it is settled. */
  async function settled<T>(work: Promise<T>): Promise<T> {
    let isOver = false
    const end = (): void => {
      isOver = true
    }
    work.then(end, end)
    await kit.until(() => isOver)
    return await work
  }
  const audited = async () =>
    (await kit.audit.newest(50))
      .filter(({ event }) => event === 'machine.rolled_back')
      .map(({ data }) => JSON.parse(data))

  beforeEach(async () => {
    files = createPlayedFiles(() => kit.storage)
    await begin({ persistence: files })
    machine = await running()
    await ask(machine, 'asleep')
    await kit.untilState(machine, 'asleep')
    ;(await settled(awake(machine)))[Symbol.dispose]()
    expect(files).toMatchObject({ all: [1], current: 1 })
  })

  it('keeps what it has as a generation of its own, and wakes with what was chosen', async () => {
    await settled(back(1))
    expect(files).toMatchObject({ all: [1, 2], current: 1 })
    expect(await audited()).toEqual([{ machine: machine.id, from: 2, to: 1 }])
    // It was awake, so it is again.
    await kit.untilState(machine, 'running')
    expect(files.restored.at(-1)).toBe(1)
    // And forward.
    await settled(back(2))
    await kit.untilState(machine, 'running')
    expect(files).toMatchObject({ all: [1, 2, 3], current: 2 })
    expect(files.restored.at(-1)).toBe(2)
  })

  it('stays asleep where it slept, and saves nothing that is kept already', async () => {
    await ask(machine, 'asleep')
    await kit.untilState(machine, 'asleep')
    await settled(back(1))
    expect(files).toMatchObject({ all: [1, 2], current: 1 })
    expect(await kit.rowOf(machine)).toMatchObject({ observed: 'asleep', desired: 'asleep' })
  })

  it('is not while it is at something, and nothing is stopped for one that is not there', async () => {
    const call = await awake(machine)
    await expect(back(1)).rejects.toMatchObject({ code: 'conflict' })
    call[Symbol.dispose]()
    await expect(settled(back(9))).rejects.toMatchObject({ code: 'not_found' })
    expect(await kit.rowOf(machine)).toMatchObject({ observed: 'running', desired: 'awake' })
    expect(files.all).toEqual([1])
    // The way in is open again.
    ;(await settled(awake(machine)))[Symbol.dispose]()
  })

  it('is woken by nobody meanwhile: who comes finds what was chosen', async () => {
    const work = back(1)
    const comes = awake(machine)
    await settled(work)
    ;(await settled(comes))[Symbol.dispose]()
    expect(files).toMatchObject({ all: [1, 2], current: 1 })
    expect(files.restored.at(-1)).toBe(1)
  })

  it('has what it had where the store takes nothing, and can be woken with it', async () => {
    files.refuses = new Error('the store is down')
    await expect(settled(back(1))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/store is down/),
    })
    expect(files).toMatchObject({ all: [1], current: 1 })
    expect(await audited()).toEqual([])
    // All of it is at its driver, and it goes on with that.
    const restored = files.restored.length
    await kit.untilState(machine, 'running')
    ;(await settled(awake(machine)))[Symbol.dispose]()
    expect(files.restored).toHaveLength(restored)
    // And is kept once the store is well.
    files.refuses = undefined
    await settled(back(1))
    expect(files).toMatchObject({ all: [1, 2], current: 1 })
  })

  it('has what it had where that is more than may be kept', async () => {
    files.refuses = new AppError('too_large', 'it has too many files')
    await expect(settled(back(1))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/too many files/),
    })
    expect(files).toMatchObject({ all: [1], current: 1 })
    await kit.untilState(machine, 'running')
    expect(files.restored).toHaveLength(2)
  })

  it('keeps what one has that failed', async () => {
    await ask(machine, 'asleep')
    await kit.untilState(machine, 'asleep')
    kit.driver.faults = (act) => (act === 'start' ? 'refuse' : 'none')
    await ask(machine, 'awake')
    await kit.untilState(machine, 'failed', 1_000)
    kit.driver.faults = () => 'none'
    await settled(back(1))
    expect(files.current).toBe(1)
    await kit.untilState(machine, 'running')
    expect(files.restored.at(-1)).toBe(1)
  })

  it('is not where a person wakes it just before it is chosen', async () => {
    const { kept } = files
    files.kept = async (key) => {
      await ask(machine, 'awake')
      while ((await kit.stateOf(machine)) === 'asleep') await new Promise(setImmediate)
      return await kept(key)
    }
    await expect(settled(back(1))).rejects.toMatchObject({ code: 'conflict' })
    expect(await audited()).toEqual([])
    expect(files).toMatchObject({ all: [1, 2], current: 2 })
  })

  it('is not where a person wakes it meanwhile', async () => {
    const held = Promise.withResolvers<void>()
    files.holds = held.promise
    const work = back(1)
    work.catch(() => {})
    await kit.untilState(machine, 'stopping')
    await ask(machine, 'awake')
    held.resolve()
    await expect(settled(work)).rejects.toMatchObject({ code: 'conflict' })
    expect(await audited()).toEqual([])
    await kit.untilState(machine, 'running')
    expect(files).toMatchObject({ all: [1, 2], current: 2 })
  })
})
