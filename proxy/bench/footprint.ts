import { capture, pause, percentile, residentMib, startBenchDaemon, timed } from './support.ts'

/** Idle memory and start-up time of the daemon, beside an empty Node process (baseline). */
export async function benchFootprint(rounds: number): Promise<void> {
  const startups: number[] = []
  const baseline: number[] = []
  const resident: number[] = []
  for (let round = 0; round < rounds; round++) {
    baseline.push(await timed(() => capture(process.execPath, ['-e', '0'])))
    await using daemon = await startBenchDaemon({ OAUTH3_SANDBOX: 'embedded' })
    startups.push(daemon.startupMs)
    await pause(3_000)
    resident.push(residentMib(daemon.pid))
  }
  const p50 = (values: number[]): string => percentile(values, 0.5).toFixed(0)
  console.log(
    `\nstart-up to the first /health: p50 ${p50(startups)} ms; an empty node process ${p50(baseline)} ms; ratio ${(percentile(startups, 0.5) / percentile(baseline, 0.5)).toFixed(1)}×`,
  )
  console.log(`idle resident memory: p50 ${p50(resident)} MiB`)
}
