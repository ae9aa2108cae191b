import { expect, it } from 'vitest'
import { verifyDecisionProof } from '../../src/kernel/index.ts'
import {
  addAuthenticator,
  addPasskey,
  DESKTOP,
  describeInBrowser,
  expectAccessible,
} from '../support/browser.ts'

/** By how much the daemon's clock is ahead. */
let later = 0

describeInBrowser(
  'a passkey in Chromium',
  (kit) => {
    it('is registered, signs in again, and registers no second time', async () => {
      const ann = await kit.person(DESKTOP)
      const { session, id } = await addAuthenticator(ann.page)
      await ann.signIn('/passkeys')
      await addPasskey(ann.page, 'laptop')
      await ann.page.getByRole('row', { name: /laptop/ }).waitFor()
      const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId: id })
      expect(credentials).toMatchObject([{ isResidentCredential: true, rpId: 'localhost' }])

      await addPasskey(ann.page, 'laptop again')
      await ann.page.getByText('There is a passkey of yours on this device already.').waitFor()

      await ann.page.getByRole('button', { name: 'Sign out' }).click()
      const signIn = ann.page.getByRole('button', { name: 'Use a passkey' })
      await signIn.click()
      await signIn.waitFor({ state: 'detached' })
      const { body } = await kit.daemon.admin('GET', '/v1/sessions')
      expect(body.sessions.map(({ method }: { method: string }) => method)).toContain('passkey')

      await ann.page.goto(`${kit.url}passkeys`)
      await ann.page.getByRole('button', { name: 'Remove' }).click()
      await ann.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
      await ann.page.getByText('No passkeys yet.').waitFor()
      expect(ann.defects).toEqual([])
      // Its session at the debugger ends the virtual authenticators with it.
      await expectAccessible(ann.page)
    })

    it('that cannot verify its person signs in nobody', async () => {
      const ann = await kit.person(DESKTOP)
      const { session, id } = await addAuthenticator(ann.page)
      await ann.signIn('/passkeys')
      await addPasskey(ann.page, 'phone')
      await ann.page.getByRole('row', { name: /phone/ }).waitFor()
      await ann.page.getByRole('button', { name: 'Sign out' }).click()
      await session.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: false })
      await ann.page.getByRole('button', { name: 'Use a passkey' }).click()
      await ann.page.getByText('Nothing was proved').waitFor()
      await session.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: true })
      await ann.page.getByRole('button', { name: 'Use a passkey' }).click()
      await ann.page.getByRole('button', { name: 'Use a passkey' }).waitFor({ state: 'detached' })
    })

    it('signs the answer to a request of high risk, which the audit keeps as a proof', async () => {
      const ann = await kit.person(DESKTOP)
      await addAuthenticator(ann.page)
      await ann.signIn('/passkeys')
      await addPasskey(ann.page, 'tablet')
      await ann.page.getByRole('row', { name: /tablet/ }).waitFor()
      await kit.daemon.admin('PUT', '/v1/secrets/RISKY_KEY', { value: 'demo-value-of-it', risk: 'high' })
      const posted = await kit.daemon.post({
        ...{ skill_id: 'risky/one', code: "console.log('risky')\n" },
        secrets: [{ name: 'RISKY_KEY' }],
      })
      const id: string = posted.body.request_id
      const { consent_hash, risk } = (await kit.daemon.admin('GET', `/v1/approvals/${id}`)).body
      expect(risk).toBe('high')
      // The daemon demands it, whoever asks and by whichever way.
      const body = { choice: 'once', consent_hash }
      const atSocket = await kit.daemon.admin('POST', `/v1/approvals/${id}/decision`, body)
      const inPage = await ann.page.evaluate(
        async ([path, sent]) => {
          const headers = { 'content-type': 'application/json' }
          return await (await fetch(path, { method: 'POST', headers, body: sent })).json()
        },
        [`/console/api/v1/approvals/${id}/decision`, JSON.stringify(body)] as const,
      )
      for (const refused of [atSocket.body, inPage])
        expect(refused.error).toMatchObject({ code: 'refused', details: { reason: 'needs_passkey' } })
      await ann.page.getByRole('link', { name: 'Inbox' }).click()
      const card = ann.page.locator(`[data-request="${id}"]`)
      await card.getByRole('button', { name: 'Run Once' }).click()
      await card.waitFor({ state: 'detached' })
      const { rows } = (await kit.daemon.admin('GET', '/v1/audit?limit=200')).body
      const decided = rows.find(
        (row: { event: string; request_id: string }) =>
          row.event === 'approval.decided' && row.request_id === id,
      )
      const { proof, authenticator } = JSON.parse(decided.data)
      expect(authenticator).toBe('passkey')
      expect(proof.statement).toMatchObject({ approval: id, choice: 'once', consent_hash, terms: null })
      expect(verifyDecisionProof(proof)).toEqual({ ok: true })
    })

    it('proves again who it is where a sign-in is ten minutes old, and without it nothing is done', async () => {
      const ann = await kit.person(DESKTOP)
      const { session, id } = await addAuthenticator(ann.page)
      await ann.signIn('/passkeys')
      await addPasskey(ann.page, 'watch')
      await ann.page.getByRole('row', { name: /watch/ }).waitFor()
      later += 10 * 60_000
      await session.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: false })
      await ann.page.getByRole('link', { name: 'Agents' }).click()
      await ann.page.getByText('Add an agent').click()
      await ann.page.getByLabel('Name', { exact: true }).fill('stepped-up')
      const add = ann.page.getByRole('button', { name: 'Add', exact: true })
      await add.click()
      await ann.page.getByText('Nothing was proved').waitFor()
      const names = async (): Promise<readonly string[]> =>
        (await kit.daemon.admin('GET', '/v1/agents')).body.agents.map(({ name }: { name: string }) => name)
      expect(await names()).not.toContain('stepped-up')
      await session.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: true })
      await add.click()
      await ann.page.getByText('The token of').waitFor()
      expect(await names()).toContain('stepped-up')
    })
  },
  { clock: { now: () => Date.now() + later } },
)
