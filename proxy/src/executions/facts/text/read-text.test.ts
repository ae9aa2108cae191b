import { describe, expect, it } from 'vitest'
import { cpuMsOf } from '../../../../test/support/pace.ts'
import type { Language } from '../facts.ts'
import { readText } from './index.ts'

const kinds = (code: string, language: Language = 'javascript'): string[] =>
  readText(code, language).map(({ kind }) => kind)
const linesOf = (code: string, kind: string, language: Language = 'javascript'): readonly number[] =>
  readText(code, language).find((fact) => fact.kind === kind)?.lines ?? []

const PROSE =
  'You are a careful assistant who reads the whole report, notes what changed since last week, and answers in three short sentences. '.repeat(
    5,
  )
const BLOB = 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODk'.repeat(8)

describe('letters in code', () => {
  it.each<[string, string]>([
    ['const a\u200b = 1', 'hidden_characters'],
    ['// \u202e evil', 'hidden_characters'],
    ['a\rb()', 'hidden_characters'],
    ['\ufeffx', 'hidden_characters'],
    ['const a = "x\ufe0f"', 'hidden_characters'],
    ['const a = "x\u200dy"', 'hidden_characters'],
    ['const a = "✅\ufe0f\ufe0f\ufe0f"', 'hidden_characters'],
    ['const a = "🏴\u{e0067}\u{e0078}\u{e007f}"', 'hidden_characters'],
    ['const a = "\u{e0041}\u{e0042}"', 'hidden_characters'],
    ['const a = "\u2028"', 'hidden_characters'],
    ['const a = "\ud800"', 'hidden_characters'],
    ['const a = "\u3164"', 'hidden_characters'],
    ['const a\u00ad = 1', 'hidden_characters'],
    ['const a = "\u001b[8m"', 'hidden_characters'],
    ['const pаss = 1', 'mixed_scripts'],
    ['const f\u0131lter = 1', 'mixed_scripts'],
    ['const pαypal = 1', 'mixed_scripts'],
    ['const max_ѕize = 1', 'mixed_scripts'],
    ['const ｆetch = 1', 'mixed_scripts'],
    ['const fılter = "Hiç toplantı yok"', 'mixed_scripts'],
    ['if (οff) a()', 'mixed_scripts'],
    ['const tοken = 1', 'mixed_scripts'],
    ['const асе = 1', 'lookalikes'],
    ['const х1 = 1', 'lookalikes'],
    ['const ΤΟΡ = 1', 'lookalikes'],
    ['if (a === "сор") b()', 'lookalikes'],
    ['fetch("https://a.com∕b")', 'lookalikes'],
    ['fetch("https://a.com⁄b")', 'lookalikes'],
    ['if (a ǃ== b) c()', 'lookalikes'],
    ['const 𝐚𝐝𝐦𝐢𝐧 = 1', 'lookalikes'],
  ])('tell of %j: %s', (code, kind) => {
    expect(linesOf(`const ok = 1\n${code}\n`, kind)).toEqual([2])
    expect(linesOf(`const ok = 1\n${code}\nb()\n${code}\n`, kind)).toEqual([2, 4])
    expect(linesOf(`ok = 1\n${code}\n`, kind, 'python')).toEqual([2])
  })

  it.each([
    'const слово = 1',
    'const s = "⚠️ careful ✅ done ❤️"',
    'const s = "👨‍👩‍👧 🏳️‍🌈 👩🏽‍💻 1️⃣ #️⃣ ♾️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇩🇪"',
    'const s = "naïve café, Zürich, Łódź, İstanbul"',
    '\ufeffconst a = 1',
    'a()\r\nb()\r\n',
    'const s = "Все они здесь, и Вас тоже"',
    'const s = "Привет, мир"',
    'const s = "2⁄3 of it"',
    'const s = "日本語のテキスト！（全角）"',
    'const s = "10 kΩ, 5 µs, 3 Å"',
    'const s = "für 5 €"',
    'const yanıt = await f(); log("Hiç toplantı yok, iyi günler")',
    'const evaluate = 1; evaluate(2)',
  ])('stay away from %j', (code) => {
    expect(kinds(code)).toEqual([])
  })

  it.each([
    'Δt = t1 - t0\nσ_x = sqrt(ρ0 * λ_max)\nθ_hat = α * β + γ',
    'dρ = ρ_1 - ρ_0\nμ = sum(xs) / n\nΔx2 = x2 - x1',
    'ν = 3.2\nαx = α * x\nπr2 = π * r ** 2',
  ])('stay away from the formulas %j', (code) => {
    expect(kinds(code, 'python')).toEqual([])
  })

  it('say which', () => {
    const [fact] = readText('a\u200b\u202e', 'javascript')
    expect(fact).toEqual({ kind: 'hidden_characters', lines: [1], detail: 'U+200B, U+202E' })
    expect(readText('const pаss = 1', 'javascript')[0]?.detail).toBe('pаss')
  })
})

