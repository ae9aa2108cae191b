/** What is told apart by colour; everything else is plain. */
export type TokenKind = 'comment' | 'string' | 'number' | 'keyword'

export interface Token {
  readonly kind: TokenKind
  readonly start: number
  readonly end: number
}

const words = (text: string): string => `\\b(?:${text.trim().split(/\s+/).join('|')})\\b`

const NUMBER = '\\b(?:0[xob][\\da-f_]+|\\d[\\d_]*(?:\\.\\d+)?(?:e[+-]?\\d+)?)n?\\b'

/** Groups in the order of `KINDS`. Strings without an end go on to the end of their line, or of the text where they may span lines. */
const SCRIPT = new RegExp(
  [
    '(\\/\\/[^\\n]*|\\/\\*[^]*?(?:\\*\\/|$))',
    '("(?:[^"\\\\\\n]|\\\\[^])*"?|\'(?:[^\'\\\\\\n]|\\\\[^])*\'?|`(?:[^`\\\\]|\\\\[^])*`?)',
    `(${NUMBER})`,
    `(${words(`
      as async await break case catch class const continue debugger default delete do else enum export extends false finally for from
      function get if implements import in instanceof interface let new null of private protected public readonly return satisfies set
      static super switch this throw true try type typeof undefined using var void while with yield`)})`,
  ].join('|'),
  'gi',
)

const PYTHON = new RegExp(
  [
    '(#[^\\n]*)',
    '([rbfut]{0,2}(?:"""[^]*?(?:"""|$)|\'\'\'[^]*?(?:\'\'\'|$)|"(?:[^"\\\\\\n]|\\\\[^])*"?|\'(?:[^\'\\\\\\n]|\\\\[^])*\'?))',
    `(${NUMBER})`,
    `(${words(`
      and as assert async await break case class continue def del elif else except False finally for from global if import in is lambda
      match None nonlocal not or pass raise return True try while with yield`)})`,
  ].join('|'),
  'gi',
)

const KINDS: readonly TokenKind[] = ['comment', 'string', 'number', 'keyword']

/** Colour helps reading and decides nothing: a regular expression is taken for a division, and nothing of it is hidden. */
export function* tokensOf(code: string, language: string): Generator<Token> {
  const pattern = new RegExp(language === 'python' ? PYTHON : SCRIPT)
  for (const match of code.matchAll(pattern)) {
    const kind = KINDS[match.slice(1).findIndex((group) => group !== undefined)]
    if (kind !== undefined) yield { kind, start: match.index, end: match.index + match[0].length }
  }
}
