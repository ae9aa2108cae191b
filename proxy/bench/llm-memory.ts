import { askStreams } from './llm-streams.ts'
import { REQUEST } from './llm-targets.ts'
import { startPeer } from './peers.ts'
import { type BenchDaemon, printGoal, residentMib } from './support.ts'
import { runWrk } from './wrk.ts'

const SAMPLE_MS = 1_000
const LOAD_SECONDS = 10
const GOAL_MIB = 200
/** What grows by less in a minute is the collector's play, not a leak that a day would show. */
const FLAT_MIB_PER_MINUTE = 1

/** Resident memory of the daemon while 32 connections ask without a pause and 100 streams run in between. */
export async function benchLlmMemory(setting: {
  readonly folder: string
  readonly daemon: BenchDaemon
  readonly minutes: number
}): Promise<void> {
  const { folder, daemon, minutes } = setting
  const idleMib = residentMib(daemon.pid)
  const samples: { readonly minute: number; readonly mib: number }[] = []
  const began = performance.now()
  const minute = (): number => (performance.now() - began) / 60_000
  const sampling = setInterval(
    () => samples.push({ minute: minute(), mib: residentMib(daemon.pid) }),
    SAMPLE_MS,
  )
  const client = startPeer(new URL('llm-peers.ts', import.meta.url), 'client')
  let requests = 0
  let events = 0
  try {
    const headers = { authorization: `Bearer ${daemon.token}`, 'content-type': 'application/json' }
    while (minute() < minutes) {
      const load = await runWrk(folder, {
        url: `${daemon.url}/llm/bench/v1/chat/completions`,
        headers,
        body: REQUEST,
        connections: 32,
        seconds: LOAD_SECONDS,
      })
      requests += load.requests
      const url = `${daemon.url}/llm/bench-streams/v1/chat/completions`
      events += (await askStreams(client, { url, token: daemon.token }, 0)).events
    }
  } finally {
    clearInterval(sampling)
    await client.stop()
  }
  report({ idleMib, samples, minutes, requests, events })
}

function report(run: {
  readonly idleMib: number
  readonly samples: readonly { readonly minute: number; readonly mib: number }[]
  readonly minutes: number
  readonly requests: number
  readonly events: number
}): void {
  const { samples, minutes } = run
  // Until then code is compiled and the young generation grows to its size.
  const steady = samples.filter(({ minute }) => minute >= minutes / 4)
  const mib = (at: number): string => (samples.at(at)?.mib ?? Number.NaN).toFixed(1)
  const highest = Math.max(...samples.map((sample) => sample.mib))
  const slope = slopeOf(steady.map(({ minute, mib }) => [minute, mib]))
  console.log(
    `\nresident memory of the daemon over ${minutes} min: ${run.requests} requests on 32 connections, ${run.events} events in streams`,
  )
  console.log(
    `idle ${run.idleMib.toFixed(1)} MiB, start ${mib(0)} MiB, end ${mib(-1)} MiB, from the last three quarters: slope ${slope.toFixed(2)} MiB a minute`,
  )
  printGoal(`highest: ${highest.toFixed(1)} MiB`, `at most ${GOAL_MIB} MiB`, highest <= GOAL_MIB)
  printGoal(
    `slope: ${slope.toFixed(2)} MiB a minute`,
    `less than ${FLAT_MIB_PER_MINUTE}`,
    slope < FLAT_MIB_PER_MINUTE,
  )
}

/** Of the line that is nearest to the points by least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const along = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  return points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / along
}
