import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { adminSocketPath } from '../src/kernel/index.ts'
import { type BenchDaemon, pause, percentile, printGoal, residentMib, startBenchDaemon } from './support.ts'

const GOAL_MIB = 60
const GOAL_IDLE_PERCENT = 5
const GOAL_MS_AN_EVENT = 1
const ROUNDS = 5
/** A session follows in so many tabs at most. */
const TABS = 10
/** As a run tells of itself: events come in bursts. */
const AT_ONCE = 10
/** Of /proc/PID/stat on Linux (USER_HZ). */
const TICKS_A_SECOND = 100

/**
 * What open consoles cost the daemon: memory, processor time at rest, and processor time for each event. An event here is a secret
 * that is stored; what storing it takes is measured without a console, and subtracted.
 */
export async function benchConsole(setting: {
  readonly consoles: number
  readonly idleSeconds: number
  readonly events: number
}): Promise<void> {
  const { consoles, idleSeconds, events } = setting
  await using daemon = await startBenchDaemon({ OAUTH3_SANDBOX: 'embedded', OAUTH3_POOL_SIZE: '0' })
  const first = await signIn(daemon)
  // What is compiled at first use is compiled, and the young generation has grown.
  await storeSecrets(daemon, first, events)
  const one = await follow(daemon, first)
  await storeSecrets(daemon, first, events)
  one.destroy()
  await pause(1_000)
  const idleAlone = await processorMs(daemon, () => pause(idleSeconds * 1_000))
  const before = residentMib(daemon.pid)

  const cookies = [first]
  while (cookies.length * TABS < consoles) cookies.push(await signIn(daemon))
  const openAll = async (): Promise<IncomingMessage[]> => {
    const opened: IncomingMessage[] = []
    for (let at = 0; at < consoles; at++)
      opened.push(await follow(daemon, cookies[Math.floor(at / TABS)] ?? first))
    await pause(2_000)
    return opened
  }
  let opened = await openAll()
  const idle = await processorMs(daemon, () => pause(idleSeconds * 1_000))
  // Interleaved, so that a drift of the machine meets both.
  const each: number[] = []
  let mib = Number.NaN
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) opened = await openAll()
    const followed = await processorMs(daemon, () => storeSecrets(daemon, first, events))
    if (round === 0) mib = residentMib(daemon.pid) - before
    for (const response of opened) response.destroy()
    await pause(2_000)
    const alone = await processorMs(daemon, () => storeSecrets(daemon, first, events))
    each.push((followed - alone) / events)
  }

  const percent = (ms: number): number => ms / (idleSeconds * 10)
  const middle = percentile(each, 0.5)
  console.log(`${consoles} consoles, ${events} events in bursts of ${AT_ONCE}, ${idleSeconds} s at rest`)
  printGoal(`memory: ${mib.toFixed(1)} MiB more`, `at most ${GOAL_MIB}`, mib <= GOAL_MIB)
  printGoal(
    `at rest: ${percent(idle).toFixed(2)} % of a core, without consoles ${percent(idleAlone).toFixed(2)} %`,
    `at most ${GOAL_IDLE_PERCENT}`,
    percent(idle) <= GOAL_IDLE_PERCENT,
  )
  printGoal(
    `an event: ${middle.toFixed(2)} ms for all consoles together, ${((middle * 1_000) / consoles).toFixed(2)} µs for each (median of ${ROUNDS}; ${Math.min(...each).toFixed(2)} to ${Math.max(...each).toFixed(2)})`,
    `at most ${GOAL_MS_AN_EVENT} ms for all`,
    middle <= GOAL_MS_AN_EVENT,
  )
}

/** User and system time of the process during `work`. */
async function processorMs({ pid }: BenchDaemon, work: () => Promise<unknown>): Promise<number> {
  const used = (): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_A_SECOND
  }
  const before = used()
  await work()
  return used() - before
}

function open(
  options: { readonly socketPath: string } | { readonly port: string },
  [method, path]: readonly [string, string],
  headers: Record<string, string> = {},
  body?: object,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(
      {
        ...{ ...options, method, path, agent: false },
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      },
      resolve,
    )
      .once('error', reject)
      .end(body && JSON.stringify(body))
  })
}

const portOf = ({ url }: BenchDaemon): { readonly port: string } => ({ port: new URL(url).port })

/** As the console's own page. */
const asPage = (daemon: BenchDaemon, cookie?: string): Record<string, string> => ({
  host: `localhost:${portOf(daemon).port}`,
  origin: `http://localhost:${portOf(daemon).port}`,
  ...(cookie !== undefined && { cookie }),
})

async function signIn(daemon: BenchDaemon): Promise<string> {
  const socketPath = adminSocketPath(join(daemon.folder, 'proxy.db'))
  const link = await open({ socketPath }, ['POST', '/v1/console/link'])
  const { url } = JSON.parse(await text(link)) as { url: string }
  const code = new URL(url).hash.replace('#code=', '')
  const answer = await open(portOf(daemon), ['POST', '/console/api/session/code'], asPage(daemon), { code })
  answer.resume()
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

async function follow(daemon: BenchDaemon, cookie: string): Promise<IncomingMessage> {
  const response = await open(portOf(daemon), ['GET', '/console/api/events'], asPage(daemon, cookie))
  if (response.statusCode !== 200) throw new Error(`the events were refused with ${response.statusCode}`)
  response.on('error', () => {})
  return response.resume()
}

async function storeSecrets(daemon: BenchDaemon, cookie: string, count: number): Promise<void> {
  const store = async (): Promise<void> => {
    const response = await open(
      portOf(daemon),
      ['PUT', '/console/api/v1/secrets/BENCH_KEY'],
      asPage(daemon, cookie),
      { value: 'demo-value', hosts: ['api.example.com'] },
    )
    if (response.statusCode !== 200) throw new Error(`a secret was refused: ${await text(response)}`)
    response.resume()
  }
  for (let made = 0; made < count; made += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, store))
}
