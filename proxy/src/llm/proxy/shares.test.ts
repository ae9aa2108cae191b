import { describe, expect, it } from 'vitest'
import { createLlmShares, type TenantShares } from './shares.ts'

const MB = 1_048_576
const take = (count: number, from: () => Disposable | null): Disposable[] =>
  Array.from({ length: count }, from).filter((place) => place !== null)
/** All that the agents of one tenant together can take. */
const takeAll = ({ inFlight }: TenantShares): Disposable[] =>
  Array.from({ length: 100 }, (_, agent) => take(600, () => inFlight.take(`agent-${agent}`))).flat()
const bodies = ({ budget }: TenantShares, agents: number): number =>
  Array.from({ length: agents }, (_, agent) => {
    const hold = budget.open(`agent-${agent}`)
    let held = 0
    while (hold.grow(MB)) held += MB
    return held
  }).reduce((sum, held) => sum + held, 0)

describe('what tenants share of the LLM proxy', () => {
  it('is one tenant’s alone where it is the only one, as far as its agents may take it', () => {
    const only = createLlmShares().join()
    expect(takeAll(only).length).toBeGreaterThan(4_000)
    expect(bodies(only, 100)).toBeGreaterThan(150 * MB)
  })

  it('is left to a tenant with one agent by one with a hundred', () => {
    const shares = createLlmShares()
    const [many, few] = [shares.join(), shares.join()]
    expect(takeAll(many).length).toBeLessThanOrEqual(2_048)
    expect(take(600, () => few.inFlight.take('one'))).toHaveLength(512)
    expect(bodies(many, 100)).toBeLessThanOrEqual(96 * MB)
    expect(bodies(few, 1)).toBe(24 * MB)
    expect(many.held.take('one', MB)).not.toBeNull()
    Array.from({ length: 100 }, (_, agent) => take(100, () => many.held.take(`agent-${agent}`, 1)))
    expect(take(100, () => few.held.take('one', 1))).toHaveLength(64)
  })

  it('goes back to those who stay when a tenant leaves', () => {
    const shares = createLlmShares()
    const [stays, goes] = [shares.join(), shares.join()]
    const before = takeAll(stays).length
    goes.leave()
    goes.leave()
    expect(before + takeAll(stays).length).toBeGreaterThan(4_000)
    shares.join()
    expect(stays.inFlight.take('late')).toBeNull()
  })
})
