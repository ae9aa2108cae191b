import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { checkExport, trustedFingerprint, verifyReceipt } from './index.ts'
import { receiptText } from './receipt.ts'
import { isSignedBy, parseVerifierKey, readNote } from './signed-note.ts'

const FOLDER = new URL('../../../test/vectors/receipts/', import.meta.url)
const vector = (name: string): Buffer => readFileSync(new URL(name, FOLDER))
const { fingerprint, expected } = JSON.parse(vector('index.json').toString()) as {
  readonly fingerprint: string
  readonly expected: Readonly<Record<string, string>>
}
const once = vector('once.receipt')

describe('frozen vectors', () => {
  it.each(Object.entries(expected))('%s: %s', (name, problem) => {
    const verified = verifyReceipt(vector(name), null)
    expect(verified.ok ? 'ok' : verified.problem).toBe(problem)
    const trusting = verifyReceipt(vector(name), fingerprint)
    expect(trusting.ok).toBe(verified.ok)
  })
  test('every file is expected to be something', () => {
    expect(
      readdirSync(FOLDER)
        .filter((name) => name !== 'index.json')
        .sort(),
    ).toEqual(Object.keys(expected).sort())
  })
  test('a name of control characters reaches no line of its own', () => {
    const verified = verifyReceipt(vector('provider-proof.receipt'), fingerprint)
    expect(verified.ok && receiptText(verified.receipt)).toMatch(/^[\x20-\x7e\n]+$/)
    expect(verified.ok && verified.receipt.verdict).toBe('approved')
  })
})

test('one bit that is flipped, wherever it is, makes it no receipt', () => {
  for (let bit = 0; bit < once.length * 8; bit++) {
    const changed = Buffer.from(once)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    if (verifyReceipt(changed, null).ok) expect.fail(`bit ${bit & 7} of byte ${bit >> 3} changes nothing`)
  }
})

test('what is cut off or put in anywhere makes it no receipt', () => {
  for (let at = 0; at < once.length; at++) {
    if (verifyReceipt(once.subarray(0, at), null).ok) expect.fail(`cut off at ${at}`)
    for (const more of ['\n', ' ', 'a'])
      if (verifyReceipt(Buffer.concat([once.subarray(0, at), Buffer.from(more), once.subarray(at)]), null).ok)
        expect.fail(`${JSON.stringify(more)} at ${at}`)
  }
})

test('a receipt tells whether its key is one that the verifier trusts', () => {
  expect(verifyReceipt(once, null)).toMatchObject({ ok: true, isTrusted: false, key: { fingerprint } })
  expect(verifyReceipt(once, fingerprint)).toMatchObject({ ok: true, isTrusted: true })
  expect(verifyReceipt(once, `sha256:${'0'.repeat(64)}`)).toEqual({ ok: false, problem: 'other_key' })
})

test('a key is named by its fingerprint or as a verifier key, and by nothing else', () => {
  const verified = verifyReceipt(once, null)
  const text = verified.ok ? verified.key.verifierKey : ''
  expect(trustedFingerprint(text)).toBe(fingerprint)
  expect(trustedFingerprint(fingerprint)).toBe(fingerprint)
  for (const other of [
    text.slice(1),
    `${text}=`,
    text.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
    fingerprint.toUpperCase(),
    '',
  ])
    expect(trustedFingerprint(other)).toBeUndefined()
})

test('signatures are those of C2SP signed notes', () => {
  // Of the documentation of golang.org/x/mod/sumdb/note.
  const publicKey = parseVerifierKey(
    'PeterNeumann',
    'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  )
  const note = readNote(
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
  )
  expect(publicKey !== undefined && note !== undefined && isSignedBy(note, publicKey)).toBe(true)
})

describe('an export of the audit', () => {
  const lines = async function* (...rows: object[]) {
    for (const row of rows) yield JSON.stringify(row)
  }
  const verified = verifyReceipt(once, null)
  if (!verified.ok) throw new Error('the vector is none')
  const { row } = verified
  const { requestId: request_id, prevHash: prev_hash, ...rest } = row
  const exported = { ...rest, request_id, prev_hash, data: JSON.parse(row.data) as unknown }

  test('that holds the row, as it is exported or archived, is found to', async () => {
    expect(await checkExport(lines(exported), row)).toEqual({ ok: true, rows: 0 })
    expect(await checkExport(lines(row, { format: 'oauth3 audit archive v1', mac: '' }), row)).toEqual({
      ok: true,
      rows: 0,
    })
  })
  test.each<[string, object[]]>([
    ['without the row', []],
    ['of no rows at all', [{}]],
    ['with another actor there', [{ ...exported, actor: 'cli:0' }]],
    ['with a row behind it that does not go on from it', [exported, { ...exported, id: row.id + 1 }]],
  ])('%s is refused', async (_name, rows) => {
    expect((await checkExport(lines(...rows), row)).ok).toBe(false)
  })
})
