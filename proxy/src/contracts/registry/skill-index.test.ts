import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import {
  entry,
  index,
  indexText,
  keyOfSeed,
  PUBLISHER,
  REGISTRY,
} from '../../../test/support/sample-registry.ts'
import vectors from '../../../test/vectors/skill-registry-v1.json' with { type: 'json' }
import { canonicalJson, sha256Hex } from '../../kernel/index.ts'
import { keyOf, publicKeyOf, REGISTRY_KEY, sign, verifies } from './keys.ts'
import {
  openIndex,
  SKILL_REFERENCE,
  SKILL_VERSION,
  signEntry,
  timeProblem,
  verifiesEntry,
} from './skill-index.ts'

const problemOf = (text: string): string => {
  const opened = openIndex(text)
  return 'problem' in opened ? opened.problem : 'good'
}

describe('the frozen vectors', () => {
  it('have the keys, messages and signatures that the page says', () => {
    expect(keyOf(keyOfSeed(vectors.publisher.seed))).toBe(vectors.publisher.key)
    expect(keyOf(keyOfSeed(vectors.registry.seed))).toBe(vectors.registry.key)
    const { signature: ofIndex, ...wholeIndex } = JSON.parse(vectors.index)
    const { signature: ofEntry, ...wholeEntry } = wholeIndex.skills[0]
    expect(`oauth3-skill-entry v1\n${canonicalJson(wholeEntry)}`).toBe(vectors.entry_message)
    expect(`oauth3-skill-index v1\n${canonicalJson(wholeIndex)}`).toBe(vectors.index_message)
    expect(sign(vectors.entry_message, keyOfSeed(vectors.publisher.seed))).toBe(ofEntry)
    expect(sign(vectors.index_message, keyOfSeed(vectors.registry.seed))).toBe(ofIndex)
    expect(problemOf(vectors.index)).toBe('good')
  })

  it('are the sample registry of this repository, whose code is what its entry names', () => {
    const folder = join(import.meta.dirname, '../../../test/registry')
    expect(JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'))).toEqual(JSON.parse(vectors.index))
    const opened = openIndex(vectors.index)
    if ('problem' in opened) throw new Error(opened.problem)
    const [only] = opened.skills
    const code = readFileSync(join(folder, only?.url ?? ''), 'utf8')
    expect(sha256Hex(code)).toBe(only?.sha256)
    expect(only !== undefined && verifiesEntry(only)).toBe(true)
  })
})

describe('an index is refused', () => {
  const good = index([entry()])
  const text = (change: object): string => JSON.stringify({ ...good, ...change })
  it('not as it was signed, whatever its white space', () => {
    expect(problemOf(JSON.stringify(good))).toBe('good')
    expect(problemOf(indexText([entry()]))).toBe('good')
  })

  const one = (change: object): string => text({ skills: [{ ...good.skills[0], ...change }] })
  test.each<[string, string, RegExp]>([
    ['no JSON', 'nothing', /not JSON/],
    ['larger than 1 MiB', `${' '.repeat(1_048_576)}${text({})}`, /larger/],
    [
      'of more skills than 2,000',
      text({ skills: Array.from({ length: 2_001 }, (_, at) => ({ ...good.skills[0], name: `s${at}` })) }),
      /form, at skills/,
    ],
    ['with a name twice', text({ skills: [entry(), entry({ description: 'Another.' })] }), /form, at skills/],
    ['with a member of its own', text({ approved: true }), /form/],
    ['with an entry that claims trust', one({ trusted: 'forever' }), /form/],
    ['with another version of the form', text({ v: 2 }), /form, at v/],
    ['without a number', text({ sequence: 0 }), /form, at sequence/],
    ['with a time that is none', text({ expires_at: '2027-02-30T00:00:00Z' }), /form, at expires_at/],
    ['with look-alike letters in a name', one({ name: 'chаrge-report' }), /form, at skills\.0\.name/],
    [
      'with hidden characters in a description',
      one({ description: 'a\u202eb' }),
      /form, at skills\.0\.description/,
    ],
    [
      'with a second line in a description',
      one({ description: 'a\nSends nothing' }),
      /form, at skills\.0\.description/,
    ],
    [
      'with a host that is not canonical',
      one({ network: ['API.example.com'] }),
      /form, at skills\.0\.network/,
    ],
    [
      'with a name that steers the runtime',
      one({ secrets: ['NODE_OPTIONS'] }),
      /form, at skills\.0\.secrets/,
    ],
    ['with a capital in a hash', one({ sha256: 'A'.repeat(64) }), /form, at skills\.0\.sha256/],
    ['with other text than was signed', text({ sequence: 2 }), /does not bear/],
    ['under the signature of its entry', text({ signature: good.skills[0]?.signature }), /does not bear/],
    ['under a name twice', JSON.stringify(good).replace('{"v":1', '{"sequence":9,"v":1'), /twice/],
    [
      'with a name twice in an entry',
      JSON.stringify(good).replace('"secrets":[]', '"secrets":["A_KEY"],"secrets":[]'),
      /twice/,
    ],
    ['with __proto__ in it', JSON.stringify(good).replace('{"v":1', '{"__proto__":{},"v":1'), /twice|form/],
  ])('%s', (_what, changed, said) => {
    expect(problemOf(changed)).toMatch(said)
  })

  it('once it has expired, and while it says that it never does', () => {
    const end = Date.parse(good.expires_at)
    expect(timeProblem(good, end - 1)).toBeNull()
    expect(timeProblem(good, end)).toContain('expired')
    expect(timeProblem(good, end - 367 * 24 * 3_600_000)).toContain('longer than 366 days')
  })
})

describe('keys and references', () => {
  it('have one text each', () => {
    const key = keyOf(PUBLISHER)
    expect(key).toMatch(REGISTRY_KEY)
    expect(keyOf(publicKeyOf(key))).toBe(key)
    // The same bytes in other base64: the last character's unused bits are set.
    expect(`${key.slice(0, -1)}${key.at(-1) === 'A' ? 'B' : 'x'}`).not.toMatch(REGISTRY_KEY)
    for (const bad of ['1.0', '01.0.0', '1.0.0+build', '1.0.0-RC1', 'v1.0.0'])
      expect(bad).not.toMatch(SKILL_VERSION)
    for (const bad of ['Name@1.0.0', 'a--b@1.0.0', 'a@b@1.0.0', 'a/b/c@1.0.0', `${'a'.repeat(65)}@1.0.0`])
      expect(bad).not.toMatch(SKILL_REFERENCE)
    expect(SKILL_REFERENCE.exec('acme/charge-report@1.0.0-rc.1')?.groups).toMatchObject({
      ...{ registry: 'acme', name: 'charge-report', version: '1.0.0-rc.1' },
    })
  })

  it('of one signature are not those of another kind', () => {
    const [one] = index([entry()]).skills
    if (one === undefined) throw new Error('an entry')
    expect(verifiesEntry(one)).toBe(true)
    expect(verifiesEntry({ ...one, version: '1.0.1' })).toBe(false)
    expect(verifies('x', one.signature, one.publisher)).toBe(false)
    expect(verifies('x', 'no signature', 'no key')).toBe(false)
    const { signature: _, ...draft } = one
    expect(() => signEntry(draft, REGISTRY)).toThrow('another publisher')
  })
})
