import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type CDPSession,
  chromium,
  type Page,
} from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest'
import { CHROMIUM_ARGS, chromiumBinary, withoutChromium } from './chromium.ts'
import { linkOf } from './console-kit.ts'
import { createDaemonKit, type DaemonKit, type DaemonKitOptions } from './daemon-kit.ts'
import { createScriptedSandbox, printing } from './domain-kit.ts'
import { freePort } from './free-port.ts'
import { patience } from './pace.ts'

export { DESKTOP, PHONE } from './chromium.ts'

/** The console in a real browser, before a whole daemon. */
export interface BrowserKit {
  readonly daemon: DaemonKit
  /** `http://localhost:PORT/console/`. */
  readonly url: string
  /** A browser of its own: cookies, storage, size, colours. It is closed behind the test: a page that is left open follows every event. */
  person(options?: BrowserContextOptions): Promise<Person>
}

export interface Person {
  readonly context: BrowserContext
  readonly page: Page
  /** What the page wrote to its console as errors, and what it threw. */
  readonly defects: readonly string[]
  /** By a link of `oauth3 console`, and on to a page of the console. */
  signIn(path?: string): Promise<void>
}

const missing = withoutChromium()

/** One for all suites of a file. */
let started: Promise<Browser> | undefined
const browserOfFile = (): Promise<Browser> => {
  started ??= chromium.launch({ executablePath: chromiumBinary() ?? '', args: CHROMIUM_ARGS })
  return started
}
afterAll(async () => {
  await (await started)?.close()
})

/** A suite with one daemon and the browser of its file, whose runs are played by the test; skipped with the reason where no browser is. */
export function describeInBrowser(
  name: string,
  suite: (kit: BrowserKit) => void,
  options: DaemonKitOptions = {},
): void {
  describe.skipIf(missing !== undefined)(missing === undefined ? name : `${name} [${missing}]`, () => {
    let browser: Browser
    let daemon: DaemonKit
    let port = 0
    const contexts: BrowserContext[] = []

    beforeAll(async () => {
      // A daemon that is started again is to be found where it was.
      port = await freePort()
      const sandbox = async () => createScriptedSandbox(printing('done\n'))
      const environment = { PORT: String(port), ...options.environment }
      ;[browser, daemon] = await Promise.all([
        browserOfFile(),
        createDaemonKit({ sandbox, ...options, environment }),
      ])
    }, patience(60_000))
    afterEach(async () => {
      await Promise.all(contexts.splice(0).map((context) => context.close()))
    })
    afterAll(async () => {
      await daemon?.[Symbol.asyncDispose]()
    })

    suite({
      get daemon() {
        return daemon
      },
      get url() {
        return `http://localhost:${port}/console/`
      },
      async person(of) {
        const context = await browser.newContext(of)
        contexts.push(context)
        context.setDefaultTimeout(patience(15_000))
        const page = await context.newPage()
        const defects: string[] = []
        page.on('pageerror', (error) => defects.push(String(error)))
        page.on('console', (message) => {
          // A refusal is told by the page; that it was one is no defect of the page.
          if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
            defects.push(message.text())
        })
        return {
          ...{ context, page, defects },
          async signIn(path = '/') {
            const { hash } = new URL(await linkOf(daemon))
            await page.goto(`http://localhost:${port}/console${path}${hash}`)
            await page.locator('.connection.live').waitFor()
          },
        }
      },
    })
  })
}

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** No finding of axe-core that is serious or critical, of WCAG 2.2 AA and what it calls best practice. */
export async function expectAccessible(page: Page, rules?: readonly string[]): Promise<void> {
  // As the debugger, since the page's policy lets no script in.
  const debuggerOf = await page.context().newCDPSession(page)
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result, exceptionDetails } = await debuggerOf.send('Runtime.evaluate', {
      ...{ expression, awaitPromise: true, returnByValue: true, allowUnsafeEvalBlockedByCSP: true },
    })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }
  await evaluate(`${readFileSync(AXE, 'utf8')};0`)
  const found = await evaluate(
    `axe.run(${JSON.stringify(rules === undefined ? {} : { runOnly: [...rules] })}).then(({ violations }) => violations
       .filter(({ impact }) => impact === 'serious' || impact === 'critical')
       .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary).join(' | ')))`,
  )
  await debuggerOf.detach()
  expect(found).toEqual([])
}

/** In the light and in the dark, whose elements are the same: there only what depends on colours is looked at again. */
export async function expectAccessibleInBothThemes(page: Page): Promise<void> {
  await expectAccessible(page)
  await inTheme(page, 'dark')
  await expectAccessible(page, ['color-contrast', 'link-in-text-block'])
  await inTheme(page, 'light')
}

/** Colours change in a moment of their own, which is cut short. */
async function inTheme(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme })
  await page.evaluate(`(() => {
    getComputedStyle(document.body).color
    for (const one of document.getAnimations())
      if (Number.isFinite(one.effect.getComputedTiming().endTime)) one.finish()
  })()`)
}

/** Nothing is wider than the screen. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  expect(
    await page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    ),
  ).toBeLessThanOrEqual(0)
}

/** An authenticator with user verification and resident keys, whose person always agrees (WebAuthn domain of CDP). */
export async function addAuthenticator(page: Page): Promise<{ session: CDPSession; id: string }> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return { session, id: authenticatorId }
}

/** On the page of passkeys. */
export async function addPasskey(page: Page, name: string): Promise<void> {
  await page.locator('summary', { hasText: 'Add a passkey' }).click()
  await page.getByLabel('A name for it').fill(name)
  await page.getByRole('button', { name: 'Add it' }).click()
}
