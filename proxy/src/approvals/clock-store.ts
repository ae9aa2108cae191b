import type { TenantId } from '../kernel/index.ts'
import { createMetaStore, type Queries } from '../storage/index.ts'
import type { ClockStore } from './clock-guard.ts'

/** Versions before kept one mark for code and one for providers; the later of them counts, and both are written. */
const CLOCK_MARKS = ['clock_high_water', 'provider_clock_high_water'] as const

export function createClockStore(queries: Queries, tenant: TenantId): ClockStore {
  const meta = createMetaStore(queries, tenant)
  return {
    async highWater() {
      let latest = 0
      for (const mark of CLOCK_MARKS) latest = Math.max(latest, Number((await meta.get(mark)) ?? 0))
      return latest
    },
    async setHighWater(to) {
      for (const mark of CLOCK_MARKS) await meta.set(mark, String(to))
    },
  }
}
