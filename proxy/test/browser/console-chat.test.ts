import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startBotApiDouble } from '../support/bot-api-double.ts'
import {
  DESKTOP,
  describeInBrowser,
  expectAccessibleInBothThemes,
  expectNoSidewaysScroll,
  type Person,
  PHONE,
} from '../support/browser.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { PLAYED_MACHINE } from '../support/hosted-kit.ts'
import { MACHINE_IMAGE } from '../support/machine-kit.ts'
import { createMessagesApi, say } from '../support/messages-api-double.ts'
import { patience } from '../support/pace.ts'
import { BOB, UNHURRIED } from '../support/telegram-kit.ts'
import { startTelegram } from '../support/tenants-kit.ts'

const docker = await dockerOrSkip()
const bot = await startBotApiDouble({ token: '6161616161:demo-bot-token-of-claw', flood: UNHURRIED })
const bots = [bot]
const telegram = await startTelegram(bots)
const NARROW = { ...PHONE, viewport: { width: 360, height: 640 } } as const
const HOSTILE =
  'plainly <img src=x onerror="window.hit=1"><script>window.hit=1</script> [a](javascript:window.hit=1) ![b](http://127.0.0.1:9/x) **bold** `code`\n```\n</pre><b>block</b>\n```\n\u202eend'

