import { visibleText } from '../../kernel/index.ts'

/** Something in code that a person should look at before approving. */
export interface CodeWarning {
  readonly kind:
    | 'eval'
    | 'computed_import'
    | 'remote_import'
    | 'hidden_characters'
    | 'mixed_scripts'
    | 'lookalikes'
    | 'escaped_name'
    | 'long_line'
  readonly text: string
  /** 1-based. */
  readonly line: number
}

/** Tried on text whose runs of blanks are one blank, and every other repetition is bounded: linear on any input. */
const RULES: readonly { kind: CodeWarning['kind']; pattern: RegExp; text: string }[] = [
  {
    kind: 'eval',
    pattern:
      /\beval ?(?:\?\.)? ?\(|\bnew (?:\w{1,40}\.){0,4}(?:Async|Generator|AsyncGenerator)?Function ?\(|(?<![\w.$])Function ?\(|\[ ?['"`](?:eval|Function|constructor)['"`] ?\]|\.constructor ?\. ?constructor|\.constructor ?\( ?['"`]|\( ?0 ?, ?eval ?\)|\bglobalThis ?\[|\bset(?:Timeout|Interval) ?\( ?['"`]/,
    text: 'builds code at run time (eval)',
  },
  {
    kind: 'escaped_name',
    pattern:
      /[\w$]\\u(?:\{[0-9a-fA-F]{1,6}\}|[0-9a-fA-F]{4})|\\u(?:\{[0-9a-fA-F]{1,6}\}|[0-9a-fA-F]{4})[\w$]{0,40} ?[(.=]/,
    text: 'writes a name or text with \\u escapes, which can hide what it is',
  },
  {
    kind: 'computed_import',
    pattern: /\bimport ?\( ?(?!['"][^'"]{0,300}['"] ?[),])/,
    text: 'imports from an address computed at run time',
  },
  {
    kind: 'remote_import',
    pattern:
      /\b(?:import|export)\b[^'"]{0,120}['"](?:https?:|npm:|jsr:|data:|blob:)|\bimport ?\( ?['"](?:https?:|npm:|jsr:|data:|blob:)/,
    text: 'imports code from elsewhere, which will not load',
  },
]

/**
 * Letters that pass for Latin letters or for punctuation of code: Cyrillic, Greek, Armenian, Cherokee, full-width and
 * mathematical forms, dotless i, phonetic letters, number forms, clicks, other slashes.
 */
const LOOKALIKE =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\u0131\u01c0-\u01c3\u0250-\u02af\u1d00-\u1d7f\u2044\u2150-\u218f\u2215\uff01-\uff5e\u{1d400}-\u{1d7ff}]/u
const LATIN = /[A-Za-z]/
/** Letters of other scripts whose very shape is a Latin letter's, and marks that pass for `/` and `!`. */
const PASSING =
  /^[асеорухіјѕһԁԛԝАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ\u0131\u01c0-\u01c3\u0250-\u02af\u1d00-\u1d7f\u2150-\u218f\uff01-\uff5e\u{1d400}-\u{1d7ff}_$\d]{2,}$/u
const PASSING_MARK = /[\u2044\u2215\u01c3]/
const WORD = /[\p{L}\p{N}_$]+/gu
/** So much of two lines is read together, for statements that are broken in two. */
const NEXT_LINE = 200

/** Warnings in order of line, one a kind. It looks at text, so it can be fooled: absence proves nothing. */
export function codeWarnings(code: string): readonly CodeWarning[] {
  const found = new Map<CodeWarning['kind'], CodeWarning>()
  const note = (kind: CodeWarning['kind'], text: string, line: number): void => {
    if (!found.has(kind)) found.set(kind, { kind, text, line })
  }
  const lines = code.split('\n')
  const applyRules = (text: string, line: number): void => {
    const flat = text.replace(/\s+/g, ' ')
    for (const rule of RULES) {
      if (!found.has(rule.kind) && rule.pattern.test(flat)) note(rule.kind, rule.text, line)
    }
  }
  lines.forEach((line, index) => {
    applyRules(line, index + 1)
    const body = line.replace(/\r$/, '')
    if (visibleText(body) !== body)
      note('hidden_characters', 'holds invisible or reordering characters', index + 1)
    if (hasMixedWord(body)) note('mixed_scripts', 'holds a word that mixes look-alike letters', index + 1)
    if (hasPassingWord(body)) note('lookalikes', 'holds letters that pass for others', index + 1)
    if (body.length > 500) note('long_line', `has a line of ${body.length} characters`, index + 1)
  })
  // Statements that are broken in two, after the lines alone: those name the right line.
  lines.forEach((line, index) => {
    const next = lines[index + 1]
    if (next !== undefined) applyRules(`${line.slice(-NEXT_LINE)} ${next.slice(0, NEXT_LINE)}`, index + 1)
  })
  return [...found.values()].sort((a, b) => a.line - b.line)
}

/** Whether a word mixes Latin letters with letters that look like them. */
export function hasMixedWord(text: string): boolean {
  if (!LOOKALIKE.test(text)) return false
  return (text.match(WORD) ?? []).some((word) => LATIN.test(word) && LOOKALIKE.test(word))
}

/** Whether a word is made of such letters alone, so that it reads as another, Latin word. */
function hasPassingWord(text: string): boolean {
  if (PASSING_MARK.test(text)) return true
  if (!LOOKALIKE.test(text)) return false
  return (text.match(WORD) ?? []).some((word) => LOOKALIKE.test(word) && PASSING.test(word))
}
