import { expect, it } from 'vitest'
import {
  addAuthenticator,
  describeInBrowser,
  expectAccessible,
  expectNoSidewaysScroll,
  PHONE,
} from '../support/browser.ts'

let ahead = 0

describeInBrowser(
  'an account at the console',
  (kit) => {
    it('signs up on a phone, sees its own console, makes and revokes a key of a program', async () => {
      const ann = await kit.person(PHONE)
      const { page } = ann
      await page.goto(kit.url)
      await page.getByRole('button', { name: 'I have no account yet' }).click()
      await page.getByLabel('Email address').fill('ann@example.com')
      await page.getByLabel('Password').fill('a battery, a staple')
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
      await page.getByRole('button', { name: 'Sign up' }).click()
      await page.locator('.connection.live').waitFor()
      // Acts of the installation are not its.
      await page.goto(`${kit.url}settings`)
      await page.getByRole('button', { name: 'Rotate the data key' }).waitFor()
      for (const name of ['Rotate the master key', 'Try every part'])
        expect(await page.getByRole('button', { name }).count(), name).toBe(0)
      // What the daemon's owner has is not there.
      await page.goto(`${kit.url}agents`)
      await page.getByRole('heading', { name: 'Agents' }).waitFor()
      expect(await page.locator('main').textContent()).not.toContain('claw')

      await page.goto(`${kit.url}more`)
      await page.getByRole('link', { name: /Account/ }).click()
      await page.locator('main').getByText('ann@example.com').first().waitFor()
      await page.getByText('Make a key').click()
      await page.getByLabel('What it is for').fill('a script')
      await page.getByRole('button', { name: 'Make', exact: true }).click()
      const key = await page.getByText(/^oc_/).first().textContent()
      expect(key).toMatch(/^oc_[\w-]{43}$/)
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
      const asked = () =>
        fetch(new URL('/api/auth/me', kit.url), { headers: { authorization: `Bearer ${key}` } })
      expect((await asked()).status).toBe(200)
      await page.getByRole('button', { name: 'Revoke' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
      await page.getByText('a script is revoked.').waitFor()
      expect((await asked()).status).toBe(401)
      expect(await page.content()).not.toContain('a battery')
      expect(ann.defects).toEqual([])
    })

    it('changes its password once it has proved that it is its person, by the password, then by a passkey', async () => {
      const bob = await kit.person()
      const { page } = bob
      await page.goto(kit.url)
      await page.getByRole('button', { name: 'I have no account yet' }).click()
      await page.getByLabel('Email address').fill('bob@example.com')
      await page.getByLabel('Password').fill('a battery, a staple')
      await page.getByRole('button', { name: 'Sign up' }).click()
      await page.locator('.connection.live').waitFor()
      ahead += 11 * 60_000
      const change = async (password: string): Promise<void> => {
        await page.goto(`${kit.url}account`)
        await page.getByText('Change the password').click()
        await page.getByLabel('New password').fill(password)
        await page.getByRole('button', { name: 'Save' }).click()
      }
      await change('another password')
      await page.getByLabel('Your password').fill('a battery, a staple')
      await expectAccessible(page)
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByText('The password is set').waitFor()

      await addAuthenticator(page)
      await page.goto(`${kit.url}passkeys`)
      await page.getByText('Add a passkey').click()
      await page.getByLabel('A name for it').fill('phone')
      await page.getByRole('button', { name: 'Add it' }).click()
      await page.getByText('The passkey is registered.').waitFor()
      ahead += 11 * 60_000
      await page.goto(`${kit.url}account`)
      await page.getByText('Change the password').click()
      await page.getByLabel('New password').fill('a third password')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('The password is set').waitFor()
      expect(bob.defects).toEqual([])
    })
  },
  { environment: { OAUTH3_SIGNUP: 'password' }, clock: { now: () => Date.now() + ahead } },
)
