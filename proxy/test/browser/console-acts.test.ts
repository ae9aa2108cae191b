import { createECDH } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { verifyReceipt } from '../../src/audit/proof/index.ts'
import { keyOf } from '../../src/contracts/registry/index.ts'
import {
  addAuthenticator,
  addPasskey,
  type BrowserKit,
  DESKTOP,
  describeInBrowser,
  expectAccessible,
  expectNoSidewaysScroll,
  PHONE,
} from '../support/browser.ts'
import { entry, indexText, REGISTRY } from '../support/sample-registry.ts'
import { ANN } from '../support/telegram-kit.ts'

const pair = createECDH('prime256v1')
pair.generateKeys()
const KEYS = { p256dh: pair.getPublicKey('base64url'), auth: Buffer.alloc(16).toString('base64url') }
const HTML = `<img src=x onerror="globalThis.pwned=1">{{7*7}}`

let ahead = 0
const ask = async (kit: BrowserKit, skill_id: string, more: object = {}): Promise<string> =>
  (await kit.daemon.post({ skill_id, code: `console.log("${skill_id}")\n`, ...more })).body.request_id

describeInBrowser('acts of the owner in the console', (kit) => {
  it('a yes with limits is given with what was written, and with nothing written it is none', async () => {
    const id = await ask(kit, 'acts/limited')
    const { page, signIn, defects } = await kit.person(DESKTOP)
    await signIn(`/requests/${id}`)
    await page.getByRole('button', { name: 'With limits' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'With limits' }).click()
    await dialog.getByText('Write at least one limit.').waitFor()
    await expectAccessible(page)
    await dialog.getByLabel('How many runs').fill('3')
    await dialog.getByRole('button', { name: 'With limits' }).click()
    await page.getByRole('region', { name: 'Outcome' }).waitFor()
    const { grants } = (await kit.daemon.admin('GET', '/v1/trust')).body
    expect(grants).toMatchObject([{ skill_id: 'acts/limited', level: 'limited', max_uses: 3 }])
    expect(defects).toEqual([])
  })

  it('a yes to a provider has every choice and every limit that the card of a chat and the command line have', async () => {
    const use = async (model: string): Promise<string> => {
      const { status } = await fetch(`${kit.daemon.daemon.url}/llm/openai/v1/chat/completions`, {
        method: 'POST',
        headers: {
          ...{ authorization: `Bearer ${kit.daemon.token}`, prefer: 'wait=0' },
          'content-type': 'application/json',
        },
        body: JSON.stringify({ model, messages: [] }),
      })
      expect(status).toBe(403)
      const { asks } = (await kit.daemon.admin('GET', '/v1/asks')).body
      return asks.find((ask: { model: string }) => ask.model === model).id
    }
    const id = await use('gpt-first')
    const { page, signIn, defects } = await kit.person(PHONE)
    await signIn(`/requests/${id}`)
    const { choices } = (await kit.daemon.admin('GET', `/v1/approvals/${id}`)).body
    const buttons: { label: string; needs_terms: boolean }[] = choices
    for (const { label } of buttons.filter(({ needs_terms }) => !needs_terms)) {
      const text = label.replace(/^(?:\p{Extended_Pictographic}|\ufe0f|\s)+/u, '')
      await page.getByRole('button', { name: text, exact: true }).waitFor()
    }
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await page.getByRole('button', { name: 'With limits …' }).click()
    const dialog = page.getByRole('dialog')
    const offered = await dialog.getByLabel('How long, and for what').locator('option').allTextContents()
    expect(offered).toEqual(expect.arrayContaining(['1 hour', '24 hours', 'Always', 'Until a date']))
    await dialog.getByLabel('How long, and for what').selectOption({ label: '1 hour' })
    await dialog.getByLabel('Requests in all').fill('5')
    await dialog.getByLabel('US dollars a day').fill('2.5')
    await dialog.getByLabel('Models').fill('gpt-first gpt-second')
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await dialog.getByRole('button', { name: 'Allow within these' }).click()
    await page.locator('.badge', { hasText: 'granted' }).waitFor()
    const grantsOf = async () => (await kit.daemon.admin('GET', '/v1/provider-grants')).body.grants
    const [grant] = await grantsOf()
    expect(grant).toMatchObject({
      ...{ models: ['gpt-first', 'gpt-second'], requests_left: 5 },
      limits: { requests: 5, micro_usd_per_day: 2_500_000, tokens_per_day: null },
    })
    expect(grant.expires_at - grant.granted_at).toBe(3_600_000)

    await page.goto(`${kit.url}grants`)
    await page.getByText('5 of 5 requests left').waitFor()
    await page.locator('summary', { hasText: 'Change' }).click()
    await page.getByLabel('Requests in all').last().fill('9')
    await page.getByLabel('Paths').last().fill('/chat')
    await page.getByRole('button', { name: 'Change' }).click()
    await page.getByText('9 of 9 requests left').waitFor()
    expect(await grantsOf()).toMatchObject([{ paths: ['/chat'], limits: { requests: 9 } }])
    expect(defects).toEqual([])
  })

  it('a yes that takes two is one of two on the page and in the chat, whoever gives the other', async () => {
    await kit.daemon.admin('PUT', '/v1/quorum/owner', { owner: 'separate' })
    const rule = { scope: 'agent', name: 'claw' }
    const { body } = await kit.daemon.admin('PUT', '/v1/quorum/rules', { ...rule, approvals: 2 })
    expect(body.rules).toMatchObject([{ approvals: 2, reachable: true }])
    const id = await ask(kit, 'acts/two-persons')
    const { telegram, chatId } = kit.daemon
    const card = await telegram.waitForMessage(({ text }) => text.includes('acts/two-persons'))
    const { page, signIn } = await kit.person(PHONE)
    await signIn(`/requests/${id}`)
    await page.getByRole('button', { name: 'Run Once' }).click()
    await page
      .getByText(/1 of 2/)
      .first()
      .waitFor()
    await telegram.waitFor(() => card.text.includes('1 of 2 approvals'), 'the edit of the card')
    // The same person twice is one.
    await page.getByRole('button', { name: 'Run Once' }).click()
    expect((await kit.daemon.get(`/execute/${id}`)).body.status).toBe('pending')
    await telegram.press(chatId, card.messageId, '✅ Run Once', ANN).answered
    await page.getByRole('region', { name: 'Outcome' }).getByText('success').first().waitFor()
    await kit.daemon.admin('PUT', '/v1/quorum/rules', { ...rule, approvals: 1 })
  })

  it('a passkey signs the limits of a yes together with it', async () => {
    const { page, signIn } = await kit.person(DESKTOP)
    await addAuthenticator(page)
    await signIn('/passkeys')
    await addPasskey(page, 'laptop')
    await page.getByRole('row', { name: /laptop/ }).waitFor()
    await kit.daemon.admin('PUT', '/v1/secrets/ACTS_KEY', { value: 'sk-acts-0123456789', risk: 'high' })
    const metadata = { secrets: ['ACTS_KEY'], network: ['api.example.com'] }
    const id = await ask(kit, 'acts/proved', { metadata })
    await page.goto(`${kit.url}requests/${id}`)
    await page.getByText('It is of high risk for ACTS_KEY').first().waitFor()
    await page.getByRole('button', { name: 'With limits' }).click()
    await page.getByRole('dialog').getByLabel('How many runs').fill('2')
    await page.getByRole('dialog').getByRole('button', { name: 'With limits' }).click()
    await page.getByRole('region', { name: 'Outcome' }).waitFor()
    const { rows } = (await kit.daemon.admin('GET', `/v1/audit?event=approval.decided&request=${id}`)).body
    expect(JSON.parse(rows[0].data).proof.statement).toMatchObject({ choice: 'limited', terms: { uses: 2 } })
  })

  it('a receipt of a verdict is shown, downloaded, and good with the key that stands beside it', async () => {
    const id = await ask(kit, 'acts/receipt')
    const { page, signIn } = await kit.person(PHONE)
    await signIn(`/requests/${id}`)
    await page.getByRole('button', { name: 'Run Once' }).click()
    await page.getByRole('button', { name: 'Make a receipt' }).click()
    await page.locator('a[download]').waitFor()
    await expectNoSidewaysScroll(page)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download', exact: true }).click(),
    ])
    const chunks: Buffer[] = []
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer)
    const command = await page.locator('.copy pre', { hasText: 'receipt verify' }).textContent()
    const key = command?.split('--key ')[1] ?? ''
    expect(verifyReceipt(Buffer.concat(chunks), key)).toMatchObject({ ok: true })
    await expectAccessible(page)
  })

  it('a browser subscribes, is told a title and an id by its worker, and is forgotten', async () => {
    const { page, context, signIn, defects } = await kit.person(DESKTOP)
    await context.grantPermissions(['notifications'], { origin: new URL(kit.url).origin })
    // The vendor's service is not there: what it would have given out is.
    await page.addInitScript(`(() => {
      let made = null
      const keys = ${JSON.stringify(KEYS)}
      PushManager.prototype.getSubscription = async () => made
      PushManager.prototype.subscribe = async () => made = {
        toJSON: () => ({ endpoint: 'https://fcm.googleapis.com/fcm/send/acts', keys }),
        unsubscribe: async () => { made = null; return true },
      }
    })()`)
    await signIn('/settings')
    await page.getByRole('button', { name: 'Tell this browser' }).click()
    const row = page.getByRole('row', { name: /fcm\.googleapis\.com/ })
    await row.waitFor()
    expect(await row.textContent()).toContain('this one')

    const debuggerOf = await context.newCDPSession(page)
    const registered = new Promise<string>((resolve) => {
      debuggerOf.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const [of] = registrations
        if (of) resolve(of.registrationId)
      })
    })
    await debuggerOf.send('ServiceWorker.enable')
    const registrationId = await registered
    // What comes before the worker is active is lost.
    await page.evaluate('navigator.serviceWorker.ready.then(() => 0)')
    const { origin } = new URL(kit.url)
    const data = JSON.stringify({ title: `${HTML} asks`, id: 'req_1/../../x' })
    await debuggerOf.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data })
    const shown = (): Promise<unknown> =>
      page.evaluate(`navigator.serviceWorker.ready.then((of) => of.getNotifications())
        .then((all) => all.map(({ title, data }) => ({ title, page: data.page })))`)
    await expect.poll(shown).toEqual([{ title: `${HTML} asks`, page: '/console/' }])

    await row.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.getByText('No browser of yours is told').waitFor()
    expect(defects).toEqual([])
  })
})

