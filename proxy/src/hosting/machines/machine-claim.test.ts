import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHostKit, type HostKit, keyOf } from '../../../test/support/machine-kit.ts'
import { owner } from '../../../test/support/principals.ts'
import type { Machine } from './machine.ts'

const OURS = { instance: 'i-1', secretSha256: 'aa' }

describe('an incarnation of a machine', () => {
  let kit: HostKit
  let machine: Machine
  /** What the driver lists. */
  let listed: readonly string[]
  const refTo = (generation: number) => ({ ...keyOf(machine), generation })
  const knows = (generation: number, secret = OURS.secretSha256) =>
    kit.host.isIdentified(refTo(generation), secret)

  beforeEach(async () => {
    kit = await createHostKit()
    listed = [OURS.instance]
    Object.assign(kit.driver, { instancesOf: async () => listed })
    kit.driver.faults = (act) => (act === 'start' ? 'hang' : 'none')
    machine = await kit.create()
    await kit.untilState(machine, 'starting')
  })
  afterEach(() => kit[Symbol.asyncDispose]())

  it('is known by its own secret alone, and as no other incarnation', async () => {
    expect(knows(1)).toBe(false)
    expect(await kit.host.claim(refTo(1), OURS)).toBe('claimed')
    expect([knows(0), knows(1), knows(2), knows(1, 'ab')]).toEqual([false, true, false, false])
  })

  it('is not said to be another’s while its driver lists none, nor to be ours where it lists another', async () => {
    listed = []
    expect(await kit.host.claim(refTo(1), OURS)).toBe('unsure')
    expect(await kit.rowOf(machine)).toMatchObject({ identity: null, generation: 1, desired: 'awake' })
    listed = ['i-2']
    expect(await kit.host.claim(refTo(1), OURS)).toBe('taken')
    expect([knows(1), knows(2)]).toEqual([false, false])
  })

  it('is answered again without its driver, whose lists are behind', async () => {
    await kit.host.claim(refTo(1), OURS)
    listed = []
    expect(await kit.host.claim(refTo(1), OURS)).toBe('again')
  })

  it('is nobody any more in its next life, nor once it is to be deleted', async () => {
    await kit.host.claim(refTo(1), OURS)
    kit.driver.faults = () => 'none'
    await kit.untilState(machine, 'running')
    await kit.machines.ask(machine.id, 'asleep', owner())
    await kit.untilState(machine, 'asleep')
    kit.driver.outside('remove', keyOf(machine))
    kit.driver.faults = (act) => (act === 'start' ? 'hang' : 'none')
    await kit.machines.ask(machine.id, 'awake', owner())
    await kit.until(async () => (await kit.rowOf(machine)).generation > 1)
    const { generation } = await kit.rowOf(machine)
    expect([knows(1), knows(generation)]).toEqual([false, false])
    const next = { instance: 'i-1', secretSha256: 'bb' }
    expect(await kit.host.claim(refTo(generation), next)).toBe('claimed')
    expect(knows(generation, 'bb')).toBe(true)
    kit.driver.faults = () => 'refuse'
    await kit.machines.ask(machine.id, 'deleted', owner())
    expect(knows(generation, 'bb')).toBe(false)
  })
})
