import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyReceipt } from '../../src/audit/proof/index.ts'
import { type DecisionProof, verifyDecisionProof } from '../../src/kernel/index.ts'
import { portOf } from '../support/console-kit.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { type Asked, createPasskeyBrowser } from '../support/passkey-kit.ts'
import { assertSoft, type Deviation, registerSoft } from '../support/soft-authenticator.ts'

let kit: DaemonKit
let later = 0
beforeAll(async () => {
  kit = await createDaemonKit({
    clock: { now: () => Date.now() + later },
    sandbox: async () => createScriptedSandbox(() => ({})),
  })
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

async function signedIn() {
  const browser = createPasskeyBrowser(kit)
  await browser.signIn()
  return browser
}

let asked = 0
async function ask(choice = 'once'): Promise<Asked> {
  asked += 1
  const posted = await kit.post({ skill_id: `demo/${asked}`, code: `console.log(${asked})\n` })
  const { body } = await kit.admin('GET', `/v1/approvals/${posted.body.request_id}`)
  return { approval: body.id, choice, consent_hash: body.consent_hash }
}

const stateOf = async ({ approval }: Asked): Promise<string> =>
  (await kit.admin('GET', `/v1/approvals/${approval}`)).body.state

interface AuditRow {
  readonly event: string
  readonly data: { readonly proof?: DecisionProof; readonly authenticator?: string }
}

/** Whatever the audit has of it. */
async function rowsOf(of: Asked): Promise<readonly AuditRow[]> {
  const { rows } = (await kit.admin('GET', '/v1/audit?limit=1000')).body
  return rows
    .filter(({ request_id }: { request_id: string | null }) => request_id === of.approval)
    .map((row: { data: string | object }) => ({
      ...row,
      data: typeof row.data === 'string' ? JSON.parse(row.data) : row.data,
    }))
}

const NOT_ACCEPTED = { code: 'refused', details: { reason: 'passkey_not_accepted' } }

it('an assertion for one request, answer or set of terms decides no other', async () => {
  const browser = await signedIn()
  const passkey = await browser.register('laptop')
  const [a, b] = [await ask(), await ask()]
  const others = {
    'another request': b,
    'another consent': { ...a, consent_hash: b.consent_hash },
    'the other answer': { ...a, choice: 'deny' },
    'a wider answer': { ...a, choice: 'forever' },
    'other terms': { ...a, terms: { models: ['*'] } },
  }
  for (const [what, other] of Object.entries(others)) {
    const proof = await browser.prove(passkey, a)
    const decided = await browser.decide(other, proof)
    expect(decided.status, what).toBe(409)
    expect(decided.body.error, what).toMatchObject(NOT_ACCEPTED)
    // And it is used up.
    expect((await browser.decide(a, proof)).body.error, what).toMatchObject(NOT_ACCEPTED)
  }
  expect([await stateOf(a), await stateOf(b)]).toEqual(['pending', 'pending'])
})

it('an assertion decides once, in its own session, and stays in the audit as a proof that verifies by itself', async () => {
  const browser = await signedIn()
  const passkey = await browser.register('phone')
  const one = await ask()
  const proof = await browser.prove(passkey, one)
  const elsewhere = await signedIn()
  expect((await elsewhere.decide(one, proof)).body.error).toMatchObject(NOT_ACCEPTED)
  expect(await stateOf(one)).toBe('pending')
  const decided = await browser.decide(one, proof)
  expect(decided.status, decided.text).toBe(200)
  expect((await browser.decide(one, proof)).status).toBe(409)

  const rows = await rowsOf(one)
  expect(rows.filter(({ event }) => event === 'approval.proved')).toHaveLength(1)
  const kept = rows.find(({ event }) => event === 'approval.decided')?.data.proof as DecisionProof
  expect(JSON.stringify(rows).split(kept.signature)).toHaveLength(2)
  expect(kept.statement).toMatchObject({ ...one, by: `cli:${process.getuid?.()}`, terms: null })
  expect(verifyDecisionProof(kept)).toEqual({ ok: true })
  expect(verifyDecisionProof({ ...kept, statement: { ...kept.statement, choice: 'forever' } }).ok).toBe(false)
})

it('a receipt tells a yes that a passkey signed from one of a session that a link or a passkey signed in', async () => {
  const browser = await signedIn()
  const passkey = await browser.register('watch')
  const receiptOf = async (decide: (one: Asked) => Promise<{ readonly status: number }>) => {
    const one = await ask()
    expect((await decide(one)).status).toBe(200)
    const { text } = (await kit.admin('GET', `/v1/receipts/${one.approval}`)).body
    const verified = verifyReceipt(Buffer.from(text), null)
    return verified.ok ? verified.receipt : verified.problem
  }
  expect(await receiptOf((one) => browser.decide(one))).toMatchObject({ authenticator: 'console-link' })
  const signed = await receiptOf(async (one) => browser.decide(one, await browser.prove(passkey, one)))
  expect(signed).toMatchObject({ authenticator: 'passkey', proof: expect.stringContaining(passkey.id) })
  const other = createPasskeyBrowser(kit)
  await other.signInBy(passkey)
  expect(await receiptOf((one) => other.decide(one))).toMatchObject({
    ...{ authenticator: 'console-passkey', proof: '-' },
  })
})

it('a decision that is refused all the same leaves no proof, and the passkey as it was', async () => {
  const browser = await signedIn()
  const passkey = await browser.register('tablet')
  const one = await ask()
  const proof = await browser.prove(passkey, one)
  await kit.admin('POST', `/v1/approvals/${one.approval}/decision`, {
    choice: 'deny',
    consent_hash: one.consent_hash,
  })
  const late = await browser.decide(one, proof)
  expect(late.status).toBe(409)
  expect(late.body.error.details.reason).toBe('already_decided')
  expect((await rowsOf(one)).filter(({ data }) => data.proof !== undefined)).toEqual([])
  expect((await browser.stepUp(passkey)).status).toBe(200)
})

it('the socket takes no proof, which would be somebody’s else', async () => {
  const browser = await signedIn()
  const passkey = await browser.register('socket')
  const one = await ask()
  const proof = await browser.prove(passkey, one)
  const { approval, ...body } = one
  const decided = await kit.admin('POST', `/v1/approvals/${approval}/decision`, { ...body, proof })
  expect(decided.status).toBe(400)
  expect(await stateOf(one)).toBe('pending')
})

const DEVIATIONS: Readonly<Record<string, Deviation>> = {
  'another port’s page': { origin: 'http://localhost:1' },
  'an address in place of the name': { origin: 'http://127.0.0.1:1' },
  'another relying party': { rpId: 'evil.example' },
  'an absent person': { flags: 0x04 },
  'an unverified person': { flags: 0x01 },
  'an empty challenge': { challenge: '' },
  'a made-up challenge': { challenge: Buffer.alloc(32).toString('base64url') },
  'a frame of another page': { client: { crossOrigin: true, topOrigin: 'https://evil.example' } },
  'a registration': { type: 'webauthn.create' },
  'the id of another passkey': { id: 'AAAA' },
  'another user': { userHandle: 'AAAA' },
}

it('sign-in and step-up are refused alike for whatever is wrong, and tell nobody which passkeys there are', async () => {
  const owner = await signedIn()
  const passkey = await owner.register('honest')
  const { passkey: unknown } = registerSoft(
    (await owner.post('/passkeys/register/options')).body,
    owner.origin,
  )
  const texts = new Set<string>()
  const tries: [typeof passkey, Deviation][] = Object.values(DEVIATIONS).map((how) => [passkey, how])
  tries.push([unknown, {}], [passkey, { key: unknown.privateKey }], [passkey, { counter: 1 }])
  for (const [by, how] of tries) {
    const refused = await createPasskeyBrowser(kit).signInBy(by, how)
    expect(refused.status, JSON.stringify(how)).toBe(401)
    expect(refused.headers['set-cookie']).toBeUndefined()
    texts.add(refused.text)
    if (by === passkey)
      expect((await owner.stepUp(passkey, how)).body.error, JSON.stringify(how)).toMatchObject(NOT_ACCEPTED)
  }
  expect([...texts]).toHaveLength(1)
  const fresh = createPasskeyBrowser(kit)
  const options = await fresh.post('/passkeys/sign-in/options')
  expect(options.body.allowCredentials).toEqual([])
  const sent = assertSoft(passkey, options.body, owner.origin)
  const good = await fresh.post('/passkeys/sign-in', { credential: sent })
  expect(good.body).toMatchObject({ method: 'passkey', role: 'owner', has_passkey: true })
  // Replayed, and with the challenge of a step-up.
  expect((await createPasskeyBrowser(kit).post('/passkeys/sign-in', { credential: sent })).status).toBe(401)
  const stepUp = (await owner.post('/passkeys/step-up/options')).body
  const swapped = assertSoft(passkey, stepUp, owner.origin)
  expect((await createPasskeyBrowser(kit).post('/passkeys/sign-in', { credential: swapped })).status).toBe(
    401,
  )
})

it('a passkey is registered in a stepped-up session alone, once, and never as ML-DSA', async () => {
  const stranger = createPasskeyBrowser(kit)
  for (const path of ['register/options', 'step-up/options'])
    expect((await stranger.post(`/passkeys/${path}`)).status, path).toBe(401)
  const browser = await signedIn()
  const options = (await browser.post('/passkeys/register/options')).body
  expect(options.pubKeyCredParams.map(({ alg }: { alg: number }) => alg)).toEqual([-7, -8, -257])
  const { sent } = registerSoft(options, browser.origin)
  const first = await browser.post('/passkeys/register', { label: 'one', credential: sent })
  expect(first.status, first.text).toBe(200)
  expect(
    (await browser.post('/passkeys/register', { label: 'two', credential: sent })).body.error,
  ).toMatchObject(NOT_ACCEPTED)
  const again = (await browser.post('/passkeys/register/options')).body
  expect(again.excludeCredentials.map(({ id }: { id: string }) => id)).toContain(sent.id)
  const twin = registerSoft(again, browser.origin, { id: sent.id })
  const twice = await browser.post('/passkeys/register', { label: 'two', credential: twin.sent })
  expect(twice.body.error.code).toBe('conflict')
  for (const how of Object.values(DEVIATIONS).filter(
    ({ userHandle, id, type }) => !userHandle && !id && !type,
  )) {
    const next = registerSoft((await browser.post('/passkeys/register/options')).body, browser.origin, how)
    const refused = await browser.post('/passkeys/register', { label: 'bad', credential: next.sent })
    expect(refused.status, JSON.stringify(how)).toBe(409)
  }
  for (const label of ['', 'two\nlines', 'rtl\u202etxt', 'x'.repeat(65)]) {
    const next = registerSoft((await browser.post('/passkeys/register/options')).body, browser.origin)
    expect((await browser.post('/passkeys/register', { label, credential: next.sent })).status).toBe(400)
  }
})

it('a session whose proof is old registers, renames and removes nothing until its person proves again who they are', async () => {
  const browser = await signedIn()
  const passkey = await browser.register('old')
  const made = registerSoft((await browser.post('/passkeys/register/options')).body, browser.origin)
  later += 10 * 60_000
  const challenge = await browser.post('/passkeys/register', { label: 'late', credential: made.sent })
  const path = `/console/api/v1/passkeys/${passkey.id}`
  for (const { body } of [
    challenge,
    await browser.post('/passkeys/register/options'),
    await browser.send(path, { method: 'PATCH', body: { label: 'x' } }),
    await browser.send(path, { method: 'DELETE' }),
  ])
    expect(body.error).toMatchObject({ code: 'refused', details: { reason: 'step_up_required' } })
  expect((await browser.stepUp(passkey, { flags: 0x01 })).status).toBe(409)
  expect((await browser.post('/passkeys/register/options')).status).toBe(409)
  const stepped = await browser.stepUp(passkey)
  expect(stepped.body.stepped_up_until).toBeGreaterThan(stepped.body.now)
  await browser.register('new')
  const renamed = await browser.send(path, { method: 'PATCH', body: { label: 'blue' } })
  expect(renamed.body).toMatchObject({ label: 'blue', own: true })
})

it('what is no assertion, or too large for one, is refused before anything is verified', async () => {
  const browser = createPasskeyBrowser(kit)
  const huge = 'A'.repeat(5_000)
  const credential = {
    id: 'AAAA',
    rawId: 'AAAA',
    type: 'public-key',
    response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' },
  }
  for (const bad of [
    {},
    { ...credential, id: huge },
    { ...credential, id: '../../x' },
    { ...credential, type: 'password' },
    { ...credential, response: { ...credential.response, signature: huge } },
    { ...credential, response: { ...credential.response, clientDataJSON: huge } },
    { ...credential, response: { ...credential.response, clientDataJSON: 'a+b/' } },
    { ...credential, response: null },
  ])
    expect((await browser.post('/passkeys/sign-in', { credential: bad })).status).toBe(400)
  expect(
    (await browser.post('/passkeys/sign-in', { credential: { ...credential, id: 'A'.repeat(20_000) } }))
      .status,
  ).toBe(413)
  for (const text of ['null', '[]', '7', '{"challenge":7}', '{"challenge":null}', '\u0000', '{'])
    expect(
      (
        await browser.post('/passkeys/sign-in', {
          credential: {
            ...credential,
            response: { ...credential.response, clientDataJSON: Buffer.from(text).toString('base64url') },
          },
        })
      ).status,
    ).toBe(401)
})

it('a removed passkey signs in nobody, and whoever it had signed in is out', async () => {
  const owner = await signedIn()
  const passkey = await owner.register('stolen')
  const thief = createPasskeyBrowser(kit)
  expect((await thief.signInBy(passkey)).status).toBe(200)
  expect((await thief.send('/console/api/v1/approvals')).status).toBe(200)
  const one = await ask()
  const proof = await thief.prove(passkey, one)
  const removed = await owner.send(`/console/api/v1/passkeys/${passkey.id}`, {
    method: 'DELETE',
  })
  expect(removed.status, removed.text).toBe(200)
  expect((await thief.send('/console/api/v1/approvals')).status).toBe(401)
  expect((await thief.decide(one, proof)).status).toBe(401)
  expect((await createPasskeyBrowser(kit).signInBy(passkey)).status).toBe(401)
  expect((await owner.send('/console/api/session')).status).toBe(200)
  expect(await stateOf(one)).toBe('pending')
  // By the command line its own browser is out as well.
  const other = await owner.register('other')
  await kit.admin('DELETE', `/v1/passkeys/${other.id}`)
  expect((await owner.send('/console/api/session')).status).toBe(401)
})

it('passkeys of before a restart sign in after it, and challenges that were used stay used', async () => {
  const owner = await signedIn()
  const passkey = await owner.register('kept')
  const options = (await createPasskeyBrowser(kit).post('/passkeys/sign-in/options')).body
  const sent = assertSoft(passkey, options, owner.origin)
  expect((await createPasskeyBrowser(kit).post('/passkeys/sign-in', { credential: sent })).status).toBe(200)
  await kit.restart()
  // The port may be another: the origin is bound to it.
  const back = createPasskeyBrowser(kit)
  expect((await back.post('/passkeys/sign-in', { credential: sent })).status).toBe(401)
  expect((await back.signInBy(passkey)).status).toBe(200)
  expect(portOf(kit)).toBeGreaterThan(0)
})
