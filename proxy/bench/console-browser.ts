import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { adminSocketPath } from '../src/kernel/index.ts'
import { adminCall } from '../test/support/daemon-kit.ts'
import { type BenchDaemon, percentile, printGoal } from './support.ts'

/** What benchmarks of the console in a real Chromium share. */

export async function admin(daemon: BenchDaemon, method: string, path: string, body?: object) {
  const answer = await adminCall(adminSocketPath(join(daemon.folder, 'proxy.db')), method, path, body)
  if (answer.status >= 300) throw new Error(`${method} ${path} answered ${JSON.stringify(answer.body)}`)
  return answer.body
}

export async function signIn(daemon: BenchDaemon, page: Page): Promise<void> {
  const { url } = await admin(daemon, 'POST', '/v1/console/link')
  await page.goto(url)
  await page.locator('.connection.live').waitFor()
}

export function printFigures(what: string, samples: readonly number[], most: number): void {
  const [p50, p95] = [percentile(samples, 0.5), percentile(samples, 0.95)]
  const figures = `p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms of ${samples.length}`
  printGoal(`${what}: ${figures}`, `p95 at most ${most}`, p95 <= most)
}

/** What the Long Tasks API calls long, in milliseconds. */
export const LONG_MS = 50

interface LongestTask {
  readonly wallMs: number
  readonly cpuMs: number
}

export const printLongest = (what: string, { wallMs, cpuMs }: LongestTask): void =>
  printGoal(
    `${what}: longest task ${wallMs.toFixed(0)} ms, ${cpuMs.toFixed(0)} ms of processor time`,
    `at most ${LONG_MS}`,
    wallMs <= LONG_MS,
  )

interface TraceEvent {
  readonly name: string
  readonly tid: number
  /** Of the clock and of the thread's processor time, in µs. */
  readonly dur?: number
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/** The longest task of the page's main thread: by the clock, and of it the processor time, which a busy machine does not stretch. */
export async function longestTask(
  browser: Browser,
  page: Page,
  during: () => Promise<unknown>,
): Promise<LongestTask> {
  await page.evaluate('new Promise((done) => setTimeout(done, 1000))')
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] })
  await during()
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[]
  }
  const main = new Set(
    traceEvents.filter(({ args }) => args?.name === 'CrRendererMain').map(({ tid }) => tid),
  )
  const tasks = traceEvents.filter(({ name, tid }) => /RunTask$/.test(name) && main.has(tid))
  if (tasks.length === 0) throw new Error('the trace has no tasks of the page')
  const most = (of: (event: TraceEvent) => number | undefined): number =>
    Math.max(...tasks.map((task) => of(task) ?? 0)) / 1_000
  return { wallMs: most(({ dur }) => dur), cpuMs: most(({ tdur }) => tdur) }
}

/** Sixty screens down, one a frame. */
export const scrollDown = async (page: Page): Promise<void> => {
  for (let at = 0; at < 60; at++)
    await page.evaluate('new Promise((done) => { scrollBy(0, 900); requestAnimationFrame(() => done()) })')
}
