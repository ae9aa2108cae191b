import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { compose } from '../src/compose/compose.ts'
import { readConfig } from '../src/config/index.ts'
import { CHROMIUM_ARGS, chromiumBinary, DESKTOP, withoutChromium } from '../test/support/chromium.ts'
import { buildConsole } from '../test/support/console-build.ts'
import { longestTask, printFigures, printLongest, scrollDown, signIn } from './console-browser.ts'
import { fillHistory } from './history-fill.ts'
import { percentile, printGoal, startBenchDaemon } from './support.ts'

const FIRST_PAGE_GOAL_MS = 200
const OPENED_GOAL_MS = 500
const FILTER_GOAL_MS = 300
const HEAP_GOAL_MIB = 64
const ROWS_AN_EXECUTION = 5
/** Of the filled history: an hour in its middle begins here. */
const FIRST_AT = 1_790_000_000_000

type Filter = Readonly<Record<string, string>>

interface Measured {
  /** From its address, with the console itself. */
  readonly opened: readonly number[]
  readonly first: readonly number[]
  readonly filters: ReadonlyMap<string, readonly number[]>
  readonly older: readonly number[]
  readonly longest: ReadonlyMap<string, Awaited<ReturnType<typeof longestTask>>>
  readonly heapMib: number
}

