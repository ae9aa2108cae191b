/**
 * Writes proxy/test/vectors/receipts: receipts as docs/receipts.md says they are, made by other code than proxy/src/audit/proof, and
 * files that are none. A vector that exists is never changed: verifiers elsewhere hold on to them.
 */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../test/vectors/receipts/', import.meta.url))
const NAME = 'oauth3-receipt'
const keyOf = (first: number) => {
  const seed = Buffer.from(Uint8Array.from({ length: 32 }, (_, at) => (first + at) % 256))
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(secret).export({ format: 'jwk' })
  return { secret, bytes: Buffer.from(x, 'base64url') }
}
const ISSUER = keyOf(0)
const STRANGER = keyOf(100)
const sha256 = (...parts: (string | Buffer)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function note(text: string, key = ISSUER, name = NAME): string {
  const id = sha256(name, Buffer.from([0x0a, 0x01]), key.bytes).subarray(0, 4)
  const signature = sign(null, Buffer.from(text), key.secret)
  return `${text}\n— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`
}

const ascii = (json: string): string =>
  json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

interface Row {
  readonly id: number
  readonly at: string
  readonly event: string
  readonly actor: string
  readonly requestId: string | null
  /** Canonical JSON. */
  readonly data: string
}

function textOf(row: Row, fields: Record<string, string>, issuer = ISSUER): string {
  const previous = sha256(`before ${row.id}`).toString('hex')
  const hashed = [row.id, Date.parse(row.at), row.event, row.actor, row.requestId, row.data, previous]
  const lines: Record<string, string> = {
    tenant: 'default',
    ...fields,
    'decided-at': row.at,
    'decided-by': row.actor,
    name: fields.name ?? '-',
    authenticator: fields.authenticator ?? '-',
    proof: fields.proof ?? '-',
    'audit-row': String(row.id),
    'audit-event': row.event,
    'audit-request': row.requestId ?? '-',
    'audit-data': ascii(row.data),
    'audit-previous': previous,
    'audit-hash': sha256(JSON.stringify(hashed)).toString('hex'),
    'issuer-key': issuer.bytes.toString('base64'),
  }
  const order = [
    'tenant',
    'kind',
    'request',
    'verdict',
    'choice',
    'terms',
    'consent',
    'decided-at',
    'decided-by',
  ]
  order.push('name', 'authenticator', 'proof', 'audit-row', 'audit-event', 'audit-request', 'audit-data')
  order.push('audit-previous', 'audit-hash', 'issuer-key')
  return `oauth3 receipt v1\n${order.map((field) => `${field}: ${lines[field]}\n`).join('')}`
}

const CONSENT = 'c'.repeat(64)
const AT = '2026-11-28T12:00:00.001Z'
const once = {
  row: {
    ...{
      id: 17,
      at: AT,
      event: 'approval.decided',
      actor: 'telegram:1001',
      requestId: 'req_0123456789abcdef',
    },
    data: `{"authenticator":"telegram","consent_hash":"${CONSENT}","decision":"once","name":"Ada"}`,
  },
  fields: {
    ...{
      kind: 'execution',
      request: 'req_0123456789abcdef',
      verdict: 'approved',
      choice: '"once"',
      terms: '-',
    },
    ...{ consent: CONSENT, name: '"Ada"', authenticator: 'telegram' },
  },
}
const older = {
  row: { ...once.row, id: 3, actor: 'cli:1000', data: `{"consent_hash":"${CONSENT}","decision":"deny"}` },
  fields: { ...once.fields, verdict: 'denied', choice: '"deny"', name: '-', authenticator: 'socket' },
}
const HOSTILE = '"\\u001b[2JAda\\n\\u202everdict: denied"'
const provider = {
  row: {
    ...{ id: 90_000, at: AT, event: 'provider.decided', actor: 'telegram:1001', requestId: null },
    data: `{"agent_id":"agt_1","ask":"ask_1","authenticator":"passkey","consent_hash":"${CONSENT}","decision":"24h","name":"\\u001b[2JAda\\n\u202everdict: denied","proof":{"credential":"AQID"},"provider":"openai","scope":{"models":["gpt-5","größer"]}}`,
  },
  fields: {
    ...{ kind: 'provider_access', request: 'ask_1', verdict: 'approved', choice: '"24h"', consent: CONSENT },
    ...{ terms: '{"models":["gpt-5","gr\\u00f6\\u00dfer"]}', name: HOSTILE, authenticator: 'passkey' },
    proof: '{"credential":"AQID"}',
  },
}
const PASSKEY = keyOf(50)
interface Statement {
  readonly approval: string
  readonly by: string
  readonly choice: string
  readonly consent_hash: string
}
/** An assertion of WebAuthn by an Ed25519 key over a decision; keys in the order of canonical JSON. */
function proofOf({ approval, by, choice, consent_hash }: Statement): string {
  const nonce = Buffer.alloc(32, 7).toString('base64url')
  const statement = JSON.stringify({ approval, by, choice, consent_hash, nonce, terms: null })
  const challenge = sha256(`oauth3 decision v1\n${statement}`).toString('base64url')
  const origin = 'https://oauth3.example.com'
  const client = JSON.stringify({ type: 'webauthn.get', challenge, origin, crossOrigin: false })
  const authenticator = Buffer.concat([sha256('oauth3.example.com'), Buffer.from([0x05, 0, 0, 0, 9])])
  const signature = sign(null, Buffer.concat([authenticator, sha256(client)]), PASSKEY.secret)
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), PASSKEY.bytes])
  return JSON.stringify({
    algorithm: -8,
    authenticator_data: authenticator.toString('base64url'),
    client_data_json: Buffer.from(client).toString('base64url'),
    credential_id: 'AQID',
    origin,
    public_key: spki.toString('base64url'),
    rp_id: 'oauth3.example.com',
    signature: signature.toString('base64url'),
    statement: JSON.parse(statement) as unknown,
    v: 1,
  })
}
const SIGNED = {
  approval: 'req_0123456789abcdef',
  by: 'telegram:1001',
  choice: 'once',
  consent_hash: CONSENT,
}
/** A verdict by passkey on a request for code; null: without a proof. */
function proven(proof: string | null, authenticator = 'passkey', more = ''): string {
  const held = proof === null ? '' : `,"proof":${proof}`
  const data = `{"authenticator":"${authenticator}","consent_hash":"${CONSENT}","decision":"once","name":"Ada"${held}${more}}`
  return note(
    textOf({ ...once.row, data }, { ...once.fields, authenticator, ...(proof !== null && { proof }) }),
  )
}
const vote = (by: string, choice: string, proved: boolean): string =>
  `{"by":"${by}","channel":"console","choice":"${choice}","name":null,"proved":${proved}}`
