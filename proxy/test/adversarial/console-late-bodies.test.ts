import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Browser, createBrowser, portOf } from '../support/console-kit.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'

let kit: DaemonKit
let later = 0
beforeAll(async () => {
  kit = await createDaemonKit({
    clock: { now: () => Date.now() + later },
    sandbox: async () => createScriptedSandbox(() => ({})),
  })
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

async function signedIn(): Promise<Browser> {
  const browser = createBrowser(kit)
  await browser.signIn()
  return browser
}

/** A call whose head the daemon has read, and whose body it is still to get. */
async function begun(cookie: string | undefined, method: string, path: string, body: unknown) {
  const sent = JSON.stringify(body)
  const origin = `http://localhost:${portOf(kit)}`
  const call = request({
    ...{ host: '127.0.0.1', port: portOf(kit), method, path, agent: false },
    headers: {
      ...{ host: new URL(origin).host, origin, cookie, 'sec-fetch-site': 'same-origin' },
      ...{ 'content-type': 'application/json', 'content-length': sent.length, expect: '100-continue' },
    },
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    call.once('response', resolve)
    call.once('error', reject)
  })
  const goesOn = new Promise<void>((resolve) => call.once('continue', resolve))
  call.flushHeaders()
  await Promise.race([goesOn, answered])
  return async () => {
    call.end(sent)
    const answer = await answered
    return { status: answer.statusCode, text: await text(answer) }
  }
}

async function ask(): Promise<{ readonly id: string; readonly consent_hash: string }> {
  const posted = await kit.post({ skill_id: 'demo/late', code: `console.log(${Math.random()})\n` })
  return (await kit.admin('GET', `/v1/approvals/${posted.body.request_id}`)).body
}

describe('a call whose body comes late is answered for who asks by then', () => {
  it('decides nothing once the session was signed out', async () => {
    const browser = await signedIn()
    const { id, consent_hash } = await ask()
    const body = { choice: 'once', consent_hash }
    const end = await begun(browser.cookie, 'POST', `/console/api/v1/approvals/${id}/decision`, body)
    await browser.send('/console/api/session/logout', { method: 'POST' })
    expect(await end()).toMatchObject({ status: 401 })
    expect((await kit.admin('GET', `/v1/approvals/${id}`)).body.state).toBe('pending')
  })

  it('makes no link, and registers nothing, once the session was revoked', async () => {
    const browser = await signedIn()
    const link = await begun(browser.cookie, 'POST', '/console/api/v1/console/link', {})
    const options = await begun(browser.cookie, 'POST', '/console/api/passkeys/register/options', {})
    const { sessions } = (await kit.admin('GET', '/v1/sessions')).body
    for (const { id } of sessions) await kit.admin('DELETE', `/v1/sessions/${id}`)
    expect(await link()).toMatchObject({ status: 401 })
    expect(await options()).toMatchObject({ status: 401 })
  })

  it('may no longer do what asks for a fresh proof once that is old', async () => {
    const browser = await signedIn()
    const body = { name: 'late', cidrs: [], tags: [] }
    const end = await begun(browser.cookie, 'POST', '/console/api/v1/agents', body)
    later += 11 * 60_000
    expect((await end()).text).toContain('step_up_required')
  })
})