describeInBrowser(
  'what nobody answered',
  (kit) => {
    it('is asked again from the history, and each of the two leads to the other', async () => {
      const id = await ask(kit, 'again/one')
      ahead += 3_600_000
      await expect.poll(async () => (await kit.daemon.get(`/execute/${id}`)).body.status).toBe('expired')
      const { page, signIn, defects } = await kit.person(PHONE)
      await signIn('/history')
      const row = page.locator('li', { hasText: 'again/one' })
      await row.getByRole('button', { name: 'Ask again' }).click()
      await page.getByText(`Asks once more what`).waitFor()
      await page.getByRole('link', { name: id }).click()
      await page.getByText('Asked once more by').waitFor()
      expect(await page.getByRole('button', { name: /Ask again/ }).count()).toBe(0)
      await expectNoSidewaysScroll(page)
      expect(defects).toEqual([])
    })
  },
  { clock: { now: () => Date.now() + ahead } },
)

describeInBrowser('the emergency stop', (kit) => {
  it('is on every page while it holds, cancels what waits, and takes a passkey and the typed word to end', async () => {
    await ask(kit, 'panic/one')
    const ann = await kit.person(PHONE)
    const bob = await kit.person(DESKTOP)
    await ann.signIn()
    // While it holds no passkey is bound.
    await addAuthenticator(bob.page)
    await bob.signIn('/passkeys')
    await addPasskey(bob.page, 'laptop')
    await bob.page.getByRole('row', { name: /laptop/ }).waitFor()
    await ann.page.locator('.card').first().waitFor()
    await ann.page.getByRole('button', { name: 'Stop everything' }).click()
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Stop everything' }).click()
    await ann.page.getByText('Everything is stopped', { exact: true }).waitFor()
    await ann.page.locator('.card').first().waitFor({ state: 'detached' })
    // Told, not asked for: the other browser has it by the stream.
    await bob.page.getByText('Everything is stopped', { exact: true }).waitFor()
    expect((await kit.daemon.admin('GET', '/v1/panic')).body.locked).toBe(true)
    for (const path of ['history', 'secrets', 'more']) {
      await ann.page.goto(`${kit.url}${path}`)
      await ann.page.getByText('Everything is stopped', { exact: true }).waitFor()
      await expectAccessible(ann.page)
      await expectNoSidewaysScroll(ann.page)
    }
    await bob.page.getByText('End the stop').click()
    await bob.page.getByLabel('Type unlock').fill('yes')
    await bob.page.getByRole('button', { name: 'End it' }).click()
    await bob.page.getByText('Type the word unlock.').waitFor()
    await bob.page.getByLabel('Type unlock').fill('unlock')
    await bob.page.getByRole('button', { name: 'End it' }).click()
    await ann.page.getByText('Everything is stopped', { exact: true }).waitFor({ state: 'detached' })
    expect((await kit.daemon.admin('GET', '/v1/panic')).body.locked).toBe(false)
    expect([...ann.defects, ...bob.defects]).toEqual([])
  })
})

