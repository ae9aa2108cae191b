import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { assertSoft, type Deviation, registerSoft } from '../../test/support/soft-authenticator.ts'
import {
  algorithmOf,
  type DecisionProof,
  type DecisionStatement,
  decisionChallenge,
  verifyDecisionProof,
} from './decision-proof.ts'

const ORIGIN = 'https://console.example'
const STATEMENT: DecisionStatement = {
  approval: 'req_1',
  by: 'cli:1000',
  choice: 'once',
  consent_hash: 'a'.repeat(64),
  nonce: 'n'.repeat(43),
  terms: { models: ['m'] },
}

function proofOf(
  kind: 'ES256' | 'Ed25519' | 'RS256' | 'RS256-1024' = 'ES256',
  how: Deviation = {},
): DecisionProof {
  const challenge = decisionChallenge(STATEMENT).toString('base64url')
  const rp = { id: 'console.example' }
  const { passkey } = registerSoft({ rp, user: { id: 'AAAA' }, challenge }, ORIGIN, { kind })
  const { id, response } = assertSoft(passkey, { rpId: rp.id, challenge }, ORIGIN, how)
  const key = createPublicKey(passkey.privateKey)
  return {
    v: 1,
    statement: STATEMENT,
    credential_id: id,
    algorithm: algorithmOf(key) ?? -257,
    public_key: key.export({ format: 'der', type: 'spki' }).toString('base64url'),
    rp_id: rp.id,
    origin: ORIGIN,
    authenticator_data: response.authenticatorData,
    client_data_json: response.clientDataJSON,
    signature: response.signature,
  }
}

describe('a proof of a decision', () => {
  it.each(['ES256', 'Ed25519', 'RS256'] as const)(
    'of %s verifies, and with one bit flipped does not',
    (kind) => {
      const proof = proofOf(kind)
      expect(verifyDecisionProof(proof)).toEqual({ ok: true })
      for (const field of ['public_key', 'authenticator_data', 'client_data_json', 'signature'] as const) {
        const bytes = Buffer.from(proof[field], 'base64url')
        for (let at = 0; at < bytes.length; at += 1) {
          const flipped = Buffer.from(bytes)
          flipped[at] = (flipped[at] ?? 0) ^ 1
          const other = { ...proof, [field]: flipped.toString('base64url') }
          expect(verifyDecisionProof(other).ok, `${field} ${at}`).toBe(false)
        }
      }
    },
  )

  it.each([
    ['other_statement', { statement: { ...STATEMENT, approval: 'req_2' } }],
    ['other_statement', { statement: { ...STATEMENT, by: 'cli:0' } }],
    ['other_statement', { statement: { ...STATEMENT, choice: 'deny' } }],
    ['other_statement', { statement: { ...STATEMENT, consent_hash: 'b'.repeat(64) } }],
    ['other_statement', { statement: { ...STATEMENT, terms: null } }],
    ['other_statement', { statement: { ...STATEMENT, more: 1 } as DecisionStatement }],
    ['other_origin', { origin: 'https://evil.example' }],
    ['other_rp', { rp_id: 'evil.example' }],
    ['malformed', { algorithm: -8 }],
    ['malformed', { v: 2 as 1 }],
    ['malformed', { public_key: '' }],
    ['malformed', { authenticator_data: 'AAAA' }],
    ['malformed', { signature: 7 as never }],
  ] as const)('is none (%s) for %j', (reason, change) => {
    expect(verifyDecisionProof({ ...proofOf(), ...change })).toEqual({ ok: false, reason })
  })

  it.each([
    ['other_statement', { type: 'webauthn.create' }],
    ['other_origin', { client: { crossOrigin: true } }],
    ['user_not_verified', { flags: 0x01 }],
    ['user_not_verified', { flags: 0x04 }],
    ['wrong_signature', { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }],
  ] as const)('is none (%s) of an assertion with %j', (reason, how) => {
    expect(verifyDecisionProof(proofOf('ES256', how))).toEqual({ ok: false, reason })
  })

  it('is none by a key that is too short, or in another text for the same bytes', () => {
    expect(verifyDecisionProof(proofOf('RS256-1024'))).toEqual({ ok: false, reason: 'malformed' })
    const proof = proofOf()
    for (const signature of [`${proof.signature}=`, ` ${proof.signature}`, `${proof.signature}\n`])
      expect(verifyDecisionProof({ ...proof, signature }).ok).toBe(false)
  })
})
