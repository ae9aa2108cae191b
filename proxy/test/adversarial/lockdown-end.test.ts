import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBrowser } from '../support/console-kit.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { createPasskeyBrowser, type PasskeyBrowser } from '../support/passkey-kit.ts'

let kit: DaemonKit
let later = 0
beforeEach(async () => {
  later = 0
  kit = await createDaemonKit({
    clock: { now: () => Date.now() + later },
    sandbox: async () => createScriptedSandbox(() => ({})),
  })
})
afterEach(async () => await kit[Symbol.asyncDispose]())

const UNLOCK = { confirm: 'unlock' }
async function signedIn(): Promise<PasskeyBrowser> {
  const browser = createPasskeyBrowser(kit)
  expect((await browser.signIn()).status).toBe(200)
  return browser
}
const atSocket = () => kit.admin('POST', '/v1/panic/end', UNLOCK)
const isLocked = async (): Promise<boolean> => (await kit.admin('GET', '/v1/panic')).body.locked
const reasonOf = ({ body }: { body: { error?: { details?: { reason?: string } } } }) =>
  body.error?.details?.reason

describe('a lockdown is ended', () => {
  test('by no session that a link alone has signed in or stepped up, with a passkey or without', async () => {
    const browser = await signedIn()
    await browser.post('/v1/panic')
    expect(reasonOf(await browser.post('/v1/panic/end', UNLOCK))).toBe('passkey_required')
    expect((await atSocket()).status).toBe(200)
    const passkey = await browser.register('mine')
    await kit.admin('POST', '/v1/panic')
    for (const thief of [browser, await signedIn()])
      expect(reasonOf(await thief.post('/v1/panic/end', UNLOCK))).toBe('passkey_required')
    expect(await isLocked()).toBe(true)
    await browser.stepUp(passkey)
    expect((await browser.post('/v1/panic/end', {})).status).toBe(400)
    expect((await browser.post('/v1/panic/end', UNLOCK)).body).toMatchObject({ locked: false })
  })

  test('by a session signed in by passkey for ten minutes, and then not', async () => {
    const passkey = await (await signedIn()).register('mine')
    const browser = createPasskeyBrowser(kit)
    await browser.signInBy(passkey)
    await kit.admin('POST', '/v1/panic')
    later += 10 * 60_000
    expect(reasonOf(await browser.post('/v1/panic/end', UNLOCK))).toBe('passkey_required')
    await browser.stepUp(passkey)
    expect((await browser.post('/v1/panic/end', UNLOCK)).status).toBe(200)
  })

  test('not at the socket once the owner has a passkey, and only with the word before', async () => {
    await kit.admin('POST', '/v1/panic')
    for (const body of [{}, { confirm: 'yes' }, { confirm: true }])
      expect((await kit.admin('POST', '/v1/panic/end', body)).status).toBe(400)
    expect((await atSocket()).status).toBe(200)
    await (await signedIn()).register('mine')
    await kit.admin('POST', '/v1/panic')
    expect((await atSocket()).body.error).toMatchObject({ code: 'refused' })
    await kit.restart()
    expect((await atSocket()).body.error).toMatchObject({ code: 'refused' })
    expect(await isLocked()).toBe(true)
  })

  test('by no passkey that was made during it, and by taking none away: at the socket or in a session', async () => {
    const browser = await signedIn()
    const passkey = await browser.register('mine')
    await kit.admin('POST', '/v1/panic')
    const thief = await signedIn()
    await expect(thief.register('theirs')).rejects.toThrow('"code":"locked"')
    const path = `/v1/passkeys/${passkey.id}`
    expect((await thief.send(`/console/api${path}`, { method: 'DELETE' })).body.error.code).toBe('locked')
    expect((await kit.admin('DELETE', path)).body.error.code).toBe('locked')
    expect((await kit.admin('GET', '/v1/passkeys')).body.passkeys).toHaveLength(1)
    expect((await atSocket()).body.error.code).toBe('refused')
    await browser.stepUp(passkey)
    expect((await browser.post('/v1/panic/end', UNLOCK)).status).toBe(200)
    expect((await kit.admin('DELETE', path)).status).toBe(200)
  })

  test('by nobody who is not signed in', async () => {
    await kit.admin('POST', '/v1/panic')
    const body = { method: 'POST', body: UNLOCK }
    expect((await createBrowser(kit).send('/console/api/v1/panic/end', body)).status).toBe(401)
    expect(await isLocked()).toBe(true)
  })
})
