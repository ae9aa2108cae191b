import { describe, expect, it } from 'vitest'
import { type MachineId, newMachineId, newTenantId } from '../../kernel/index.ts'
import { createMemoryGate } from './memory-gate.ts'

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
    gate.drop(two)
    gate.drop(one)
    expect(granted).toEqual([three])
    expect([gate.heldBytes, gate.lackingBytes]).toEqual([10, 0])
  })
})
