import { claimsOf, type LargeInspections } from '../../src/egress/index.ts'

/** Without threads: for gateways whose tests are about something else. */
export const INSPECTED_AT_ONCE: LargeInspections = {
  inspect: async (_owner, inspection, body) => claimsOf(inspection, body),
}
