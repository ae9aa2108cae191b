import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture } from './support.ts'

/**
 * wrk as the client of the fast rounds. Two cores carry client, proxy and upstream together, so what the client takes is
 * missing from what is measured: wrk takes 12 µs of processor time for a request of these, autocannon 72.
 */
export const WRK_MISSING = 'wrk is missing; install it with `apt-get install -y --no-install-recommends wrk`.'

export const hasWrk = (): boolean => spawnSync('wrk', ['-v']).error === undefined

export interface WrkJob {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly connections: number
  readonly seconds: number
}

export interface WrkResult {
  readonly requests: number
  readonly ms: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Runs to the end of its time; throws when any answer was no success. */
export async function runWrk(folder: string, job: WrkJob): Promise<WrkResult> {
  const script = join(folder, 'wrk.lua')
  writeFileSync(script, luaScript(job))
  const output = await capture('wrk', [
    '-t1',
    `-c${job.connections}`,
    `-d${job.seconds}s`,
    '--timeout=10s',
    `-s${script}`,
    job.url,
  ])
  const line = /^RESULT (.*)$/m.exec(output)?.[1]
  if (line === undefined) throw new Error(`wrk told no result: ${output}`)
  const { requests, us, p50, p99, wrong } = JSON.parse(line) as Record<string, number>
  if (wrong !== 0 || !requests) throw new Error(`${wrong} of ${requests} requests to ${job.url} failed`)
  return { requests, ms: (us ?? 0) / 1_000, p50Ms: (p50 ?? 0) / 1_000, p99Ms: (p99 ?? 0) / 1_000 }
}

/** Strings are written as JSON's, which is Lua's form too for plain ASCII. */
const luaScript = ({ headers, body }: WrkJob): string => `
wrk.method = "POST"
wrk.body = ${JSON.stringify(body)}
${Object.entries(headers)
  .map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
  .join('\n')}
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"us":%d,"p50":%d,"p99":%d,"wrong":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
`
