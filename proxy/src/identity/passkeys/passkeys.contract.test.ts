import { sign, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  assertSoft,
  type Deviation,
  type KeyKind,
  PRESENT_AND_VERIFIED,
  registerSoft,
  type SoftPasskey,
} from '../../../test/support/soft-authenticator.ts'
import { storeContract } from '../../../test/support/store-contract.ts'
import { createTestCa } from '../../../test/support/test-ca.ts'
import { createAuditLog, createAuditStore } from '../../audit/index.ts'
import { type Json, type Storage, verifyDecisionProof } from '../../kernel/index.ts'
import { createMetaStore } from '../../storage/index.ts'
import type { Actor } from '../index.ts'
import { createChallengeStore, createPasskeySignIn, createPasskeyStore, createPasskeys } from './index.ts'

const stores = {
  audit: createAuditStore,
  meta: createMetaStore,
  passkeys: createPasskeyStore,
  passkeyChallenges: createChallengeStore,
}
const ORIGIN = 'http://localhost:7080'
const ANN = { person: 'cli:1000' as Actor, session: 's1', name: 'ann', origin: ORIGIN }
const BEN = { person: 'telegram:7' as Actor, session: 's2', name: 'ben', origin: ORIGIN }
const [HASH_A, HASH_B] = ['a'.repeat(64), 'b'.repeat(64)]
const REFUSED = expect.objectContaining({
  code: 'refused',
  details: { reason: 'passkey_not_accepted' },
})

