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
import { createPlayedModels, createPlayedRunner } from '../support/claude-runs-kit.ts'
import { linkOf } from '../support/console-kit.ts'

const HTML = `<img src=/console/pwned onerror="globalThis.pwned=1"><script>globalThis.pwned=1</script>{{7*7}}"'>`
const BIDI = '\u202e\u2066evil\u2069\u200b\u{e0041}'
const LONG = 'a-word-without-any-blank-to-break-it-at'.repeat(6)

/** The narrowest phones that are in use. */
const NARROW = { ...PHONE, viewport: { width: 360, height: 640 } } as const

const runner = createPlayedRunner()
const OPTIONS = {
  environment: { CLAWDFORGE_PORT: '0' },
  claudeRuns: { runner, models: createPlayedModels() },
} as const

async function newApp(kit: BrowserKit, name: string, terms: object = {}): Promise<string> {
  const answer = await kit.daemon.admin('POST', '/v1/apps', { name, ...terms })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return answer.body.token
}

async function call(kit: BrowserKit, token: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, ...init.headers }
  return await fetch(`${kit.daemon.daemon.appsUrl}${path}`, { ...init, headers })
}

const postRun = async (kit: BrowserKit, token: string, body: object): Promise<Record<string, unknown>> => {
  const answer = await call(kit, token, '/run', {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  })
  return (await answer.json()) as Record<string, unknown>
}

const upload = async (kit: BrowserKit, token: string, name: string): Promise<string> => {
  const form = new FormData()
  form.set('file', new Blob(['notes']), name)
  const answer = await call(kit, token, '/files', { method: 'POST', body: form })
  return ((await answer.json()) as { file_token: string }).file_token
}

const signedIn = async (kit: BrowserKit, path: string, options: object = DESKTOP) => {
  const ann = await kit.person(options)
  const { hash } = new URL(await linkOf(kit.daemon))
  await ann.page.goto(`${new URL(kit.url).origin}/console${path}${hash}`)
  await ann.page.locator('.connection.live').waitFor()
  return ann
}