describe('the layout of code', () => {
  it.each<[string, string]>([
    [`x = "${'y'.repeat(500)}"`, 'long_line'],
    [`const a = "${BLOB}"`, 'long_line'],
    [`const a = "${'deadbeef '.repeat(80)}"; fetch("https://a.com")`, 'long_line'],
    [`${'a.b(c);'.repeat(90)}`, 'long_line'],
    [`const prompt = "${PROSE}"; fetch("https://evil.example/")`, 'long_line'],
    [`const prompt = "${PROSE}", x = send(1)`, 'long_line'],
    [`/* ${PROSE} */ send(secret)`, 'long_line'],
    [`a()${' '.repeat(80)}b()`, 'pushed_right'],
    [`${' '.repeat(80)}b()`, 'pushed_right'],
    [`a();${'\t'.repeat(20)}b()`, 'pushed_right'],
    [`a();${'\u00a0'.repeat(80)}b()`, 'pushed_right'],
    [`a();${'\u3000'.repeat(80)}b()`, 'pushed_right'],
    [`/*${'-'.repeat(100)}*/ b()`, 'pushed_right'],
  ])('is told of %j: %s', (code, kind) => {
    expect(linesOf(`ok()\n${code}\n`, kind)).toEqual([2])
    expect(linesOf(`ok()\n${code}\nb()\n${code}`, kind)).toEqual([2, 4])
  })

  it.each([
    ['line feeds', '\n'.repeat(41)],
    ['blanks', '\n   \t'.repeat(41).concat('\n')],
    ['bare comments', '\n//'.repeat(41).concat('\n')],
    ['stars', `\n/*${'\n *'.repeat(41)}*/\n`],
    ['no-break blanks', '\n\u00a0\u3000'.repeat(41).concat('\n')],
    ['drawn blanks', '\n\u3164'.repeat(41).concat('\n')],
    ['carriage returns', '\r\n'.repeat(42)],
    ['one statement', `\n${'pass\n'.repeat(42)}`],
    ['one comment', `\n${'// .. ok\n\n'.repeat(42)}`],
  ])('is told of a long run of %s', (_name, run) => {
    expect(kinds(`a()${run}b()`)).toContain('blank_lines')
    const twice = `a()${run}b()${run}c()`
    const lines = twice.split('\n')
    expect(linesOf(twice, 'blank_lines')).toEqual([
      lines.findIndex((line) => line.includes('b()')) + 1,
      lines.findIndex((line) => line.includes('c()')) + 1,
    ])
  })

  it.each([
    `const prompt = "${PROSE}"`,
    `const prompt = \`${PROSE}\`.trim()`,
    `  messages: [{ role: 'user', content: '${PROSE}' }], max_tokens: 500 })`,
    `const p = \`${PROSE} \${report} ${PROSE}\``,
    `// ${PROSE}`,
    `/* ${PROSE} */`,
    `const s = "${'これは長いプロンプトです。'.repeat(50)}"`,
    `a()${'\n'.repeat(39)}b()`,
    `a()${'\n'.repeat(400)}`,
    `a()${' '.repeat(400)}`,
    `      ${'\t'.repeat(6)}deep()`,
    `a() ${' '.repeat(50)}// aligned`,
  ])('is not told of %j', (code) => {
    expect(kinds(code)).toEqual([])
  })

  it('is not told of a docstring in one line', () => {
    expect(kinds(`def a():\n    """${'Returns the number of charges. '.repeat(4)}"""\n`, 'python')).toEqual(
      [],
    )
    expect(kinds(`"""${'Returns the number. '.repeat(6)}"""; b()`, 'python')).toEqual(['pushed_right'])
  })

  it('is not told of a text over several lines of a template', () => {
    expect(kinds(`const p = \`first\n${PROSE}\n\${x}\n${PROSE}\n\``)).toEqual([])
    expect(kinds(`p = """first\n${PROSE}\n"""\nx = 1`, 'python')).toEqual([])
  })
})

describe('one pass', () => {
  const mebibyte = (part: string): string => part.repeat(Math.ceil(1_048_576 / part.length))
  it.each([
    ['blanks', `// a${mebibyte(' ')}a`],
    ['blanks between letters', mebibyte('a                         ')],
    ['lines', mebibyte('\n')],
    ['quotes', mebibyte('"')],
    ['open comments', mebibyte('/*')],
    ['open templates', mebibyte('`${')],
    ['braces', mebibyte(`\`\${{}`)],
    ['slashes', mebibyte('=/a')],
    ['open expressions', `x=${mebibyte('/[a')}`],
    ['one comment', `// ${mebibyte('approved ')}`],
    ['a comment of marks', `/* ${mebibyte('⚠️ Warnings ')} */`],
    ['comments', mebibyte('// Network: Run Once\n')],
    ['short words', mebibyte('pа ')],
    ['letters of others', mebibyte('сор')],
    ['emoji', mebibyte('👨‍👩‍👧')],
    ['joiners', mebibyte('✅\u200d')],
    ['tags', mebibyte('\u{e0041}')],
    ['Greek', mebibyte('ρ0 ')],
    ['pieces of one line', mebibyte('"a"+')],
    ['brackets', mebibyte('[<(')],
    ['backslashes', `"${mebibyte('\\')}`],
    ['prose', `"${mebibyte('one word, ')}"`],
    ['calls behind', `"a"${mebibyte(';a.a')}`],
  ])('reads a mebibyte of %s', async (_name, code) => {
    for (const language of ['javascript', 'python'] as const) {
      expect(await cpuMsOf(() => readText(code, language))).toBeLessThan(10_000)
    }
  })
})
