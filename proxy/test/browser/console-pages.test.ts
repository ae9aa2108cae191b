import { expect, it } from 'vitest'
import { visibleText } from '../../src/kernel/index.ts'
import {
  addAuthenticator,
  type BrowserKit,
  DESKTOP,
  describeInBrowser,
  expectAccessibleInBothThemes,
  expectNoSidewaysScroll,
  PHONE,
} from '../support/browser.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'

const HTML = `<img src=/console/pwned onerror="globalThis.pwned=1"><script>globalThis.pwned=1</script>{{7*7}}"'>`
const BIDI = '\u202e\u2066evil\u2069\u200b\u{e0041}'

async function ask(kit: BrowserKit, body: object): Promise<string> {
  const answer = await kit.daemon.post(body)
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
  return answer.body.request_id
}

async function decide(kit: BrowserKit, id: string, choice: string, reason?: string): Promise<void> {
  const { consent_hash } = (await kit.daemon.admin('GET', `/v1/approvals/${id}`)).body
  const body = { choice, consent_hash, ...(reason !== undefined && { reason }) }
  expect((await kit.daemon.admin('POST', `/v1/approvals/${id}/decision`, body)).status).toBe(200)
}

describeInBrowser(
  'what others wrote',
  (kit) => {
    it('is text in every field, in the list, on the card, in what came of it, and with its hidden characters seen', async () => {
      const ann = await kit.person(DESKTOP)
      const asked: string[] = []
      ann.page.on('request', (request) => asked.push(request.url()))
      await ann.signIn()
      const metadata = { description: `${HTML}${BIDI}`, network: ['api.example.com'] }
      const code = `// ${HTML}${BIDI}\nconsole.log('<b>שלום</b>')\n`
      const id = await ask(kit, {
        ...{ skill_id: 'hostile/first', code, args: { text: `${HTML}${BIDI}` }, metadata },
      })
      const card = ann.page.locator(`[data-request="${id}"]`)
      await card.getByText('onerror').first().waitFor()
      await card.getByRole('link', { name: /Review/ }).click()
      await ann.page.locator('.code .line').first().waitFor()
      expect(await ann.page.locator('.code > code').textContent()).toBe(visibleText(code))
      expect(await ann.page.locator('main').textContent()).toContain('⟨U+202E⟩')
      const { consent_hash } = (await kit.daemon.admin('GET', `/v1/approvals/${id}`)).body
      expect(await ann.page.locator('main').textContent()).toContain(consent_hash)
      await ann.page.getByPlaceholder(/Reason/).fill(HTML)
      await ann.page.getByRole('button', { name: 'Run Once' }).click()
      await ann.page.locator('.output', { hasText: 'onerror' }).first().waitFor()
      await ann.page.getByRole('link', { name: 'History' }).click()
      await ann.page.locator('.row', { hasText: 'hostile/first' }).waitFor()
      const denied = await ask(kit, { skill_id: 'hostile/denied', code: 'console.log(2)\n', metadata })
      await decide(kit, denied, 'deny', HTML)
      await ann.page.goto(`${kit.url}requests/${denied}`)
      await ann.page.getByText('onerror').first().waitFor()

      expect(await ann.page.evaluate('globalThis.pwned')).toBeUndefined()
      expect(await ann.page.locator('img[onerror], main script, main b:has-text("שלום")').count()).toBe(0)
      expect(asked.filter((url) => url.includes('pwned'))).toEqual([])
      expect(asked.filter((url) => !url.startsWith(new URL(kit.url).origin))).toEqual([])
      expect(ann.defects).toEqual([])
    })

    it('comes under a policy in which HTML cannot be made of text', async () => {
      const ann = await kit.person()
      await ann.signIn()
      const tried = await ann.page.evaluate(`(() => {
        try { document.body.innerHTML = '<p>'; return 'taken' } catch (error) { return error.name }
      })()`)
      expect(tried).toBe('TypeError')
    })

    it('leaves room for passkeys: an authenticator makes one for localhost under that policy', async () => {
      const ann = await kit.person()
      await ann.signIn()
      const authenticator = await addAuthenticator(ann.page)
      const made = await ann.page.evaluate(`navigator.credentials.create({ publicKey: {
        rp: { id: 'localhost', name: 'OAuth3' },
        user: { id: new Uint8Array(16), name: 'ann', displayName: 'Ann' },
        challenge: new Uint8Array(32),
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      } }).then(({ type }) => type)`)
      expect(made).toBe('public-key')
      const { credentials } = await authenticator.session.send('WebAuthn.getCredentials', {
        authenticatorId: authenticator.id,
      })
      expect(credentials).toHaveLength(1)
    })

    it('is whole where it is long: 10,000 lines are in the page, are found, and are reached', async () => {
      const ann = await kit.person(PHONE)
      await ann.signIn()
      const lines = Array.from({ length: 9_998 }, (_, at) =>
        at % 7 === 0 ? '' : `const x${at} = ${at} // ${at}`,
      )
      const code = ['/* first', '\ttab and  blanks  */', ...lines].join('\n')
      const id = await ask(kit, { skill_id: 'hostile/long', code: `${code}\nconsole.log("needle")` })
      await ann.page.goto(`${kit.url}requests/${id}`)
      await ann.page.locator('.code .line').first().waitFor()
      expect(await ann.page.locator('.code > code').textContent()).toBe(`${code}\nconsole.log("needle")`)
      expect(await ann.page.locator('.code .line').count()).toBe(10_001)
      expect(await ann.page.evaluate('window.find("needle")')).toBe(true)
      await ann.page.keyboard.press('End')
      await ann.page.locator('.line[data-n="10001"]').scrollIntoViewIfNeeded()
      expect(await ann.page.locator('.line[data-n="10001"]').isVisible()).toBe(true)
      await expectNoSidewaysScroll(ann.page)
      await decide(kit, id, 'deny')
    })
  },
  {
    sandbox: async () =>
      createScriptedSandbox((_order, print) => {
        print('stdout', `${HTML}${BIDI}\n`)
        print('stderr', `${HTML}\n`)
        return {}
      }),
  },
)

