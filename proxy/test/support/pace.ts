/** By how much longer than usual this machine takes, as measured before the run (scripts/machine-pace.ts). */
const PACE = Math.max(1, Number(process.env.TEST_PACE) || 1)

/** A limit for what should have happened long before; it says that something hangs, not how fast it is. */
export const patience = (ms: number): number => Math.round(ms * PACE)
