import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { adminSocketPath } from '../src/kernel/index.ts'
import { CHROMIUM_ARGS, chromiumBinary, PHONE, withoutChromium } from '../test/support/chromium.ts'
import { buildConsole } from '../test/support/console-build.ts'
import { adminCall } from '../test/support/daemon-kit.ts'
import { benchConsoleSize } from './console-size.ts'
import { type BenchDaemon, percentile, printGoal, startBenchDaemon } from './support.ts'

const CARD_GOAL_MS = 1_000
const INTERACTIVE_GOAL_MS = 300
/** What the Long Tasks API calls long. */
const LONG_MS = 50
const WAITING = 200

/** The console in a real Chromium on a phone's screen: how soon a card is there, how soon it can be used, whether it scrolls. */
export async function benchConsolePage(setting: {
  readonly cards: number
  readonly loads: number
}): Promise<void> {
  buildConsole()
  await benchConsoleSize()
  const missing = withoutChromium()
  if (missing !== undefined) return console.log(`not measured in a browser: ${missing}`)
  await using daemon = await startBenchDaemon({
    ...{ OAUTH3_SANDBOX: 'embedded', OAUTH3_POOL_SIZE: '0', OAUTH3_MAX_WAITING: String(WAITING + 1) },
  })
  const browser = await chromium.launch({ executablePath: chromiumBinary() ?? '', args: CHROMIUM_ARGS })
  try {
    const page = await (await browser.newContext(PHONE)).newPage()
    await page.goto(await linkOf(daemon))
    await page.locator('.connection.live').waitFor()

    const cards: number[] = []
    for (let at = 0; at < setting.cards; at++) cards.push(await cardMs(daemon, page, `card-${at}`))
    printFigures('a card is seen after its POST', cards, CARD_GOAL_MS)

    for (let at = 0; at < WAITING; at++) await ask(daemon, `waits-${at}`)
    await page
      .locator('[data-request]')
      .nth(WAITING - 1)
      .waitFor({ state: 'attached' })
    const long = await longestTaskOfScroll(browser, page)
    printGoal(
      `${WAITING} cards are scrolled: longest task ${long.wallMs.toFixed(0)} ms, ${long.cpuMs.toFixed(0)} ms of processor time`,
      `at most ${LONG_MS}`,
      long.wallMs <= LONG_MS,
    )
    await denyAll(daemon)
    await ask(daemon, 'interactive')
    const loads: number[] = []
    for (let at = 0; at < setting.loads; at++) loads.push(await interactiveMs(page))
    printFigures('a page takes a first answer after it is opened', loads, INTERACTIVE_GOAL_MS)
  } finally {
    await browser.close()
  }
}

function printFigures(what: string, samples: readonly number[], most: number): void {
  const [p50, p95] = [percentile(samples, 0.5), percentile(samples, 0.95)]
  const figures = `p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms of ${samples.length}`
  printGoal(`${what}: ${figures}`, `p95 at most ${most}`, p95 <= most)
}

async function admin(daemon: BenchDaemon, method: string, path: string, body?: object) {
  const answer = await adminCall(adminSocketPath(join(daemon.folder, 'proxy.db')), method, path, body)
  if (answer.status >= 300) throw new Error(`${method} ${path} answered ${JSON.stringify(answer.body)}`)
  return answer.body
}

const linkOf = async (daemon: BenchDaemon): Promise<string> =>
  (await admin(daemon, 'POST', '/v1/console/link')).url

async function ask(daemon: BenchDaemon, skill: string): Promise<string> {
  const response = await fetch(`${daemon.url}/execute`, {
    method: 'POST',
    headers: { authorization: `Bearer ${daemon.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      skill_id: skill,
      code: `const answer = await fetch('https://api.example.com/v1/${skill}')\nconsole.log(answer.status)\n`,
      metadata: { description: 'Asks how things are', network: ['api.example.com'] },
    }),
  })
  if (response.status !== 202) throw new Error(`a request was answered with ${response.status}`)
  return ((await response.json()) as { request_id: string }).request_id
}

async function deny(daemon: BenchDaemon, id: string): Promise<void> {
  const { consent_hash } = await admin(daemon, 'GET', `/v1/approvals/${id}`)
  await admin(daemon, 'POST', `/v1/approvals/${id}/decision`, { choice: 'deny', consent_hash })
}

async function denyAll(daemon: BenchDaemon): Promise<void> {
  const { approvals } = await admin(daemon, 'GET', '/v1/approvals')
  for (const { id } of approvals as { id: string }[]) await deny(daemon, id)
}

/** Until it can be answered, not just until its name is there. */
async function cardMs(daemon: BenchDaemon, page: Page, skill: string): Promise<number> {
  const card = page.locator(`article[aria-label^="${skill}, asked by"]`)
  const began = performance.now()
  const seen = card.getByRole('button', { name: 'Run Once' }).waitFor()
  const id = await ask(daemon, skill)
  await seen
  const took = performance.now() - began
  await deny(daemon, id)
  await card.waitFor({ state: 'detached' })
  return took
}

/** By the page's own clock, from the start of the navigation to a button that takes an answer. */
async function interactiveMs(page: Page): Promise<number> {
  await page.reload({ waitUntil: 'commit' })
  await page.locator('.card .primary:not([disabled])').first().waitFor()
  return page.evaluate<number>('performance.now()')
}

interface TraceEvent {
  readonly name: string
  readonly tid: number
  /** Of the clock and of the thread's processor time, in µs. */
  readonly dur?: number
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/** The longest task of the page's main thread: by the clock, and of it the processor time, which a busy machine does not stretch. */
async function longestTaskOfScroll(browser: Browser, page: Page): Promise<{ wallMs: number; cpuMs: number }> {
  await page.evaluate('new Promise((done) => setTimeout(done, 1000))')
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] })
  for (let at = 0; at < 60; at++)
    await page.evaluate('new Promise((done) => { scrollBy(0, 900); requestAnimationFrame(() => done()) })')
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
