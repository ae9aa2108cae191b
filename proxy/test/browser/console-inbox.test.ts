import { expect, it } from 'vitest'
import { type BrowserKit, DESKTOP, describeInBrowser, type Person } from '../support/browser.ts'
import { linkOf } from '../support/console-kit.ts'
import { patience } from '../support/pace.ts'

/** Asks as the agent of the kit; each is another request. */
async function ask(kit: BrowserKit, skillId: string, more: object = {}): Promise<string> {
  const { status, body } = await kit.daemon.post({
    ...{ skill_id: skillId, code: `console.log(${JSON.stringify(skillId)})\n`, ...more },
  })
  expect(status, JSON.stringify(body)).toBeLessThan(300)
  return body.request_id
}

const cardOf = ({ page }: Person, id: string) => page.locator(`[data-request="${id}"]`)

describeInBrowser('the inbox', (kit) => {
  it('is empty with words to connect an agent by, and shows what is asked without being loaded again', async () => {
    const ann = await kit.person(DESKTOP)
    await ann.signIn()
    await expect.poll(() => ann.page.locator('main').textContent()).toContain('Nothing waits for you')
    for (const way of ['curl', 'Claude Code', 'OpenClaw', 'MCP']) {
      await ann.page.getByRole('button', { name: way, exact: true }).click()
      expect(await ann.page.locator('.steps').textContent()).not.toContain(kit.daemon.token)
    }
    await ann.page.evaluate('globalThis.wasNotLoadedAgain = true')
    const asked = performance.now()
    const id = await ask(kit, 'inbox/first')
    await cardOf(ann, id).getByRole('button', { name: 'Run Once' }).waitFor()
    // An order of magnitude above what it takes: that it comes at once, and by no poll.
    expect(performance.now() - asked).toBeLessThan(patience(3_000))
    expect(await ann.page.evaluate('globalThis.wasNotLoadedAgain')).toBe(true)

    await cardOf(ann, id).getByRole('button', { name: 'Run Once' }).click()
    await cardOf(ann, id).waitFor({ state: 'detached' })
    await ann.page.getByRole('navigation').getByRole('link', { name: 'History' }).click()
    const row = ann.page.locator('.row', { hasText: 'inbox/first' })
    await row.getByText('success').waitFor()
    await row.click()
    await ann.page.getByText('once by').waitFor()
    expect(ann.defects).toEqual([])
  })

  it('is the same in two browsers: what one decides is gone from the other', async () => {
    const [ann, bob] = await Promise.all([kit.person(), kit.person()])
    await ann.signIn()
    await bob.signIn()
    const id = await ask(kit, 'inbox/two-see-it')
    await cardOf(ann, id).waitFor()
    await cardOf(bob, id)
      .getByRole('link', { name: /Review/ })
      .click()
    await bob.page.getByRole('button', { name: 'Run Once' }).waitFor()
    await cardOf(ann, id).getByRole('button', { name: 'Deny' }).click()
    await bob.page.locator('.badge', { hasText: 'denied' }).waitFor()
    expect(await bob.page.getByRole('button', { name: 'Run Once' }).count()).toBe(0)
  })

  it('is decided by the keyboard alone, and by no key that nobody aimed', async () => {
    const ann = await kit.person(DESKTOP)
    await ann.signIn()
    const first = await ask(kit, 'inbox/keys-first')
    const second = await ask(kit, 'inbox/keys-second')
    await cardOf(ann, second).getByRole('button', { name: 'Run Once' }).waitFor()
    await cardOf(ann, first).getByRole('button', { name: 'Run Once' }).waitFor()
    const states = async () =>
      Promise.all([first, second].map(async (id) => (await kit.daemon.get(`/execute/${id}`)).body.status))
    await ann.page.keyboard.press('a')
    expect(await states()).toEqual(['pending', 'pending'])
    // The newest stands first, and is chosen by now.
    await expect
      .poll(() => ann.page.evaluate('document.activeElement.closest("[data-request]")?.dataset.request'))
      .toBe(second)
    await ann.page.keyboard.press('j')
    await ann.page.keyboard.press('d')
    await cardOf(ann, first).waitFor({ state: 'detached' })
    expect(await states()).toEqual(['denied', 'pending'])
    await ann.page.keyboard.press('Enter')
    await ann.page.locator('.code .line').first().waitFor()
    await ann.page.keyboard.press('a')
    await ann.page.getByText('once by').waitFor()
    expect((await states())[1]).toBe('success')
    await ann.page.keyboard.press('g')
    await ann.page.keyboard.press('h')
    await ann.page.locator('.row', { hasText: 'inbox/keys-first' }).waitFor()
    await ann.page.keyboard.press('?')
    await ann.page
      .getByRole('dialog')
      .getByText('approve')
      .or(ann.page.getByText('go to Inbox'))
      .first()
      .waitFor()
  })

  it('shows code of a million lines whole, in few elements, with a number now and then', async () => {
    const ann = await kit.person(DESKTOP)
    await ann.signIn()
    const code = `console.log(1)${'\n'.repeat(1_000_000)}console.log(2)`
    const { body } = await kit.daemon.post({ skill_id: 'inbox/feeds', code })
    await ann.page.goto(`${kit.url}requests/${body.request_id}`)
    await ann.page.locator('.code .block').first().waitFor({ state: 'attached' })
    expect((await ann.page.locator('.code code').first().textContent()) === code).toBe(true)
    expect(await ann.page.locator('.code code *').count()).toBeLessThanOrEqual(2_000)
    expect(await ann.page.locator('.code .block').nth(1).getAttribute('data-n')).toBe('502')
    await ann.page.getByRole('button', { name: 'Deny' }).click()
    await ann.page.locator('.badge', { hasText: 'denied' }).waitFor()
  })

  it('gives no yes to a card of which something was cut, nor by key, before all of it is seen', async () => {
    const ann = await kit.person(DESKTOP)
    await ann.signIn()
    const id = await ask(kit, 'inbox/cut', { args: { harmless: 'x'.repeat(300), hidden: 'behind the cut' } })
    const card = cardOf(ann, id)
    await card.getByText('was cut here').waitFor()
    expect(await card.textContent()).not.toContain('behind the cut')
    expect(await card.getByRole('button', { name: 'Run Once' }).count()).toBe(0)
    await card.getByRole('link', { name: /inbox\/cut/ }).focus()
    await ann.page.keyboard.press('a')
    await ann.page.getByText('behind the cut').first().waitFor()
    expect((await kit.daemon.get(`/execute/${id}`)).body.status).toBe('pending')
    await ann.page.getByRole('button', { name: 'Deny' }).click()
    await ann.page.locator('.badge', { hasText: 'denied' }).waitFor()
  })

  it('survives a restart of the daemon, and shows what was asked meanwhile', async () => {
    const ann = await kit.person()
    await ann.signIn()
    await ann.page.getByText('Nothing waits for you').waitFor()
    await kit.daemon.restart()
    await ann.page.locator('.connection.live').waitFor()
    const id = await ask(kit, 'inbox/after-restart')
    await cardOf(ann, id).getByRole('button', { name: 'Deny' }).click()
    await cardOf(ann, id).waitFor({ state: 'detached' })
  })

  it('asks to sign in where the session is over, and loses nothing that was typed', async () => {
    const ann = await kit.person()
    const id = await ask(kit, 'inbox/session-over')
    await ann.signIn(`/requests/${id}`)
    await ann.page.getByPlaceholder(/Reason/).fill('use the staging account')
    await ann.context.clearCookies()
    await ann.page.getByRole('button', { name: 'Deny' }).click()
    await ann.page.getByRole('heading', { name: 'Sign in to OAuth3' }).waitFor()
    await ann.page.getByLabel(/paste the link/).fill(await linkOf(kit.daemon))
    await ann.page.getByRole('button', { name: 'Sign in' }).click()
    await ann.page.getByRole('heading', { name: 'Sign in to OAuth3' }).waitFor({ state: 'detached' })
    expect(await ann.page.getByPlaceholder(/Reason/).inputValue()).toBe('use the staging account')
    await ann.page.getByRole('button', { name: 'Deny' }).click()
    await ann.page.getByText('use the staging account', { exact: true }).waitFor()
    expect((await kit.daemon.get(`/execute/${id}`)).body.status).toBe('denied')
  })

  it('takes the code of a link out of the address at once, and a link that was used signs nobody in', async () => {
    const ann = await kit.person()
    const link = await linkOf(kit.daemon)
    await ann.page.goto(link)
    await ann.page.locator('.connection.live').waitFor()
    expect(ann.page.url()).toBe(kit.url)
    const bob = await kit.person()
    await bob.page.goto(link)
    await bob.page.getByRole('heading', { name: 'Sign in to OAuth3' }).waitFor()
    await expect.poll(() => bob.page.getByRole('alert').last().textContent()).not.toBe('')
    expect(bob.page.url()).toBe(kit.url)
  })
})

