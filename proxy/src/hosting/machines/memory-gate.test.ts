import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHostKit, type HostKit, keyOf } from '../../../test/support/machine-kit.ts'
import { owner } from '../../../test/support/principals.ts'
import { type MachineId, newMachineId, newTenantId } from '../../kernel/index.ts'
import type { Machine } from './machine.ts'
import { createMemoryGate } from './memory-gate.ts'

const MIB = 1_048_576

describe('the memory of a host', () => {
  const create = (capacity: number) => {
    const granted: MachineId[] = []
    return { gate: createMemoryGate(capacity, (id) => granted.push(id)), granted }
  }
  const [a, b] = [newTenantId(), newTenantId()]

  it('is given while there is some, and once to each', () => {
    const { gate } = create(100)
    const [one, two] = [newMachineId(), newMachineId()]
    expect([gate.take(one, a, 60), gate.take(one, a, 60), gate.take(two, a, 60)]).toEqual([true, true, false])
    expect([gate.heldBytes, gate.lackingBytes]).toEqual([60, 20])
    gate.drop(one)
    expect([gate.heldBytes, gate.lackingBytes]).toEqual([60, 0])
  })

  it('goes to tenants in turn, and to who is next before who is smaller', () => {
    const { gate, granted } = create(100)
    const first = newMachineId()
    gate.take(first, a, 100)
    const mine = [newMachineId(), newMachineId(), newMachineId()]
    for (const id of mine) gate.take(id, a, 100)
    const [large, small] = [newMachineId(), newMachineId()]
    gate.take(large, b, 100)
    gate.take(small, b, 10)
    expect([first, ...mine, large, small].map(gate.turnOf)).toEqual([undefined, 1, 2, 4, 3, 5])
    const order = [mine[0], mine[1], large, mine[2]] as MachineId[]
    for (const id of [first, ...order.slice(0, 3)]) gate.drop(id)
    expect(granted).toEqual(order)
    gate.drop(order[3] as MachineId)
    expect(granted).toEqual([...order, small])
  })

  it('is not kept for who gave up waiting, and is counted for who is there already', () => {
    const { gate, granted } = create(100)
    const [one, two, three] = [newMachineId(), newMachineId(), newMachineId()]
    gate.force(one, 150)
    expect(gate.take(two, a, 10)).toBe(false)
    expect(gate.take(three, a, 10)).toBe(false)
    expect(gate.turnOf(three)).toBe(2)
    gate.drop(two)
    expect(gate.turnOf(three)).toBe(1)
    gate.drop(one)
    expect(granted).toEqual([three])
    expect([gate.heldBytes, gate.lackingBytes]).toEqual([10, 0])
  })
})

describe('machines with little memory', () => {
  let kit: HostKit
  const running = async (): Promise<Machine> => {
    const machine = await kit.create(spec)
    await kit.untilState(machine, 'running')
    return machine
  }
  const ask = (machine: Machine, to: Machine['desired']) => kit.machines.ask(machine.id, to, owner())
  const awake = (machine: Machine) =>
    kit.machines.ensureAwake(machine.id, 'message', new AbortController().signal)
  const spec = { memoryBytes: 100 * MIB }
  const upNow = (all: readonly Machine[]): number =>
    all.filter((one) => kit.driver.phasesOf(keyOf(one)).some((phase) => phase !== 'stopped')).length

  beforeEach(async () => {
    kit = await createHostKit({ memoryBytes: 250 * MIB })
  })
  afterEach(async () => {
    expect(kit.driver.violations).toEqual([])
    await kit[Symbol.asyncDispose]()
  })

  it('puts the least recently used to sleep for who wakes, the paused before the idle', async () => {
    const [old, fresh] = [await running(), await running()]
    await ask(fresh, 'paused')
    await kit.untilState(fresh, 'paused')
    await kit.time.advance(60_000)
    const third = await kit.create(spec)
    await kit.untilState(third, 'running')
    expect([await kit.stateOf(old), await kit.stateOf(fresh)]).toEqual(['running', 'asleep'])
    await kit.time.advance(40_000)
    const call = awake(fresh)
    await kit.untilState(fresh, 'running')
    await call
    expect(await kit.stateOf(old)).toBe('asleep')
  })

  it('lets a storm of wakes wait for each other', async () => {
    const all: Machine[] = []
    for (let at = 0; at < 8; at += 1) {
      const machine = await running()
      await ask(machine, 'asleep')
      await kit.untilState(machine, 'asleep')
      all.push(machine)
    }
    const turns = () => all.flatMap(({ id }) => kit.machines.forecast(id).memoryQueuePosition ?? []).sort()
    const allWait = Promise.withResolvers<void>()
    let most = 0
    kit.driver.faults = () => {
      most = Math.max(most, upNow(all))
      return 'none'
    }
    let answered = 0
    const calls = all.map(async (machine) => {
      const call = await awake(machine)
      await allWait.promise
      answered += 1
      await ask(machine, 'asleep')
      call[Symbol.dispose]()
    })
    await kit.until(() => turns().length === 6)
    expect(turns()).toEqual([1, 2, 3, 4, 5, 6])
    allWait.resolve()
    await kit.until(() => answered === 8)
    await Promise.all(calls)
    expect(most).toBe(2)
    expect(turns()).toEqual([])
  })
})
