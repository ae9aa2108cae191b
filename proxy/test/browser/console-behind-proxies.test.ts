import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addAuthenticator, addPasskey } from '../support/browser.ts'
import { CHROMIUM_ARGS, chromiumBinary, withoutChromium } from '../support/chromium.ts'
import { codeOf, linkOf, portOf } from '../support/console-kit.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { freePort } from '../support/free-port.ts'
import { patience } from '../support/pace.ts'
import { startReverseProxy, withoutProxy } from '../support/reverse-proxy.ts'
import { createTestCa } from '../support/test-ca.ts'

/** The console under a name of its own, behind proxies that are set up with the lines of DEPLOYMENT.md. */

const HOST = 'oauth3.example.com'
const ORIGIN = `https://${HOST}`
/** Of a browser elsewhere: another address than the proxy's. */
const ELSEWHERE = '127.0.0.9'

describe.each(['nginx', 'Caddy'] as const)('behind %s', (name) => {
  const missing = withoutProxy(name) ?? withoutChromium()

  describe.skipIf(missing !== undefined)(missing ?? 'with TLS', () => {
    const ca = createTestCa()
    const { cert, key } = ca.issue([HOST])
    let folder: string
    let port: number
    let daemon: DaemonKit
    let browser: Browser
    let page: Page
    const stack = new AsyncDisposableStack()

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'oauth3-behind-'))
      stack.defer(() => rmSync(folder, { recursive: true, force: true }))
      port = await freePort()
      daemon = stack.use(
        await createDaemonKit({
          sandbox: async () => createScriptedSandbox(),
          environment: { OAUTH3_PUBLIC_URL: ORIGIN, OAUTH3_TRUSTED_PROXIES: '127.0.0.1' },
        }),
      )
      stack.use(await startReverseProxy(name, { folder, port, daemonPort: portOf(daemon), cert, key }))
      browser = await chromium.launch({
        executablePath: chromiumBinary() ?? '',
        args: [
          ...CHROMIUM_ARGS,
          `--host-resolver-rules=MAP ${HOST}:443 127.0.0.1:${port}`,
          // This very certificate is trusted: passkeys work at no place whose certificate is wrong.
          `--ignore-certificate-errors-spki-list=${keyHash(cert)}`,
        ],
      })
      stack.defer(() => browser.close())
      page = await browser.newPage()
      page.setDefaultTimeout(patience(15_000))
    }, patience(60_000))
    afterAll(() => stack.disposeAsync())

    /** From another address than the proxy's. */
    const send = (method: string, path: string, headers: Record<string, string>, body?: object) =>
      new Promise<{ readonly status: number; readonly text: string; readonly cookies: readonly string[] }>(
        (resolve, reject) => {
          const call = request(
            {
              ...{ host: '127.0.0.1', port, servername: HOST, ca: ca.certificate, agent: false },
              ...{ localAddress: ELSEWHERE, method, path },
              headers: { host: HOST, ...headers, ...(body && { 'content-type': 'application/json' }) },
            },
            async (response) =>
              resolve({
                status: response.statusCode ?? 0,
                text: await text(response),
                cookies: response.headers['set-cookie'] ?? [],
              }),
          )
          call.once('error', reject)
          call.end(body && JSON.stringify(body))
        },
      )

    it('a link signs in, by a cookie of this name over TLS alone', async () => {
      const link = await linkOf(daemon)
      expect(link).toMatch(/^https:\/\/oauth3\.example\.com\/console\/#code=/)
      await page.goto(link)
      await page.locator('.connection.live').waitFor()
      expect(await page.context().cookies()).toMatchObject([
        { name: '__Host-oauth3_session', secure: true, httpOnly: true, sameSite: 'Strict', path: '/' },
      ])
    })

    it('events arrive as they happen, and an answer runs', async () => {
      const { body } = await daemon.post({ skill_id: 'behind/proxy', code: 'console.log(1)\n' })
      await page.getByRole('button', { name: 'Run Once' }).click()
      await expect
        .poll(async () => (await daemon.get(`/execute/${body.request_id}`)).body.status)
        .toBe('success')
    })

    it('a passkey is made for this name, and signs in', async () => {
      await addAuthenticator(page)
      await page.goto(`${ORIGIN}/console/passkeys`)
      await addPasskey(page, 'a laptop')
      await page.getByText('a laptop').first().waitFor()
      await page.context().clearCookies()
      await page.goto(`${ORIGIN}/console/`)
      await page.getByRole('button', { name: /passkey/i }).click()
      await page.locator('.connection.live').waitFor()
    })

    it('the audit has the address of the browser, and none that it makes up', async () => {
      const code = codeOf(await linkOf(daemon))
      const headers = { origin: ORIGIN, 'sec-fetch-site': 'same-origin' }
      const answer = await send(
        'POST',
        '/console/api/session/code',
        { ...headers, 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'http' },
        { code },
      )
      expect(answer.status, answer.text).toBe(200)
      expect(answer.cookies.join()).toMatch(/^__Host-oauth3_session=\S+; HttpOnly; SameSite=Strict; Secure;/)
      const { rows } = (await daemon.admin('GET', '/v1/audit?event=session.opened')).body
      expect(JSON.parse(rows[0].data)).toMatchObject({ address: ELSEWHERE })
    })

    it('nothing but the console is passed on, and no other origin calls it', async () => {
      for (const path of ['/execute', '/health', '/llm/openai/v1/models', '/metrics', '/mcp']) {
        const { text: got } = await send('GET', path, { authorization: `Bearer ${daemon.token}` })
        expect(got, path).not.toMatch(/"error"|"status"|"data"|^# HELP/m)
      }
      const other = await send('POST', '/console/api/session/code', { origin: 'https://evil.example' }, {})
      expect([other.status, JSON.parse(other.text).error.code]).toEqual([403, 'origin_not_allowed'])
    })
  })
})

/** As Chromium names a key: SHA-256 of its SubjectPublicKeyInfo. */
function keyHash(certificate: string): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('base64')
}
