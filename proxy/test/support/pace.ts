/** By how much longer than usual this machine takes, as measured before the run (scripts/machine-pace.ts). */
const PACE = Math.max(1, Number(process.env.TEST_PACE) || 1)

/** A limit for what should have happened long before; it says that something hangs, not how fast it is. */
export const patience = (ms: number): number => Math.round(ms * PACE)

/** Milliseconds of processor that this process spends on `work`: what others do on the machine counts little. For guards against what takes minutes. */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}