describeInBrowser(
  'the pages of apps and runs',
  (kit) => {
    it('show the token of a new app once, with what its program needs', async () => {
      const { page } = await signedIn(kit, '/apps')
      await page.getByText('Add an app').click()
      await page.getByLabel('Name', { exact: true }).fill('cauldron')
      await page.getByLabel('Tools').fill('Read WebFetch')
      await page.getByLabel('US dollars a day').fill('2.5')
      await page.getByRole('button', { name: 'Add', exact: true }).click()
      const token = (await page.locator('.note.good pre').first().textContent()) ?? ''
      expect(token).toMatch(/^cf_[A-Za-z0-9_-]{43}$/)
      const env = await page.locator('.note.good pre').nth(1).textContent()
      expect(env).toBe(`CLAWDFORGE_URL=${kit.daemon.daemon.appsUrl}\nCLAWDFORGE_TOKEN=${token}`)
      const curl = (await page.locator('.note.good pre').nth(2).textContent()) ?? ''
      expect(curl).toContain(`${kit.daemon.daemon.appsUrl}/run`)
      expect(curl).not.toContain(token)
      await page.getByRole('button', { name: 'Python' }).click()
      await page.getByText('import os, requests').waitFor()
      expect((await postRun(kit, token, { prompt: 'x' })).ok).toBe(true)
      await page.getByRole('button', { name: 'I have it' }).click()
      const all = `JSON.stringify([document.documentElement.outerHTML, { ...localStorage }, { ...sessionStorage }])`
      expect(await page.evaluate(all)).not.toContain(token)
      const row = page.getByRole('row', { name: /cauldron/ })
      await row.getByText('US dollars a day: $2.50').waitFor()
      await row.getByText('WebFetch').waitFor()
    })

    it('change what an app may, give it a new token and revoke it', async () => {
      const first = await newApp(kit, 'changing', { tools: ['Read'], limits: { runs_per_day: 7 } })
      const { page } = await signedIn(kit, '/apps/changing')
      await page.getByText('Change what it may').click()
      expect(await page.getByLabel('Tools').inputValue()).toBe('Read')
      expect(await page.getByLabel('Runs a day').inputValue()).toBe('7')
      await page.getByLabel('Tools').fill('')
      await page.getByLabel('Runs a day').fill('')
      await page.getByLabel('What its token is good for').selectOption('run')
      await page.getByLabel('Secrets that requests of its runs').fill('A_KEY')
      await page.getByLabel('Commands that want to reach a host').selectOption('ask')
      await page.getByLabel('Hosts that commands reach').fill('Docs.Example.com')
      await page.getByRole('button', { name: 'Change', exact: true }).click()
      await page.getByText('Runs a day: 7').waitFor({ state: 'detached' })
      const { apps } = (await kit.daemon.admin('GET', '/v1/apps')).body
      const now = apps.find(({ name }: { name: string }) => name === 'changing')
      expect(now).toMatchObject({ tools: [], scopes: ['run'], limits: { runs_per_day: null } })
      expect(now).toMatchObject({ secrets: ['A_KEY'], network: 'ask', hosts: ['docs.example.com'] })
      const pairs = page.locator('dl.pairs')
      for (const shown of ['A_KEY', 'docs.example.com; for any other they ask'])
        await pairs.getByText(shown).first().waitFor()
      await page.getByText('No command of its runs can ask for a host').waitFor()

      await page.getByRole('button', { name: 'New token' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'New token' }).click()
      const second = (await page.locator('.note.good pre').first().textContent()) ?? ''
      expect((await call(kit, first, '/sessions')).status).toBe(401)
      expect((await call(kit, second, '/sessions')).status).toBe(200)
      await page.getByRole('button', { name: 'Revoke' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
      await page.getByText(/^revoked /).waitFor()
      expect((await call(kit, second, '/sessions')).status).toBe(401)
    })

    it('show a run while it goes on, piece by piece, and what came of it, and can end one', async () => {
      const token = await newApp(kit, 'live')
      const goOn = Promise.withResolvers<void>()
      runner.play = async (_order, { onEvent }) => {
        onEvent({ type: 'text', text: 'The first half, ' })
        await goOn.promise
        onEvent({ type: 'tool_use', id: 't1', name: 'Read', input: { path: 'notes.txt' } })
        onEvent({ type: 'text', text: 'and the other.' })
        return { result: { hello: 'world' }, denials: [{ tool: 'WebFetch', message: 'A person said no.' }] }
      }
      const answered = postRun(kit, token, { prompt: 'Tell me.' })
      const { page } = await signedIn(kit, '/runs?app=live')
      await page
        .getByRole('row', { name: /running/ })
        .getByRole('link')
        .first()
        .click()
      await page.getByText('The first half,').waitFor()
      goOn.resolve()
      await page.getByText('and the other.').waitFor()
      await page.getByText('Read {"path":"notes.txt"}').waitFor()
      await page.getByRole('region', { name: 'Result' }).getByText('"hello": "world"').waitFor()
      await page.getByText('A person said no.').waitFor()
      await page.locator('.audit li', { hasText: 'run.finished' }).waitFor()
      expect((await answered).result).toEqual({ hello: 'world' })

      runner.play = () => new Promise(() => {})
      const ended = postRun(kit, token, { prompt: 'Never ends.' })
      await page.goto(`${kit.url}runs?state=open`)
      await page
        .getByRole('row', { name: /running/ })
        .getByRole('link')
        .first()
        .click()
      await page.getByRole('button', { name: 'Cancel the run' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click()
      await page.getByText('The owner ended it').first().waitFor()
      expect(await ended).toMatchObject({ ok: false, code: 'cancelled' })
      runner.play = () => ({})
    })

    it('find runs by app, state and code, and older ones', async () => {
      const token = await newApp(kit, 'many')
      for (let at = 0; at < 52; at += 1) await postRun(kit, token, { prompt: `number ${at}`, detach: true })
      await expect
        .poll(async () => (await kit.daemon.admin('GET', '/v1/runs?state=open')).body.runs.length)
        .toBe(0)
      runner.play = () => ({ code: 'budget_exceeded', result: null, text: '' })
      await postRun(kit, token, { prompt: 'too dear' })
      runner.play = () => ({})
      const { page } = await signedIn(kit, '/runs?app=many')
      const rows = page.locator('tbody tr')
      await expect.poll(() => rows.count()).toBe(50)
      await page.getByRole('button', { name: 'Older' }).click()
      await expect.poll(() => rows.count()).toBe(53)
      // What was opened stays while others come in.
      const { run_id: newest } = await postRun(kit, token, { prompt: 'one more', detach: true })
      await expect.poll(() => rows.first().getByRole('link').first().getAttribute('href')).toContain(newest)
      expect(await rows.count()).toBe(54)
      await page.getByLabel('Code').fill('budget_exceeded')
      await page.getByRole('button', { name: 'Search' }).click()
      await expect.poll(() => rows.count()).toBe(1)
      await page.getByRole('button', { name: 'Clear' }).click()
      await page.getByLabel('App').fill('nobody')
      await page.getByRole('button', { name: 'Search' }).click()
      await page.getByText('No app named nobody.').waitFor()
    })

    it('list files and sessions of an app, and remove them', async () => {
      const token = await newApp(kit, 'keeper')
      await upload(kit, token, 'recipe.txt')
      runner.play = () => ({
        sessionTranscript: Buffer.from('{}'),
        sessionId: '0a5e0bd2-3f0e-4b59-9a3a-0d6d9b6f1c11',
      })
      const { session_id: session } = await postRun(kit, token, { prompt: 'Remember.', session: {} })
      runner.play = () => ({})
      const { page } = await signedIn(kit, '/apps/keeper')
      const file = page.getByRole('row', { name: /recipe\.txt/ })
      await file.getByRole('button', { name: 'Remove' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
      await file.waitFor({ state: 'detached' })
      const kept = page.getByRole('row', { name: new RegExp(String(session)) })
      await kept.getByRole('button', { name: 'Forget' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Forget' }).click()
      await kept.waitFor({ state: 'detached' })
      expect(await (await call(kit, token, '/files')).json()).toEqual({ files: [] })
      expect(await (await call(kit, token, '/sessions')).json()).toEqual({ sessions: [] })
    })

    it.each([
      ['phone', NARROW],
      ['desktop', DESKTOP],
    ] as const)(
      'are accessible in the light and in the dark, no wider than a %s, and all that others wrote is text in them',
      async (size, options) => {
        const name = `hostile-${size}-${LONG}`.slice(0, 64)
        const token = await newApp(kit, name, {
          tools: ['Read', 'WebFetch'],
          keeps_prompts: true,
        })
        const hostile = `${HTML}${BIDI}${LONG}`
        runner.play = (_order, { onEvent }) => {
          onEvent({ type: 'text', text: hostile })
          onEvent({ type: 'tool_use', id: '1', name: hostile, input: { command: hostile } })
          onEvent({ type: 'tool_result', id: '1', isError: true, text: hostile })
          const denials = [{ tool: hostile, message: hostile }]
          const session = {
            sessionTranscript: Buffer.from('{}'),
            sessionId: '0a5e0bd2-3f0e-4b59-9a3a-0d6d9b6f1c12',
          }
          return { result: hostile, text: hostile, stopReason: hostile, denials, ...session }
        }
        await upload(kit, token, `${hostile}.txt`)
        const done = await postRun(kit, token, { prompt: hostile, system: hostile, session: {} })
        runner.play = () => ({ code: 'upstream_error', result: null, text: hostile, message: hostile })
        const failed = await postRun(kit, token, { prompt: hostile })
        runner.play = () => ({})

        const ann = await signedIn(kit, '/', { ...options, colorScheme: 'light' })
        const asked: string[] = []
        ann.page.on('request', (request) => asked.push(request.url()))
        for (const [path, sign] of [
          ['apps', 'table'],
          [`apps/${name}`, 'table'],
          ['runs', 'table'],
          [`runs/${done.run_id}`, '.told, .output'],
          [`runs/${failed.run_id}`, '.output'],
          ['runs/run_of_nobody', '.note.bad'],
          ['apps/nobody', '.empty'],
        ] as const) {
          await ann.page.goto(`${kit.url}${path}`)
          await ann.page.locator(sign).first().waitFor()
          await expect.poll(() => ann.page.getByText('Loading …').count()).toBe(0)
          await expectAccessibleInBothThemes(ann.page)
          await expectNoSidewaysScroll(ann.page)
          const text = (await ann.page.locator('main').textContent()) ?? ''
          expect(text, path).not.toMatch(/[\u202e\u2066\u200b]/u)
        }
        await ann.page.goto(`${kit.url}runs/${done.run_id}`)
        await ann.page.getByRole('region', { name: 'Result' }).getByText('⟨U+202E⟩').waitFor()
        await ann.page.getByRole('region', { name: 'Prompt', exact: true }).getByText('onerror').waitFor()
        expect(await ann.page.evaluate('globalThis.pwned')).toBeUndefined()
        expect(await ann.page.locator('img[onerror], main script').count()).toBe(0)
        expect(asked.filter((url) => url.includes('pwned'))).toEqual([])
        expect(ann.defects).toEqual([])
      },
    )
  },
  OPTIONS,
)

describeInBrowser('the page of apps where runs are off', (kit) => {
  it('says so, and which setting turns them on', async () => {
    const ann = await signedIn(kit, '/apps')
    await ann.page.getByText('CLAWDFORGE_PORT').waitFor()
    await expectAccessible(ann.page)
  })
})