describeInBrowser('the clock of the console', (kit) => {
  it.each([10, -10])('is the daemon’s, with a browser that is wrong by %i minutes', async (minutes) => {
    const ann = await kit.person()
    await ann.context.addInitScript(`{
      const RealDate = Date
      const shift = ${minutes} * 60_000
      globalThis.Date = class extends RealDate {
        constructor(...given) { given.length === 0 ? super(RealDate.now() + shift) : super(...given) }
        static now() { return RealDate.now() + shift }
      }
    }`)
    await ann.signIn()
    const id = await ask(kit, `clock/${minutes > 0 ? 'ahead' : 'behind'}`)
    await cardOf(ann, id).getByText('59 min left').waitFor()
    await cardOf(ann, id).getByRole('button', { name: 'Run Once' }).click()
    await cardOf(ann, id).waitFor({ state: 'detached' })
  })
})

const HOUR = 3_600_000
let ahead = 0

describeInBrowser(
  'a request whose time runs out',
  (kit) => {
    it('is not answered any more in either view, without being loaded again', async () => {
      const ann = await kit.person()
      await ann.signIn()
      const id = await ask(kit, 'clock/runs-out')
      await cardOf(ann, id).getByRole('button', { name: 'Run Once' }).waitFor()
      await cardOf(ann, id)
        .getByRole('link', { name: /Review/ })
        .click()
      await ann.page.getByRole('button', { name: 'Run Once' }).waitFor()
      ahead += HOUR
      await ann.page.locator('.badge', { hasText: 'expired' }).waitFor()
      expect(await ann.page.getByRole('button', { name: /Run Once|Deny/ }).count()).toBe(0)
    })

    it('dies by the time that the daemon told, where nobody tells the page any more', async () => {
      const ann = await kit.person()
      // Wrong by ten minutes, and an hour goes by when the test says so.
      await ann.context.addInitScript(`{
        globalThis.gone = 0
        const { now } = Date
        Date.now = () => now() + 600_000 + gone
        const monotonic = performance.now.bind(performance)
        performance.now = () => monotonic() + gone
      }`)
      const id = await ask(kit, 'clock/counted')
      await ann.signIn(`/requests/${id}`)
      await ann.page.locator('button.primary:enabled').waitFor()
      await ann.context.setOffline(true)
      await ann.page.evaluate(`gone = ${HOUR - 120_000}`)
      await ann.page.getByText('1 min left').waitFor()
      expect(await ann.page.locator('button.primary:enabled').count()).toBe(1)
      await ann.page.evaluate(`gone = ${HOUR}`)
      await ann.page.locator('button.primary:disabled').waitFor()
    })
  },
  { clock: { now: () => Date.now() + ahead } },
)