storeContract('passkeys', stores, (kit) => {
  const open = (storage: Storage = kit.mine) => {
    const clock = { at: 1_000_000, now: () => clock.at }
    const audit = createAuditLog({ storage, clock, auditKey: new Uint8Array(32).fill(9) })
    const passkeys = createPasskeys({ storage, audit, clock, assertOpen: () => {} })
    const register = async (of = ANN, how: Deviation & { kind?: KeyKind } = {}) => {
      const { passkey, sent } = registerSoft(await passkeys.registrationOptions(of), ORIGIN, how)
      await passkeys.register(of, 'phone', sent)
      return passkey
    }
    const stepUp = async (passkey: SoftPasskey, how: Deviation = {}, of = ANN) => {
      const sent = assertSoft(passkey, await passkeys.stepUpOptions(of), ORIGIN, how)
      const assertion = await passkeys.verifyStepUp(of, sent)
      await storage.transaction((tx) => passkeys.accept(tx, assertion))
      return sent
    }
    const told = async () =>
      (await storage.read((tx) => tx.audit.rows(0, 100))).map(({ event, actor }) => [event, actor])
    return { passkeys, storage, clock, register, stepUp, told }
  }

  it('registers passkeys of each offered algorithm, which then step up', async () => {
    const { passkeys, register, stepUp, told } = open()
    for (const kind of ['ES256', 'Ed25519', 'RS256'] as const) await stepUp(await register(ANN, { kind }))
    const own = await passkeys.list(ANN.person)
    expect(own.map(({ counter, label, lastUsedAt }) => [counter, label, lastUsedAt])).toEqual(
      Array(3).fill([2, 'phone', 1_000_000]),
    )
    expect(new Set(own.map(({ userHandle }) => userHandle)).size).toBe(1)
    expect(await passkeys.list(BEN.person)).toEqual([])
    expect(await told()).toEqual(Array(3).fill(['passkey.added', ANN.person]))
  })

  it('offers ES256, Ed25519 and RS256 alone, asks for a verified person, and names what is there already', async () => {
    const { passkeys, register } = open()
    const passkey = await register()
    const options = await passkeys.registrationOptions(ANN)
    expect(options).toMatchObject({
      pubKeyCredParams: [{ alg: -7 }, { alg: -8 }, { alg: -257 }],
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [{ id: passkey.id, transports: ['internal'] }],
      user: { id: passkey.userHandle },
      rp: { id: 'localhost' },
      attestation: 'none',
    })
    expect(Buffer.from(options.challenge, 'base64url')).toHaveLength(32)
    expect(await passkeys.signInOptions(ORIGIN)).toMatchObject({
      allowCredentials: [],
      userVerification: 'required',
    })
  })

  const DEVIATIONS: Readonly<Record<string, Deviation>> = {
    'another origin': { origin: 'http://localhost:7081' },
    'an origin that begins alike': { origin: `${ORIGIN}.evil.example` },
    'another relying party': { rpId: 'evil.example' },
    'an absent person': { flags: 0x04 },
    'an unverified person': { flags: 0x01 },
    'a challenge of its own': { challenge: 'A'.repeat(43) },
    'an empty challenge': { challenge: '' },
    'the other ceremony': { type: 'webauthn.other' },
    'a frame of another origin': { client: { crossOrigin: true } },
  }

  it.each(Object.entries(DEVIATIONS))('refuses to register with %s', async (_, how) => {
    const { passkeys, register, told } = open()
    await expect(register(ANN, how)).rejects.toEqual(REFUSED)
    expect(await passkeys.list(ANN.person)).toEqual([])
    expect(await told()).toEqual([])
  })

  it.each([
    ...Object.entries(DEVIATIONS),
    ['a counter that stands', { counter: 1 }],
    ['a counter that went back', { counter: 0 }],
    ['the id of no passkey', { id: 'AAAA' }],
    ['the handle of another user', { userHandle: 'AAAA' }],
  ] as const)('refuses to step up with %s', async (_, how: Deviation) => {
    const { register, stepUp } = open()
    const passkey = await register()
    await expect(stepUp(passkey, how)).rejects.toEqual(REFUSED)
    // It was this, and nothing else.
    await stepUp(passkey)
  })

  it('tells a wrong signature and a cloned counter apart to nobody', async () => {
    const { register, stepUp } = open()
    const [mine, other] = [await register(), await register()]
    const refusals = await Promise.all(
      [{ key: other.privateKey }, { counter: 1 }].map((how) =>
        stepUp(mine, how).catch((error) => error.toBody()),
      ),
    )
    expect(refusals[0]).toEqual(refusals[1])
    expect(refusals[0]).toMatchObject({ error: { code: 'refused' } })
  })

  it('accepts an assertion once, also of two at the same time', async () => {
    const { passkeys, storage, register, stepUp } = open()
    const passkey = await register()
    const sent = await stepUp(passkey)
    await expect(passkeys.verifyStepUp(ANN, sent)).rejects.toEqual(REFUSED)
    const another = assertSoft(passkey, await passkeys.stepUpOptions(ANN), ORIGIN)
    const both = await Promise.allSettled([0, 1].map(() => passkeys.verifyStepUp(ANN, another)))
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    // A copy of the authenticator: two challenges, one count.
    const twins = []
    for (const _ of [0, 1]) {
      const options = await passkeys.stepUpOptions(ANN)
      twins.push(await passkeys.verifyStepUp(ANN, assertSoft(passkey, options, ORIGIN, { counter: 90 })))
    }
    const accepted = await Promise.allSettled(
      twins.map((one) => storage.transaction((tx) => passkeys.accept(tx, one))),
    )
    expect(accepted.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })

  it('takes an authenticator that does not count for as long as it never does', async () => {
    const { register, stepUp } = open()
    const passkey = await register(ANN, { counter: 0 })
    await stepUp(passkey, { counter: 0 })
    await stepUp(passkey, { counter: 0 })
    await stepUp(passkey, { counter: 5 })
    await expect(stepUp(passkey, { counter: 0 })).rejects.toEqual(REFUSED)
  })

  it('uses a challenge up with the first response, right or wrong', async () => {
    const { passkeys, register } = open()
    const passkey = await register()
    const options = await passkeys.stepUpOptions(ANN)
    const bad = assertSoft(passkey, options, ORIGIN, { flags: 0x01 })
    await expect(passkeys.verifyStepUp(ANN, bad)).rejects.toEqual(REFUSED)
    await expect(passkeys.verifyStepUp(ANN, assertSoft(passkey, options, ORIGIN))).rejects.toEqual(REFUSED)
  })

  it('takes a challenge for two minutes, from its own session, person and ceremony', async () => {
    const { passkeys, clock, register, stepUp } = open()
    const [mine, theirs] = [await register(), await register(BEN)]
    const options = await passkeys.stepUpOptions(ANN)
    const sent = assertSoft(mine, options, ORIGIN)
    for (const of of [{ ...ANN, session: 's9' }, { ...ANN, person: BEN.person }, BEN])
      await expect(passkeys.verifyStepUp(of, sent)).rejects.toEqual(REFUSED)
    await expect(
      passkeys.verifyDecision(
        ANN,
        { approval: 'req_1', choice: 'yes', consent_hash: HASH_A, terms: null },
        sent,
      ),
    ).rejects.toEqual(REFUSED)
    expect(await passkeys.signIns.burn(sent)).toBeUndefined()
    // None of those used it up.
    clock.at += 119_999
    await passkeys.verifyStepUp(ANN, sent)
    const late = assertSoft(mine, await passkeys.stepUpOptions(ANN), ORIGIN)
    clock.at += 120_000
    await expect(passkeys.verifyStepUp(ANN, late)).rejects.toEqual(REFUSED)
    // Another person's passkey signs their challenges, none of mine.
    await expect(stepUp(theirs)).rejects.toEqual(REFUSED)
    await stepUp(theirs, {}, BEN)
  })

  it('keeps the newest challenges of a session, and drops those that are over', async () => {
    const { passkeys, clock, register } = open()
    const passkey = await register()
    const first = await passkeys.stepUpOptions(ANN)
    for (let n = 0; n < 40; n += 1) {
      clock.at += 1
      await passkeys.stepUpOptions(ANN)
    }
    const count = async () =>
      (await kit.sql(`SELECT count(*) AS n FROM passkey_challenges WHERE tenant_id = '${kit.me}'`))[0]?.n
    expect(Number(await count())).toBe(9)
    await expect(passkeys.verifyStepUp(ANN, assertSoft(passkey, first, ORIGIN))).rejects.toEqual(REFUSED)
    clock.at += 200_000
    await passkeys.stepUpOptions(BEN).catch(() => {})
    await passkeys.signInOptions(ORIGIN)
    expect(Number(await count())).toBe(1)
  })

  it('registers a credential once, whoever tries again, and no more than sixteen a person', async () => {
    const { register, told } = open()
    const { id } = await register()
    for (const of of [ANN, BEN])
      await expect(register(of, { id })).rejects.toMatchObject({ code: 'conflict' })
    for (let n = 1; n < 16; n += 1) await register()
    await expect(register()).rejects.toMatchObject({ code: 'conflict' })
    expect(await told()).toHaveLength(16)
  })

  it('takes no short key and no name of a credential that the authenticator did not sign', async () => {
    const { passkeys, register } = open()
    await expect(register(ANN, { kind: 'RS256-1024' })).rejects.toEqual(REFUSED)
    const { sent } = registerSoft(await passkeys.registrationOptions(ANN), ORIGIN)
    await expect(passkeys.register(ANN, 'x', { ...sent, id: 'AAAA', rawId: 'AAAA' })).rejects.toEqual(REFUSED)
    expect(await passkeys.list(ANN.person)).toEqual([])
  })

  it('takes no certificate that is sent along, since checking one may make the daemon call out', async () => {
    const { passkeys, register } = open()
    const { cert, key } = createTestCa().issue(['authenticator.example'])
    const attestation: Deviation['attestation'] = ({ rpIdHash, clientDataHash, credentialId, point }) => {
      const signed = Buffer.concat([Buffer.from([0]), rpIdHash, clientDataHash, credentialId, point])
      const attStmt = new Map<string, unknown>([
        ['sig', sign('sha256', signed, key)],
        ['x5c', [new X509Certificate(cert).raw]],
      ])
      return { fmt: 'fido-u2f', attStmt }
    }
    await expect(register(ANN, { attestation })).rejects.toEqual(REFUSED)
    expect(await passkeys.list(ANN.person)).toEqual([])
  })

  it('renames and removes one, which ends what it was under way with', async () => {
    const { passkeys, storage, register, told } = open()
    const passkey = await register()
    const [stored] = await passkeys.all()
    if (stored === undefined) throw new Error('it was not stored')
    await passkeys.rename(stored, 'blue key', ANN.person)
    const sent = assertSoft(passkey, await passkeys.stepUpOptions(ANN), ORIGIN)
    const assertion = await passkeys.verifyStepUp(ANN, sent)
    const failing = passkeys.remove(stored, BEN.person, async () => {
      throw new Error('the disk is full')
    })
    await expect(failing).rejects.toThrow('the disk is full')
    expect(await passkeys.list(ANN.person)).toMatchObject([{ label: 'blue key', name: 'ann' }])
    await passkeys.remove(stored, BEN.person, async () => {})
    await expect(storage.transaction((tx) => passkeys.accept(tx, assertion))).rejects.toEqual(REFUSED)
    expect(await passkeys.all()).toEqual([])
    for (const late of [
      passkeys.rename(stored, 'x', ANN.person),
      passkeys.remove(stored, ANN.person, async () => {}),
    ])
      await expect(late).rejects.toMatchObject({ code: 'not_found' })
    expect(await told()).toEqual([
      ['passkey.added', ANN.person],
      ['passkey.renamed', ANN.person],
      ['passkey.removed', BEN.person],
    ])
  })

  describe('a decision', () => {
    const ASKED = { approval: 'req_1', choice: 'once', consent_hash: HASH_A, terms: null as Json }

    it('is proved for just what was asked, and the proof verifies without the daemon', async () => {
      const { passkeys, storage, register } = open()
      for (const kind of ['ES256', 'Ed25519', 'RS256'] as const) {
        const passkey = await register(ANN, { kind })
        const options = await passkeys.decisionOptions(ANN, ASKED)
        const sent = assertSoft(passkey, options, ORIGIN, { client: { other_keys_can_be_added_here: 'x' } })
        const proven = await passkeys.verifyDecision(ANN, ASKED, sent)
        await storage.transaction((tx) => passkeys.accept(tx, proven))
        expect(proven.proof.statement).toMatchObject({ ...ASKED, by: ANN.person })
        expect(verifyDecisionProof(JSON.parse(JSON.stringify(proven.proof)))).toEqual({ ok: true })
      }
    })

    it.each([
      ['another request', { ...ASKED, approval: 'req_2' }],
      ['another consent', { ...ASKED, consent_hash: HASH_B }],
      ['another answer', { ...ASKED, choice: 'deny' }],
      ['other terms', { ...ASKED, terms: { models: ['*'] } }],
    ])('proves nothing for %s', async (_, other) => {
      const { passkeys, register } = open()
      const passkey = await register()
      const sent = assertSoft(passkey, await passkeys.decisionOptions(ANN, ASKED), ORIGIN)
      // Also where the other one is being asked for too.
      await passkeys.decisionOptions(ANN, other)
      await expect(passkeys.verifyDecision(ANN, other, sent)).rejects.toEqual(REFUSED)
    })

    it('has a challenge that is its own each time, and no step-up', async () => {
      const { passkeys, register } = open()
      const passkey = await register()
      const [one, two] = [
        await passkeys.decisionOptions(ANN, ASKED),
        await passkeys.decisionOptions(ANN, ASKED),
      ]
      expect(one.challenge).not.toBe(two.challenge)
      await expect(passkeys.verifyStepUp(ANN, assertSoft(passkey, one, ORIGIN))).rejects.toEqual(REFUSED)
      await passkeys.verifyDecision(ANN, ASKED, assertSoft(passkey, one, ORIGIN))
    })

    it('is not proved by a statement that was changed in the database', async () => {
      const { passkeys, register } = open()
      const passkey = await register()
      const options = await passkeys.decisionOptions(ANN, ASKED)
      await kit.sql(
        `UPDATE passkey_challenges SET statement = replace(statement, '${HASH_A}', '${HASH_B}') WHERE tenant_id = '${kit.me}'`,
      )
      const other = { ...ASKED, consent_hash: HASH_B }
      await expect(passkeys.verifyDecision(ANN, other, assertSoft(passkey, options, ORIGIN))).rejects.toEqual(
        REFUSED,
      )
    })
  })

  describe('a sign-in', () => {
    const both = () => {
      const [mine, theirs] = [open(), open(kit.theirs)]
      const signIn = createPasskeySignIn(() => [
        { tenant: kit.me, passkeys: mine.passkeys },
        { tenant: kit.them, passkeys: theirs.passkeys },
      ])
      return { mine, theirs, signIn }
    }

    it('finds person and tenant by the passkey', async () => {
      const { mine, theirs, signIn } = both()
      const keys = [await mine.register(), await theirs.register(BEN)]
      for (const [index, passkey] of keys.entries()) {
        const sent = assertSoft(passkey, await signIn.options(ORIGIN), ORIGIN)
        expect(await signIn.verify(sent, ORIGIN)).toMatchObject({
          of: { tenant: index === 0 ? kit.me : kit.them },
          person:
            index === 0
              ? { kind: 'owner', uid: '1000', name: 'ann' }
              : { kind: 'approver', id: '7', name: 'ben' },
          assertion: { person: index === 0 ? ANN.person : BEN.person },
        })
        expect(await signIn.verify(sent, ORIGIN)).toBeUndefined()
      }
    })

    it('is its own tenant’s, where the authenticator of another tenant has chosen the same id', async () => {
      const { mine, theirs, signIn } = both()
      const [first, second] = [await mine.register(), await theirs.register(BEN)]
      await kit.sql(
        `UPDATE passkeys SET credential_id = '${first.id}' WHERE credential_id = '${second.id}' AND tenant_id = '${kit.them}'`,
      )
      for (const [tenant, passkey] of [
        [kit.me, first],
        [kit.them, { ...second, id: first.id }],
      ] as const) {
        const sent = assertSoft(passkey, await signIn.options(ORIGIN), ORIGIN)
        expect(await signIn.verify(sent, ORIGIN)).toMatchObject({ of: { tenant } })
      }
    })

    it('is nobody’s with an unknown passkey, a wrong signature, another’s name, or a challenge of a session', async () => {
      const { mine, signIn } = both()
      const [passkey, other] = [await mine.register(), await mine.register(BEN)]
      const { passkey: unknown } = registerSoft(await mine.passkeys.registrationOptions(ANN), ORIGIN)
      expect(
        await signIn.verify(assertSoft(unknown, await signIn.options(ORIGIN), ORIGIN), ORIGIN),
      ).toBeUndefined()
      for (const how of [
        ...Object.values(DEVIATIONS),
        { key: other.privateKey },
        { id: other.id },
        { userHandle: other.userHandle },
        { flags: PRESENT_AND_VERIFIED, counter: 1 },
      ])
        expect(
          await signIn.verify(assertSoft(passkey, await signIn.options(ORIGIN), ORIGIN, how), ORIGIN),
        ).toBeUndefined()
      const stepUp = await mine.passkeys.stepUpOptions(ANN)
      expect(await signIn.verify(assertSoft(passkey, stepUp, ORIGIN), ORIGIN)).toBeUndefined()
      expect(
        await signIn.verify(assertSoft(passkey, await signIn.options(ORIGIN), ORIGIN), ORIGIN),
      ).toBeDefined()
    })
  })
})