const votes = (own: string): string =>
  `,"votes":[${vote('telegram:1002', 'once', false)},${vote('telegram:1001', own, true)}]`
/** A verdict on a provider, by a passkey that signed it with a limit. */
function limited(choice: string): string {
  const proof = proofOf({ ...SIGNED, approval: 'ask_1', choice })
  const data = provider.row.data.replace('{"credential":"AQID"}', proof)
  return note(textOf({ ...provider.row, data }, { ...provider.fields, proof }))
}
const good = textOf(once.row, once.fields)
const whole = note(good)
const signature = whole.slice(good.length + 1)
const VECTORS: Record<string, { readonly file: string | Buffer; readonly problem: string | null }> = {
  'once.receipt': { file: whole, problem: null },
  'older-version.receipt': { file: note(textOf(older.row, older.fields)), problem: null },
  // Before a proof was verified it was good.
  'provider-passkey.receipt': { file: note(textOf(provider.row, provider.fields)), problem: 'wrong_proof' },
  'provider-proof.receipt': { file: limited('24h_usd1'), problem: null },
  'provider-proof-requests.receipt': { file: limited('24h_requests100'), problem: null },
  'proof.receipt': { file: proven(proofOf(SIGNED)), problem: null },
  'two-voters.receipt': {
    file: proven(proofOf({ ...SIGNED, choice: 'forever' }), 'passkey', votes('forever')),
    problem: null,
  },
  'bad-proof-missing.receipt': { file: proven(null), problem: 'wrong_proof' },
  'bad-proof-without-passkey.receipt': {
    file: proven(proofOf(SIGNED), 'console-link'),
    problem: 'wrong_proof',
  },
  'bad-proof-signature.receipt': {
    file: proven(proofOf(SIGNED).replace(/"signature":"./, '"signature":"_')),
    problem: 'wrong_proof',
  },
  'bad-proof-consent.receipt': {
    file: proven(proofOf({ ...SIGNED, consent_hash: 'd'.repeat(64) })),
    problem: 'wrong_proof',
  },
  'bad-proof-request.receipt': {
    file: proven(proofOf({ ...SIGNED, approval: 'req_fedcba9876543210' })),
    problem: 'wrong_proof',
  },
  'bad-proof-choice.receipt': { file: proven(proofOf({ ...SIGNED, choice: '1h' })), problem: 'wrong_proof' },
  'bad-proof-denial.receipt': {
    file: proven(proofOf({ ...SIGNED, choice: 'deny' })),
    problem: 'wrong_proof',
  },
  'bad-proof-person.receipt': {
    file: proven(proofOf({ ...SIGNED, by: 'telegram:1002' })),
    problem: 'wrong_proof',
  },
  'bad-proof-vote.receipt': {
    file: proven(proofOf({ ...SIGNED, choice: 'forever' }), 'passkey', votes('once')),
    problem: 'wrong_proof',
  },
  'bad-empty.receipt': { file: '', problem: 'not_a_receipt' },
  'bad-other-file.receipt': { file: note('oauth3 something else v1\n'), problem: 'not_a_receipt' },
  'bad-version-2.receipt': { file: note(good.replace('v1', 'v2')), problem: 'unknown_version' },
  'bad-utf8.receipt': { file: Buffer.concat([Buffer.from(whole), Buffer.from([0xff])]), problem: 'not_text' },
  'bad-crlf.receipt': { file: whole.replaceAll('\n', '\r\n'), problem: 'not_a_receipt' },
  'bad-unsigned.receipt': { file: good, problem: 'malformed_signature' },
  'bad-two-signatures.receipt': { file: whole + signature, problem: 'malformed_signature' },
  'bad-key-name.receipt': { file: note(good, ISSUER, 'somebody-else'), problem: 'malformed_signature' },
  'bad-trailing-line.receipt': { file: `${whole}\n`, problem: 'malformed_signature' },
  'bad-base64-bits.receipt': {
    file: whole.replace(/(.)=\n$/, (_all, last: string) => `${after(last)}=\n`),
    problem: 'malformed_signature',
  },
  'bad-missing-field.receipt': { file: note(good.replace(/^terms: .*\n/m, '')), problem: 'malformed_fields' },
  'bad-extra-field.receipt': { file: note(`${good}note: paid\n`), problem: 'malformed_fields' },
  'bad-duplicated-field.receipt': {
    file: note(good.replace(/^terms: .*\n/m, '$&$&')),
    problem: 'malformed_fields',
  },
  'bad-order.receipt': {
    file: note(good.replace(/^(kind: .*\n)(request: .*\n)/m, '$2$1')),
    problem: 'malformed_fields',
  },
  'bad-not-ascii.receipt': { file: note(good.replace('"Ada"', '"Adá"')), problem: 'malformed_fields' },
  'bad-key.receipt': {
    file: note(good.replace(/^issuer-key: .*/m, 'issuer-key: AQID')),
    problem: 'malformed_key',
  },
  'bad-stranger.receipt': { file: note(good, STRANGER), problem: 'wrong_signature' },
  'bad-changed.receipt': {
    file: whole.replace('choice: "once"', 'choice: "forever"'),
    problem: 'wrong_signature',
  },
  'bad-verdict.receipt': {
    file: note(good.replace('verdict: approved', 'verdict: denied')),
    problem: 'contradiction',
  },
  'bad-row-hash.receipt': {
    file: note(good.replace('decided-by: telegram:1001', 'decided-by: telegram:1002')),
    problem: 'contradiction',
  },
  'bad-number-form.receipt': {
    file: note(good.replace('audit-row: 17', 'audit-row: 0x11')),
    problem: 'contradiction',
  },
}

/** The next letter of base64: the same bytes, other unused bits. */
function after(letter: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  return letters[letters.indexOf(letter) + 1] ?? ''
}

mkdirSync(FOLDER, { recursive: true })
for (const [name, { file }] of Object.entries(VECTORS))
  if (!existsSync(join(FOLDER, name))) writeFileSync(join(FOLDER, name), file)
const index = {
  fingerprint: `sha256:${sha256(ISSUER.bytes).toString('hex')}`,
  expected: Object.fromEntries(Object.entries(VECTORS).map(([name, { problem }]) => [name, problem ?? 'ok'])),
}
writeFileSync(join(FOLDER, 'index.json'), `${JSON.stringify(index, null, 2)}\n`)
