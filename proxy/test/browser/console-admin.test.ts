import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  type BrowserKit,
  DESKTOP,
  describeInBrowser,
  expectAccessible,
  expectAccessibleInBothThemes,
  expectNoSidewaysScroll,
  PHONE,
} from '../support/browser.ts'
import { ENDLESS } from '../support/domain-kit.ts'
import { createRecordingLog } from '../support/recording-log.ts'

const PAGES = [
  ['/grants', 'Grants'],
  ['/secrets', 'Secrets'],
  ['/agents', 'Agents'],
  ['/providers', 'Providers'],
  ['/prices', 'Prices'],
  ['/skills', 'Skills'],
  ['/usage', 'Usage'],
  ['/audit', 'Audit'],
  ['/settings', 'Settings'],
  ['/tenants', 'Tenants'],
  ['/hosts', 'Hosted agents'],
  ['/try', 'Try a program'],
  ['/passkeys', 'Passkeys'],
  ['/more', 'More'],
] as const
const VALUE = 'demo-value-written-in-the-console'

/** All that a page holds or keeps: its text and its fields, and what the browser stores for it. */
const ALL_OF_PAGE = `JSON.stringify([document.documentElement.outerHTML,
  [...document.querySelectorAll('input,textarea')].map((field) => field.value), { ...localStorage }, { ...sessionStorage }])`

/** The narrowest phones that are in use. */
const NARROW = { ...PHONE, viewport: { width: 360, height: 640 } } as const
const { log, logged } = createRecordingLog()

const signedIn = async (kit: BrowserKit, path: string, options: object = DESKTOP) => {
  const ann = await kit.person(options)
  await ann.signIn(path)
  return ann
}

