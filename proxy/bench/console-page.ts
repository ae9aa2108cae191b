import { chromium, type Page } from 'playwright-core'
import { CHROMIUM_ARGS, chromiumBinary, PHONE, withoutChromium } from '../test/support/chromium.ts'
import { buildConsole } from '../test/support/console-build.ts'
import { admin, longestTask, printFigures, printLongest, scrollDown, signIn } from './console-browser.ts'
import { benchConsoleSize } from './console-size.ts'
import { type BenchDaemon, startBenchDaemon } from './support.ts'

const CARD_GOAL_MS = 1_000
const INTERACTIVE_GOAL_MS = 300
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
    await signIn(daemon, page)

    const cards: number[] = []
    for (let at = 0; at < setting.cards; at++) cards.push(await cardMs(daemon, page, `card-${at}`))
    printFigures('a card is seen after its POST', cards, CARD_GOAL_MS)

    for (let at = 0; at < WAITING; at++) await ask(daemon, `waits-${at}`)
    await page
      .locator('[data-request]')
      .nth(WAITING - 1)
      .waitFor({ state: 'attached' })
    const long = await longestTask(browser, page, () => scrollDown(page))
    printLongest(`${WAITING} cards are scrolled`, long)
    await denyAll(daemon)
    await ask(daemon, 'interactive')
    const loads: number[] = []
    for (let at = 0; at < setting.loads; at++) loads.push(await interactiveMs(page))
    printFigures('a page takes a first answer after it is opened', loads, INTERACTIVE_GOAL_MS)
  } finally {
    await browser.close()
  }
}

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
