import { describe, expect, it } from 'vitest'
import { createTenantBuckets } from './tenant-pace.ts'

const PACE = { perSecond: 10, burst: 10 }

describe('the pace of a tenant’s agents', () => {
  it('is bounded over all of them while there are other tenants, however many they are', () => {
    let now = 0
    const many = createTenantBuckets(
      PACE,
      () => true,
      () => now,
    )
    for (let agent = 0; agent < 4; agent++) expect(many.take(`agent-${agent}`, 10)).toBe(0)
    expect(many.isOverdrawn('late')).toBe(false)
    expect(many.take('late', 10)).toBe(250)
    expect(many.isOverdrawn('another')).toBe(true)
    now = 250
    expect(many.isOverdrawn('another')).toBe(false)
  })

  it('is each agent’s alone where there is no other tenant, and leaves no debt for when there is', () => {
    let isShared = false
    const only = createTenantBuckets(
      PACE,
      () => isShared,
      () => 0,
    )
    for (let agent = 0; agent < 100; agent++) expect(only.take(`agent-${agent}`, 10)).toBe(0)
    expect(only.take('agent-1', 10)).toBe(1_000)
    expect(only.isOverdrawn('agent-2')).toBe(false)
    isShared = true
    expect(only.isOverdrawn('agent-2')).toBe(false)
  })
})