/** The console's page of the audit in a real Chromium, before a long audit and beside it before a short one. */
export async function benchAuditPage(setting: {
  readonly executions: number
  readonly loads: number
  readonly pages: number
}): Promise<void> {
  const missing = withoutChromium()
  if (missing !== undefined) return console.log(`not measured in a browser: ${missing}`)
  buildConsole()
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-bench-audit-'))
  const browser = await chromium.launch({ executablePath: chromiumBinary() ?? '', args: CHROMIUM_ARGS })
  try {
    for (const [name, executions] of [
      ['baseline', Math.ceil((setting.pages * 110) / ROWS_AN_EXECUTION)],
      ['oauth3', setting.executions],
    ] as const) {
      const own = join(folder, name)
      mkdirSync(own)
      console.log(`${name}: ${executions * ROWS_AN_EXECUTION} audit rows`)
      print(await measure(browser, own, executions, setting))
      rmSync(own, { recursive: true, force: true })
    }
  } finally {
    await browser.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(
  browser: Browser,
  folder: string,
  executions: number,
  { loads, pages }: { readonly loads: number; readonly pages: number },
): Promise<Measured> {
  const start = () =>
    startBenchDaemon(
      { OAUTH3_SANDBOX: 'embedded', OAUTH3_POOL_SIZE: '0', OAUTH3_RETAIN_EXECUTIONS_DAYS: '0' },
      folder,
    )
  const made = await start()
  await made.stop()
  await fillHistory(folder, executions)
  await indexAudit(folder)
  await using daemon = await start()
  const page = await (await browser.newContext(DESKTOP)).newPage()
  await signIn(daemon, page)
  const address = `${new URL(page.url()).origin}/console/audit`

  const first: number[] = []
  const opened: number[] = []
  for (let at = 0; at < loads; at++) {
    await page.goto(address, { waitUntil: 'commit' })
    opened.push(await page.evaluate<number>(untilRows(100)))
    first.push(await firstPageMs(page))
  }
  const filters = new Map<string, number[]>()
  for (const filter of filtersOf(executions)) {
    const took: number[] = []
    for (let at = 0; at < loads; at++) took.push(await filterMs(page, filter))
    filters.set(new URLSearchParams(filter).toString(), took)
  }
  const longest = new Map<string, Awaited<ReturnType<typeof longestTask>>>()
  const during = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    longest.set(what, await longestTask(browser, page, work))
  }
  await during('filtered', () => filterMs(page, { event: 'execution' }))
  await page.goto(address, { waitUntil: 'commit' })
  await page.evaluate(untilRows(100))
  const older: number[] = []
  await during(`${pages} pages are opened`, async () => {
    for (let at = 2; at <= pages; at++) older.push(await olderMs(page, at * 100))
  })
  await during('scrolled', async () => {
    await page.evaluate('scrollTo(0, 0)')
    await scrollDown(page)
  })
  await during('5 s at rest', () => page.evaluate('new Promise((done) => setTimeout(done, 5000))'))
  await during('an event comes in', async () => {
    await daemon.cli(['agent', 'add', 'comes-in', '--json'])
    await page.evaluate(
      untilShown("document.querySelector('.audit')?.firstChild.textContent.includes('comes-in')"),
    )
  })
  const heapMib = await heapOf(page)
  await page.context().close()
  return { opened, first, filters, older, longest, heapMib }
}

/** Common and rare ones, one that fits nothing, and two that fit many blocks of the index and few of the same. */
const filtersOf = (executions: number): readonly Filter[] => {
  const middle = FIRST_AT + (executions / 2) * 10
  const at = (ms: number): string => new Date(ms).toISOString().slice(0, 16)
  return [
    { event: 'execution' },
    { secret: 'STRIPE_KEY' },
    { host: 'api.stripe.com', event: 'execution.started' },
    { event: 'agent.added' },
    { secret: 'STRIPE_KEY', event: 'agent' },
    { secret: 'NO_SUCH_KEY' },
    { since: at(middle), until: at(middle + 3_600_000) },
  ]
}

/** The index that the daemon makes in the background, a little each second. */
async function indexAudit(folder: string): Promise<void> {
  const config = readConfig({
    DB_PATH: join(folder, 'proxy.db'),
    LOG_LEVEL: 'warn',
    OAUTH3_SANDBOX: 'embedded',
    OAUTH3_POOL_SIZE: '0',
  })
  await using parts = await compose(config)
  for (let before = -1; ; ) {
    await parts.auditIndexer.tick()
    const covered = await parts.storage.read((tx) => tx.audit.indexedUpTo())
    if (covered === before) return
    before = covered
  }
}

/** In the page, by its clock: until the rows are painted. */
const untilShown = (condition: string, since = '0'): string => `new Promise((done) => {
  const since = ${since}
  const look = () => ${condition}
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - since)))
    : requestAnimationFrame(look)
  look()
})`

const untilRows = (rows: number): string =>
  untilShown(`document.querySelectorAll('.audit > li').length >= ${rows}`)

/** From the press on Search on the unfiltered page. */
async function filterMs(page: Page, filter: Filter): Promise<number> {
  const { pathname } = new URL(page.url())
  await page.goto(`${new URL(page.url()).origin}${pathname}`, { waitUntil: 'commit' })
  await page.evaluate(untilRows(20))
  for (const [name, value] of Object.entries(filter)) await page.locator(`[name="${name}"]`).fill(value)
  return page.evaluate<number>(`(() => {
    const newest = () => document.querySelector('.audit')?.firstChild?.textContent
    const shown = newest()
    const began = performance.now()
    document.querySelector('.filters [type="submit"]').click()
    return ${untilShown(
      "document.querySelector('main')?.textContent.includes('Nothing fits.') || (newest() ?? shown) !== shown",
      'began',
    )}
  })()`)
}

const olderMs = (page: Page, rows: number): Promise<number> =>
  page.evaluate<number>(`(() => {
    const began = performance.now()
    ;[...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Older').click()
    return ${untilShown(`document.querySelectorAll('.audit > li').length >= ${rows}`, 'began')}
  })()`)

/** From a press on its link, on another page of the console. */
async function firstPageMs(page: Page): Promise<number> {
  await page.locator('a[href="/console/history"]').first().click()
  await page.locator('h1', { hasText: 'History' }).waitFor()
  return page.evaluate<number>(`(() => {
    const began = performance.now()
    document.querySelector('a[href="/console/audit"]').click()
    return ${untilShown("document.querySelectorAll('.audit > li').length >= 100", 'began')}
  })()`)
}

async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  await session.send('Performance.enable')
  const { metrics } = await session.send('Performance.getMetrics')
  return (metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? Number.NaN) / 1_048_576
}

function print({ opened, first, filters, older, longest, heapMib }: Measured): void {
  printFigures('  first page, from its link to its rows', first, FIRST_PAGE_GOAL_MS)
  printFigures('  first page with the console itself', opened, OPENED_GOAL_MS)
  for (const [filter, took] of filters) printFigures(`  filter ${filter}`, took, FILTER_GOAL_MS)
  printFigures('  a page further back', older, FILTER_GOAL_MS)
  console.log(`  the last of them: ${percentile(older.slice(-5), 0.5).toFixed(0)} ms`)
  for (const [what, task] of longest) printLongest(`  ${what}`, task)
  printGoal(
    `  heap of the page: ${heapMib.toFixed(1)} MiB`,
    `at most ${HEAP_GOAL_MIB}`,
    heapMib <= HEAP_GOAL_MIB,
  )
}