describeInBrowser('a request that is another than what was trusted', (kit) => {
  it('says so first: the changed host is on the first screen of a phone, whole, and the changed line below', async () => {
    const skill = {
      skill_id: 'changed/host',
      metadata: { description: 'Counts', network: ['api.example.com'] },
    }
    const code = (host: string): string =>
      `const a = 1\nawait fetch("https://${host}/v1/things")\nconsole.log(a)\n`
    const trusted = await ask(kit, { ...skill, code: code('api.example.com') })
    await decide(kit, trusted, 'forever')
    const other = 'another-host-with-a-name-that-is-long.example.net'
    const metadata = { ...skill.metadata, network: ['api.example.com', other] }
    const id = await ask(kit, { ...skill, metadata, code: code(other) })

    const ann = await kit.person(PHONE)
    await ann.signIn(`/requests/${id}`)
    const line = ann.page.locator('.changed', { hasText: `network: + GET ${other}` })
    await line.waitFor()
    const box = await line.boundingBox()
    const nav = await ann.page.getByRole('navigation', { name: 'Pages' }).boundingBox()
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(nav?.y ?? 0)
    expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 999) <= 390).toBe(true)
    const beyond = await line.evaluate((element) => {
      const { scrollWidth, clientWidth } = element as unknown as { scrollWidth: number; clientWidth: number }
      return scrollWidth - clientWidth
    })
    expect(beyond).toBeLessThanOrEqual(0)

    const compared = ann.page.getByRole('region', { name: 'Code compared' })
    await compared.locator('del', { hasText: 'api.example.com' }).waitFor()
    expect(await compared.locator('ins').allTextContents()).toEqual([
      `await fetch("https://${other}/v1/things")\n`,
    ])
    await expectNoSidewaysScroll(ann.page)
  })
})

/** The narrowest phones that are in use. */
const NARROW = { ...PHONE, viewport: { width: 360, height: 640 } } as const
const SIZES = { phone: NARROW, desktop: DESKTOP } as const

describeInBrowser('every page', (kit) => {
  it.each(['phone', 'desktop'] as const)(
    'is for everybody in the light and in the dark, and no wider than a %s',
    async (size) => {
      const long = 'a-name-without-any-blank-to-break-it-at'.repeat(3).slice(0, 100)
      const metadata = { description: long, network: ['api.example.com'], secrets: ['DEMO_KEY'] }
      const raw = { ...metadata, secrets: [{ name: 'DEMO_KEY', mode: 'raw' }] }
      const skill = `looks/${size}-${long}`.slice(0, 120)
      await ask(kit, {
        skill_id: skill,
        code: 'eval("1")\n',
        metadata: raw,
        args: { long },
        dynamic_code: true,
      })
      const id = await ask(kit, {
        skill_id: `${skill}-2`.slice(-120),
        code: `console.log("${long}${long}")\n`,
        metadata,
      })
      const ann = await kit.person({ ...SIZES[size], colorScheme: 'light' })
      await ann.page.goto(kit.url)
      await ann.page.getByRole('heading', { name: 'Sign in to OAuth3' }).waitFor()
      await expectAccessibleInBothThemes(ann.page)
      await expectNoSidewaysScroll(ann.page)
      await ann.signIn()
      for (const [path, sign] of [
        ['', '.card .decision'],
        [`requests/${id}`, '.code .line'],
        ['history', 'h1'],
        ['nowhere', '.empty'],
      ] as const) {
        await ann.page.goto(`${kit.url}${path}`)
        await ann.page.locator(sign).first().waitFor()
        await expectAccessibleInBothThemes(ann.page)
        await expectNoSidewaysScroll(ann.page)
      }
      expect(ann.defects).toEqual([])
    },
  )
})