describe.skipIf(!docker.available)('the chat with a hosted agent', () => {
  let held = Promise.withResolvers<void>()
  const model = createMessagesApi(async ({ body }) => {
    const text = JSON.stringify(body.messages)
    if (text.includes('hold on')) await held.promise
    return say(`[${body.model}] ${text} `)
  })

  describeInBrowser(
    'in the console',
    (kit) => {
      const admin = (method: string, path: string, body?: unknown) =>
        kit.daemon.admin(method, `/v1/hosts${path}`, body)
      const chatting = async (options: object = DESKTOP): Promise<Person> => {
        const person = await kit.person(options)
        await person.signIn('/hosts/claw')
        await person.page.getByRole('heading', { level: 1, name: 'claw' }).waitFor()
        return person
      }
      const send = async ({ page }: Person, text: string): Promise<void> => {
        await page.getByLabel('Message').fill(text)
        await page.getByLabel('Message').press('Enter')
      }
      const answers = ({ page }: Person) => page.locator('.answered')
      const answerHas = (person: Person, text: string) =>
        answers(person).last().getByText(text).first().waitFor()

      beforeAll(async () => {
        bot.addChat({ id: BOB.id, type: 'private' })
        bots.push(kit.daemon.telegram)
        const url = await model.listen()
        await kit.daemon.admin('PUT', '/v1/providers/anthropic/params/url', { value: url, private: true })
        await kit.daemon.admin('POST', '/v1/provider-keys', {
          ...{ provider: 'anthropic', value: 'sk-ant-test-key-of-the-owner-not-real' },
        })
        const made = await admin('POST', '', {
          name: 'claw',
          provider: 'anthropic',
          model: 'claude-sonnet-5-5',
        })
        expect(made.status).toBe(200)
      }, patience(60_000))
      afterAll(async () => {
        await admin('POST', '/claw/order', { order: 'remove' })
        await vi.waitFor(async () => expect((await admin('GET', '')).body.hosts).toEqual([]), {
          timeout: patience(30_000),
        })
        for (const one of [model, telegram, bot]) await one[Symbol.asyncDispose]()
      }, patience(60_000))

      it('goes on over a reload in the middle of an answer, in several browsers at once', async () => {
        held = Promise.withResolvers()
        const [ann, bea] = [await chatting(), await chatting(NARROW)]
        await send(ann, 'pieces one|hold on|three')
        for (const person of [ann, bea]) await answerHas(person, 'one')
        await ann.page.reload()
        await answerHas(ann, 'one')
        expect(await answers(ann).last().textContent()).not.toContain('three')
        held.resolve()
        for (const person of [ann, bea]) {
          await answerHas(person, 'three')
          await expect.poll(() => person.page.getByText('It goes on …').count()).toBe(0)
          expect(await person.page.locator('.said').count()).toBe(1)
        }
        expect([...ann.defects, ...bea.defects]).toEqual([])
      })

      it('is stopped in the middle, and keeps what had come', async () => {
        held = Promise.withResolvers()
        const ann = await chatting()
        await send(ann, 'pieces begun|hold on|never')
        await answerHas(ann, 'begun')
        await ann.page.getByRole('button', { name: 'Stop', exact: true }).click()
        await answerHas(ann, 'Stopped.')
        expect(await answers(ann).last().textContent()).toContain('begun')
        await expect.poll(() => ann.page.getByRole('button', { name: 'Stop', exact: true }).count()).toBe(0)
        held.resolve()
      })

      it('asks the model that is chosen', async () => {
        const ann = await chatting()
        await ann.page.getByLabel('Model').selectOption('claude-haiku-5-5')
        await send(ann, 'by another')
        await answerHas(ann, '[claude-haiku-5-5]')
        expect(model.calls.at(-1)?.body.model).toBe('claude-haiku-5-5')
      })

      it('says at once that its model has no key and where one is stored, until there is one', async () => {
        const ann = await chatting()
        const [key] = (await kit.daemon.admin('GET', '/v1/provider-keys')).body.keys
        expect((await kit.daemon.admin('DELETE', `/v1/provider-keys/${key.id}`)).status).toBe(200)
        const note = ann.page.getByText('There is no key of anthropic that claw may use')
        await note.getByRole('link', { name: 'Store one' }).waitFor()
        await send(ann, 'and now?')
        await ann.page.getByText('Store one: oauth3 key add anthropic').waitFor()
        expect(await ann.page.getByLabel('Message').inputValue()).toBe('and now?')
        await kit.daemon.admin('POST', '/v1/provider-keys', {
          ...{ provider: 'anthropic', value: 'sk-ant-test-key-of-the-owner-not-real' },
        })
        await note.waitFor({ state: 'detached' })
        await send(ann, 'with a key')
        await answerHas(ann, 'with a key')
      })

      it('shows what the agent says as text, whatever it says', async () => {
        const ann = await chatting()
        const asked: string[] = []
        ann.page.on('request', (request) => asked.push(request.url()))
        await ann.page.getByLabel('Message').fill(HOSTILE)
        await ann.page.getByRole('button', { name: 'Send' }).click()
        await answerHas(ann, '<script>window.hit=1</script>')
        const last = answers(ann).last()
        expect(await last.locator('img, a, script, b').count()).toBe(0)
        expect(await last.locator('strong').textContent()).toBe('bold')
        expect(await last.locator('pre').textContent()).toBe('</pre><b>block</b>')
        expect(await ann.page.evaluate('window.hit')).toBeUndefined()
        expect(asked.filter((url) => !url.startsWith('http://localhost:'))).toEqual([])
        expect(ann.defects).toEqual([])
      })

      it('has the cards of what its agent asks, and answers them', async () => {
        const ann = await chatting()
        const order = JSON.stringify({ skill_id: 'demo/chat', code: 'console.log(1)' })
        await send(
          ann,
          `shell return await call('agent.sock', 'POST', '/execute', {}, ${JSON.stringify(order)})`,
        )
        const card = ann.page.getByRole('region', { name: 'It asks you' })
        await card.getByRole('button', { name: 'Deny' }).click()
        await card.waitFor({ state: 'detached' })
        const [id] = /req_[0-9a-f]{32}/.exec((await answers(ann).last().textContent()) ?? '') ?? []
        expect((await kit.daemon.admin('GET', `/v1/requests/${id}`)).body).toMatchObject({ status: 'denied' })
      })

      it('has what its agent uses and says unasked: while it does, after a reload, and as text', async () => {
        held = Promise.withResolvers()
        const ann = await chatting()
        await send(ann, 'once woken It has **run**, unasked.')
        await answerHas(ann, 'I will.')
        const order = JSON.stringify({ skill_id: 'demo/woken', code: 'console.log(1)' })
        await send(
          ann,
          `shell return await call('agent.sock', 'POST', '/execute', {}, ${JSON.stringify(order)})`,
        )
        await answerHas(ann, 'req_')
        const [id = ''] = /req_[0-9a-f]{32}/.exec((await answers(ann).last().textContent()) ?? '') ?? []
        const card = ann.page.getByRole('region', { name: 'It asks you' })
        await card.getByRole('button', { name: 'Deny' }).click()
        const woken = ann.page.getByText(`woken by request ${id}`)
        const waits = { timeout: patience(20_000) }
        await woken.waitFor(waits)
        await answers(ann).last().getByText('unasked.').waitFor(waits)
        await answers(ann).last().getByText('oauth3_status').waitFor(waits)
        // What the machine calls its model is chosen by nobody.
        await answers(ann).last().getByText('played').waitFor()
        expect(await ann.page.getByLabel('Model').inputValue()).toMatch(/^claude-/)

        await send(ann, 'uses exec {"command":"<img src=x onerror=\\"window.hit=1\\"> hold on"}')
        const tools = answers(ann).last().getByRole('list', { name: 'Tools it used' })
        await tools.getByText('is at work …').waitFor()
        await ann.page.reload()
        await tools.getByText('is at work …').waitFor()
        held.resolve()
        await tools.getByText(/done in \d/).waitFor()
        await tools.getByText('exec').click()
        await tools.getByText('<img src=x').waitFor()
        expect(await tools.locator('img').count()).toBe(0)
        await ann.page.reload()
        await tools.getByText(/done in \d/).waitFor()
        await woken.waitFor()
        expect(await ann.page.evaluate('window.hit')).toBeUndefined()
        expect(ann.defects).toEqual([])
      })

      it('opens its own page in a window of the click', async () => {
        const ann = await chatting()
        await ann.page.context().route(/mch-/, (route) => route.fulfill({ body: 'its own page' }))
        await ann.page.evaluate(
          'const open = window.open; window.open = (...all) => { window.within = window.event?.type; return open(...all) }',
        )
        const [popup] = await Promise.all([
          ann.page.waitForEvent('popup'),
          ann.page.getByRole('button', { name: 'Its own page' }).click(),
        ])
        await popup.getByText('its own page').waitFor()
        expect(new URL(popup.url()).host).toMatch(/^mch-[0-9a-f]{16}\.localhost:/)
        expect(await popup.evaluate('window.opener')).toBeNull()
        expect(await ann.page.evaluate('window.within')).toBe('click')
        expect(ann.defects).toEqual([])
      })

      it('tells how the agent is, and wakes it when somebody speaks', async () => {
        const ann = await chatting()
        await ann.page.getByText('because a message came').waitFor()
        await admin('POST', '/claw/order', { order: 'sleep' })
        await ann.page.getByRole('status').getByText('paused').first().waitFor()
        await send(ann, 'wake up')
        await answerHas(ann, 'wake up')
      })

      it('takes files along, shows what is in the workspace, and saves it as a file', async () => {
        const ann = await chatting(NARROW)
        const { page } = ann
        // Where else one can go from here is one line of a usual phone.
        await page.setViewportSize({ width: 390, height: 640 })
        const ways = page.getByRole('navigation', { name: 'More of claw' })
        const [first, last] = [ways.getByText('Its own page'), ways.getByText('All hosted agents')]
        const tops = [await first.boundingBox(), await last.boundingBox()].map((box) => box?.y ?? Number.NaN)
        expect(Math.abs((tops[0] ?? 0) - (tops[1] ?? 0))).toBeLessThan(12)
        await page.setViewportSize(NARROW.viewport)
        const attach = (name: string, text: string) =>
          page
            .getByLabel('Files to attach')
            .setInputFiles({ name, mimeType: 'text/html', buffer: Buffer.from(text) })
        await attach('re\u202eport.html', '<script>window.hit=1</script>')
        await page.getByText('uploads/re_port.html').waitFor()
        await attach('re\u202eport.html', 'another')
        await page.getByText('uploads/re_port-2.html').waitFor()
        await page.getByRole('button', { name: 'Do not mention uploads/re_port-2.html' }).click()
        await page.getByText('Files', { exact: true }).click()
        await page.getByRole('button', { name: 'uploads/', exact: true }).click()
        const rowOf = (name: string) =>
          page.getByRole('row').filter({ has: page.getByRole('button', { name: `${name} Download` }) })
        await rowOf('re_port.html').getByText('attached').waitFor()
        expect(await rowOf('re_port-2.html').textContent()).not.toContain('attached')
        await send(ann, 'plainly read it')
        await page.locator('.said').last().getByText('- uploads/re_port.html').waitFor()
        expect(await page.getByText('Do not mention').count()).toBe(0)
        await rowOf('re_port.html').getByText('attached').waitFor({ state: 'detached' })
        const saved = page.waitForEvent('download')
        await page.getByRole('button', { name: 're_port.html Download' }).click()
        const download = await saved
        expect(download.suggestedFilename()).toBe('re_port.html')
        expect(readFileSync(await download.path(), 'utf8')).toBe('<script>window.hit=1</script>')
        expect(await page.evaluate('window.hit')).toBeUndefined()
        await page.getByRole('button', { name: 'Workspace', exact: true }).click()
        await page.getByRole('button', { name: 'uploads/' }).waitFor()
        await expectNoSidewaysScroll(page)
        await expectAccessibleInBothThemes(page)
        expect(ann.defects).toEqual([])
      })

      it('shows what runs in it and what it printed on a page of its own, as text and without secrets', async () => {
        const ann = await chatting({ ...NARROW, colorScheme: 'light' })
        const { page, defects } = ann
        await send(ann, 'print begun <b>bold</b> sk-ant-test-key-of-the-owner-not-real')
        await answerHas(ann, 'printed')
        await page.getByRole('link', { name: 'Inside' }).click()
        await page.getByRole('heading', { level: 1, name: 'Inside claw' }).waitFor()
        const log = page.getByRole('region', { name: 'What it printed' })
        await log.getByText('begun <b>bold</b> [secret:anthropic key').waitFor()
        expect(await log.textContent()).not.toContain('of-the-owner')
        await page.getByRole('table', { name: 'Processes' }).getByText('deno', { exact: true }).waitFor()
        await page.getByRole('region', { name: 'Made of' }).getByText('2026.9.6').waitFor()
        await expectAccessibleInBothThemes(page)
        await expectNoSidewaysScroll(page)
        expect(defects).toEqual([])
      })

      it('is rolled back on the page of all of them, whose table fits a phone', async () => {
        const { page, signIn, defects } = await kit.person({ ...NARROW, colorScheme: 'light' })
        await expect
          .poll(async () => (await admin('GET', '')).body.hosts[0]?.state, { timeout: patience(30_000) })
          .toBe('running')
        await signIn('/hosts')
        await page.getByRole('button', { name: 'Stop', exact: true }).click()
        const kept = page.getByRole('table', { name: 'Kept files by hosted agent' })
        await kept.getByText('brings these').waitFor({ timeout: patience(30_000) })
        await expectAccessibleInBothThemes(page)
        await expectNoSidewaysScroll(page)
        // It may have slept before, where all took long.
        const generations = async () => (await admin('GET', '/claw/generations')).body.generations
        const oldest = (await generations()).at(-1)
        await kept.getByRole('button', { name: 'Roll back' }).last().click()
        const dialog = page.getByRole('dialog')
        await dialog.getByText('kept first').waitFor()
        await dialog.getByRole('button', { name: 'Roll back' }).click()
        await dialog.waitFor({ state: 'hidden' })
        expect((await generations()).at(-1)).toMatchObject({ number: oldest.number, current: true })
        expect(defects).toEqual([])
      })

      it('has a bot in Telegram, and shows who is paired with it', async () => {
        const { page } = await chatting()
        await page.getByText('Telegram', { exact: true }).click()
        await page.getByText('Give it a bot').click()
        // The approvers' own: what was written as a secret is gone.
        await page.getByLabel('Token of the bot').fill(kit.daemon.telegram.token)
        await page.getByRole('button', { name: 'Add', exact: true }).click()
        await page.getByRole('alert').getByText('in use here already').waitFor()
        expect(await page.getByLabel('Token of the bot').inputValue()).toBe('')
        await page.getByLabel('Token of the bot').fill(bot.token)
        await page.getByRole('button', { name: 'Add', exact: true }).click()
        await page.getByText('Nobody is paired').waitFor()
        await page.getByRole('button', { name: 'Pair a chat' }).click()
        const link = await page.getByText('https://t.me/').textContent()
        bot.say(BOB.id, `/start ${new URL(link ?? '').searchParams.get('start')}`, BOB)
        const paired = page.getByRole('table', { name: 'Paired chats' })
        await paired.getByText(BOB.first_name, { exact: true }).waitFor()
        await expectAccessibleInBothThemes(page)
        await expectNoSidewaysScroll(page)
        await paired.getByRole('button', { name: 'Unpair' }).click()
        await page.getByRole('dialog').getByRole('button', { name: 'Unpair' }).click()
        await page.getByText('Nobody is paired').waitFor()
        await page.getByRole('button', { name: 'Take the bot away' }).click()
        await page.getByRole('dialog').getByRole('button', { name: 'Take the bot away' }).click()
        await page.getByText('Give it a bot').waitFor()
        expect((await admin('GET', '/claw/telegram')).body).toEqual({ bot: null })
      })

      it.each([
        ['phone', NARROW],
        ['desktop', DESKTOP],
      ] as const)('is accessible in the light and in the dark, and no wider than a %s', async (_, size) => {
        const ann = await chatting({ ...size, colorScheme: 'light' })
        await answers(ann).last().waitFor()
        await expectAccessibleInBothThemes(ann.page)
        await expectNoSidewaysScroll(ann.page)
        expect(ann.defects).toEqual([])
      })
    },
    {
      agent: 'other',
      environment: {
        ...{ OAUTH3_SANDBOX: 'docker', OAUTH3_POOL_SIZE: '0', TELEGRAM_API_ROOT: telegram.root },
        OAUTH3_HOST_PAGES: 'http://*.localhost',
      },
      hosting: {
        image: MACHINE_IMAGE,
        command: ['/bin/deno', 'eval', PLAYED_MACHINE],
        memoryBytes: 256 * 1_048_576,
      },
    },
  )
})
