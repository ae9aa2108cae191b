import { visibleText } from '../../kernel/index.ts'

/** Something in code that a person should look at before approving. */
export interface CodeWarning {
  readonly kind:
    | 'eval'
    | 'computed_import'
    | 'remote_import'
    | 'hidden_characters'
    | 'mixed_scripts'
    | 'long_line'
  readonly text: string
  /** 1-based. */
  readonly line: number
}

const RULES: readonly { kind: CodeWarning['kind']; pattern: RegExp; text: string }[] = [
  {
    kind: 'eval',
    pattern:
      /\beval\s*(?:\?\.)?\(|\bnew\s+(?:\w+\.)*(?:Async|Generator|AsyncGenerator)?Function\s*\(|(?<![\w.$])Function\s*\(|\[\s*['"`](?:eval|Function|constructor)['"`]\s*\]|\.constructor\s*\.\s*constructor|\.constructor\s*\(\s*['"`]|\(\s*0\s*,\s*eval\s*\)|\bglobalThis\s*\[|\bset(?:Timeout|Interval)\s*\(\s*['"`]/,
    text: 'builds code at run time (eval)',
  },
  {
    kind: 'computed_import',
    pattern: /\bimport\s*\(\s*(?!['"][^'"]*['"]\s*[),])/,
    text: 'imports from an address computed at run time',
  },
  {
    kind: 'remote_import',
    pattern:
      /\b(?:import|export)\b[^'"\n]*['"](?:https?:|npm:|jsr:|data:|blob:)|\bimport\s*\(\s*['"](?:https?:|npm:|jsr:|data:|blob:)/,
    text: 'imports code from elsewhere, which this version does not load',
  },
]

/** Letters of scripts that hold look-alikes of Latin letters: Cyrillic, Greek, Armenian, Cherokee, full-width. */
const LOOKALIKE =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\uff01-\uff5e\u{1d400}-\u{1d7ff}]/u
const LATIN = /[A-Za-z]/
const WORD = /[\p{L}\p{N}_$]+/gu

/** Warnings in order of line, one a kind. It looks at text, so it can be fooled: absence proves nothing. */
export function codeWarnings(code: string): readonly CodeWarning[] {
  const found = new Map<CodeWarning['kind'], CodeWarning>()
  const note = (kind: CodeWarning['kind'], text: string, line: number): void => {
    if (!found.has(kind)) found.set(kind, { kind, text, line })
  }
  code.split('\n').forEach((line, index) => {
    for (const rule of RULES) if (rule.pattern.test(line)) note(rule.kind, rule.text, index + 1)
    const body = line.replace(/\r$/, '')
    if (visibleText(body) !== body)
      note('hidden_characters', 'holds invisible or reordering characters', index + 1)
    if (hasMixedWord(body)) note('mixed_scripts', 'holds a word that mixes look-alike letters', index + 1)
    if (body.length > 500) note('long_line', `has a line of ${body.length} characters`, index + 1)
  })
  return [...found.values()].sort((a, b) => a.line - b.line)
}

/** Whether a word mixes Latin letters with letters that look like them. */
export function hasMixedWord(text: string): boolean {
  if (!LOOKALIKE.test(text)) return false
  return (text.match(WORD) ?? []).some((word) => LATIN.test(word) && LOOKALIKE.test(word))
}