describeInBrowser(
  'the pages of the console',
  (kit) => {
    it.each([
      ['phone', NARROW],
      ['desktop', DESKTOP],
    ] as const)('are accessible in the light and in the dark, and no wider than a %s', async (_, size) => {
      const ann = await signedIn(kit, '/', { ...size, colorScheme: 'light' })
      for (const [path, title] of PAGES) {
        await ann.page.goto(`${kit.url}${path.slice(1)}`)
        await ann.page.getByRole('heading', { level: 1, name: title }).waitFor()
        await expect.poll(() => ann.page.getByText('Loading …').count()).toBe(0)
        expect(await ann.page.locator('.note.bad').count(), path).toBe(0)
        await expectAccessibleInBothThemes(ann.page)
        await expectNoSidewaysScroll(ann.page)
      }
      expect(ann.defects).toEqual([])
    })

    it('take the value of a secret, and show it nowhere', async () => {
      const ann = await signedIn(kit, '/secrets')
      const { page } = ann
      await page.getByText('Store a secret').click()
      await page.getByLabel('Name', { exact: true }).fill('CONSOLE_KEY')
      await page.getByLabel('Value').fill(VALUE)
      await page.getByLabel('Hosts that it may go to').fill('api.example.com')
      await page.getByRole('button', { name: 'Store', exact: true }).click()
      await page.getByRole('row', { name: /CONSOLE_KEY/ }).waitFor()
      expect(await page.evaluate(ALL_OF_PAGE)).not.toContain(VALUE)
      // A refusal empties the field too.
      await page.getByText('Store a secret').click()
      await page.getByLabel('Name', { exact: true }).fill('no name of a secret')
      await page.getByLabel('Value').fill(VALUE)
      await page.getByRole('button', { name: 'Store', exact: true }).click()
      await page.locator('.refusal:not(:empty)').waitFor()
      expect(await page.evaluate(ALL_OF_PAGE)).not.toContain(VALUE)
      expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('no name of a secret')
      await page
        .getByRole('row', { name: /CONSOLE_KEY/ })
        .getByRole('button', { name: 'Remove' })
        .click()
      await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
      await page.getByRole('row', { name: /CONSOLE_KEY/ }).waitFor({ state: 'detached' })
      expect(logged.length).toBeGreaterThan(0)
      expect(logged.join('')).not.toContain(VALUE)
    })

    it('take the key of a provider, by the keyboard alone, and show it nowhere', async () => {
      const { page } = await signedIn(kit, '/providers')
      const { keyboard } = page
      await page.locator('summary', { hasText: 'Store a key' }).waitFor()
      /** As far as a person would, and on to what has the name. */
      const tabTo = async (name: string): Promise<void> => {
        const there = `(() => {
        const at = document.activeElement
        return (at.labels?.[0]?.textContent ?? at.textContent ?? '').trim()
      })()`
        for (let pressed = 0; pressed < 200; pressed += 1) {
          if ((await page.evaluate<string>(there)) === name) return
          await keyboard.press('Tab')
        }
        throw new Error(`No Tab leads to ${name}.`)
      }
      await tabTo('Store a key')
      await keyboard.press('Enter')
      await tabTo('Provider')
      await keyboard.type('openai')
      await tabTo('Key')
      await keyboard.type(VALUE)
      await keyboard.press('Enter')
      const row = page.getByRole('table', { name: 'Keys of providers' }).getByRole('row', { name: /openai/ })
      await row.waitFor()
      expect(await page.evaluate(ALL_OF_PAGE)).not.toContain(VALUE)
      expect(logged.join('')).not.toContain(VALUE)
      await tabTo('Remove')
      await keyboard.press('Enter')
      await page.getByRole('dialog').waitFor()
      await tabTo('Remove')
      await keyboard.press('Enter')
      await row.waitFor({ state: 'detached' })
      expect((await kit.daemon.admin('GET', '/v1/provider-keys')).body.keys).toEqual([])
    })

    it('list a grant with what it was used for, and revoked there the next run asks', async () => {
      const program = { skill_id: 'admin/granted', code: 'console.log("granted")\n' }
      const first = (await kit.daemon.post(program)).body.request_id
      const { consent_hash } = (await kit.daemon.admin('GET', `/v1/approvals/${first}`)).body
      await kit.daemon.admin('POST', `/v1/approvals/${first}/decision`, { choice: 'forever', consent_hash })
      const second = (await kit.daemon.post(program)).body.request_id
      await expect.poll(async () => (await kit.daemon.get(`/execute/${second}`)).body.status).toBe('success')
      const { page, defects } = await signedIn(kit, '/grants', { ...NARROW, colorScheme: 'dark' })
      await page.getByRole('link', { name: 'admin/granted' }).click()
      await page.getByRole('link', { name: second }).waitFor()
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
      await page.goBack()
      await page
        .getByRole('row', { name: /admin\/granted/ })
        .getByRole('button', { name: 'Revoke' })
        .click()
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
      await page.getByRole('row', { name: /admin\/granted/ }).waitFor({ state: 'detached' })
      const third = await kit.daemon.post(program)
      expect(third.body.status).toBe('pending')
      expect(defects).toEqual([])
    })

    it('show the token of a new agent once', async () => {
      const { page } = await signedIn(kit, '/agents')
      await page.getByText('Add an agent').click()
      await page.getByLabel('Name', { exact: true }).fill('from-the-console')
      await page.getByRole('button', { name: 'Add', exact: true }).click()
      const token = (await page.locator('.note.good pre').textContent()) ?? ''
      expect(token).toMatch(/^oa3_/)
      await page.getByRole('button', { name: 'I have it' }).click()
      expect(await page.evaluate(ALL_OF_PAGE)).not.toContain(token)
      await page.reload()
      await page.getByRole('row', { name: /from-the-console/ }).waitFor()
      expect(await page.evaluate(ALL_OF_PAGE)).not.toContain(token)
    })

    it('check the chain of the audit in the browser, and point at the row that was changed', async () => {
      const { page } = await signedIn(kit, '/audit')
      await page.getByRole('button', { name: 'Check in this browser' }).click()
      await page.getByText(/This browser found [0-9,.]+ rows whole/).waitFor()
      const altered = (await (await page.request.get(`${kit.url}api/v1/audit/export`)).text())
        .split('\n')
        .map((line, at) => (at === 2 ? line.replace('"actor":"', '"actor":"x') : line))
        .join('\n')
      await page.route('**/api/v1/audit/export', (route) =>
        route.fulfill({ contentType: 'application/x-ndjson', body: altered }),
      )
      await page.getByRole('button', { name: 'Check in this browser' }).click()
      await page.getByText('Row 3 is not what it was').waitFor()
    })

    it('find events by what they are about, from the address as well', async () => {
      const { page } = await signedIn(kit, '/audit?event=session')
      await page.getByText('session.opened').first().waitFor()
      expect(await page.locator('.audit li').filter({ hasNotText: 'session.' }).count()).toBe(0)
      await page.getByLabel('Agent').fill('nobody')
      await page.getByRole('button', { name: 'Search' }).click()
      await page.getByText('No agent is or was named nobody.').waitFor()
    })

    it('keep the older events that were opened while others come in, and leave none out', async () => {
      const store = async (count: number): Promise<void> => {
        for (let at = 0; at < count; at++) {
          const { status } = await kit.daemon.admin('PUT', '/v1/secrets/AUDIT_KEY', {
            value: VALUE,
            hosts: [],
          })
          expect(status).toBe(200)
        }
      }
      /** The daemon has events of its own as well. */
      const stored = async (): Promise<number> =>
        (await kit.daemon.admin('GET', '/v1/audit?limit=1')).body.rows[0].id
      await store(120)
      const { page } = await signedIn(kit, '/audit')
      const ids = async (): Promise<number[]> =>
        (await page.locator('.audit li summary .mono').allTextContents()).map(Number)
      await page.locator('.audit li').nth(99).waitFor()
      await page.getByRole('button', { name: 'Older' }).click()
      await page.locator('.audit li').nth(110).waitFor()
      const opened = await ids()
      const newest = opened[0] ?? 0
      const expectWhole = async (most = Number.POSITIVE_INFINITY): Promise<void> => {
        await expect.poll(async () => (await ids())[0] === (await stored())).toBe(true)
        const [first = 0] = await ids()
        const length = Math.min(most, opened.length + first - newest)
        expect(await ids()).toEqual(Array.from({ length }, (_, at) => first - at))
      }
      await store(1)
      await expectWhole()
      // More than one reading brings: what is between is not silently missing.
      await page.context().setOffline(true)
      await store(130)
      await page.context().setOffline(false)
      await store(1)
      await expectWhole(100)
    })

    it('keep the older events that were opened where the first answer comes last', async () => {
      const another = async (): Promise<void> => {
        const body = { value: VALUE, hosts: [] }
        expect((await kit.daemon.admin('PUT', '/v1/secrets/AUDIT_LATE', body)).status).toBe(200)
      }
      for (let at = 0; at < 120; at++) await another()
      const { page } = await signedIn(kit, '/more')
      const [isHeld, mayCome] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      let isFirst = true
      await page.route(/\/audit\?/, async (route) => {
        const response = await route.fetch()
        if (isFirst) {
          isFirst = false
          isHeld.resolve()
          await mayCome.promise
        }
        await route.fulfill({ response })
      })
      await page.getByRole('link', { name: 'Audit', exact: true }).first().click()
      await isHeld.promise
      await another()
      await page.locator('.audit li').nth(99).waitFor()
      await page.getByRole('button', { name: 'Older' }).click()
      await page.locator('.audit li').nth(150).waitFor()
      const before = await page.locator('.audit li').count()
      const late = page.waitForEvent('requestfinished', { predicate: (one) => one.url().includes('/audit?') })
      mayCome.resolve()
      await late
      await page.waitForTimeout(500)
      expect(await page.locator('.audit li').count()).toBeGreaterThanOrEqual(before)
    })

    it('show of a request all that happened, from the question to the end of its run', async () => {
      const { body } = await kit.daemon.post({ skill_id: 'admin/trail', code: 'console.log(1)\n' })
      const { page } = await signedIn(kit, `/requests/${body.request_id}`)
      await page.getByRole('button', { name: 'Run Once' }).click()
      for (const event of ['request.received', 'approval.decided', 'execution.started', 'execution.finished'])
        await page.locator('.audit li', { hasText: event }).first().waitFor()
    })

    it('stop a run under way from its page, after a question', async () => {
      const { body } = await kit.daemon.post({ skill_id: 'admin/stopped', code: ENDLESS })
      const { page } = await signedIn(kit, `/requests/${body.request_id}`)
      await page.getByRole('button', { name: 'Run Once' }).click()
      await page.getByRole('button', { name: 'Stop the run' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Stop the run' }).click()
      await page.locator('.outcome', { hasText: '(stopped)' }).waitFor()
      await page.locator('.badge.bad', { hasText: 'failed (stopped)' }).waitFor()
      expect(await page.getByRole('button', { name: 'Stop the run' }).count()).toBe(0)
      await page.locator('.audit li', { hasText: 'execution.stopped' }).waitFor()
    })
  },
  { log, environment: { LOG_LEVEL: 'trace' } },
)

/** Answered by the routes for requests of any kind, which came after these: they stay for programs that call them. */
const SUPERSEDED = ['listRequests', 'readRequest', 'decideRequest', 'listAsks', 'readAsk', 'decideAsk']

it('every act of the owner has a place on a page', async () => {
  const { ADMIN_ROUTES } = await import('../../src/contracts/admin/index.ts')
  const folder = new URL('../../console/src/', import.meta.url)
  const { globSync } = await import('node:fs')
  const source = globSync('**/*.{ts,tsx}', { cwd: folder })
    .map((path) => readFileSync(new URL(path, folder), 'utf8'))
    .join('\n')
  const without = Object.keys(ADMIN_ROUTES).filter(
    (name) =>
      !SUPERSEDED.includes(name) &&
      !new RegExp(`(?:call|lines|bytes|addressOf)\\(\\s*'${name}'`).test(source),
  )
  expect(without).toEqual([])
})