describeInBrowser('registries of skills', (kit) => {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-registry-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('are added by the key that was shown, and what publishers wrote is text', async () => {
    const file = join(folder, 'index.json')
    const long = 'a-host-with-a-name-that-is-very-long-and-has-no-blank.example.com'
    const hostile = entry({ description: HTML, secrets: ['SOME_KEY'], network: [long] })
    writeFileSync(file, indexText([hostile]))
    const { page, signIn, defects } = await kit.person(PHONE)
    await signIn('/skills')
    await page.getByText('Add a registry').click()
    await page.getByLabel('Address of its index').fill(`file://${file}`)
    await page.getByRole('button', { name: 'Show its key' }).click()
    await page.getByRole('region', { name: 'Is this its key?' }).getByText(keyOf(REGISTRY)).waitFor()
    expect((await kit.daemon.admin('GET', '/v1/registries')).body.registries).toEqual([])
    await page.getByRole('button', { name: 'It is: add the registry' }).click()
    await page.getByText(HTML).first().waitFor()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await page.getByRole('link', { name: 'charge-report' }).first().click()
    await page.getByRole('button', { name: 'Pin', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Pin', exact: true }).click()
    await page
      .getByRole('table', { name: 'Pinned skills' })
      .getByText('charge-report@1.0.0')
      .first()
      .waitFor()
    expect((await kit.daemon.admin('GET', '/v1/skill-pins')).body.pins).toMatchObject([
      { skill: 'charge-report@1.0.0', sha256: hostile.sha256 },
    ])
    await page.getByRole('button', { name: 'Refresh' }).click()
    const row = page.getByRole('row', { name: /acme.*ed25519/s }).last()
    await row.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.getByText('None. Code is run all the same').waitFor()
    expect(await page.evaluate('globalThis.pwned')).toBeUndefined()
    expect(defects).toEqual([])
  })
})
