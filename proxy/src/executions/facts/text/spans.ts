import type { Language } from '../facts.ts'

/** A stretch of a program by what it is to its language, roughly; `[start, end)` in UTF-16 units. */
export interface Span {
  readonly kind: 'comment' | 'string'
  readonly start: number
  readonly end: number
}

/**
 * A lexical scan: comments and literal texts of a program, found by one pass over its characters. It knows no syntax: where
 * a slash begins a regular expression is guessed from what stands before it. A template's `${…}` is no part of its text.
 */
export const spans = (code: string, language: Language): readonly Span[] =>
  language === 'python' ? pythonSpans(code) : javascriptSpans(code)

const JS_STOP = /["'`/{}]/g
const BEFORE_REGEXP =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|delete|do|else|await|yield))$/

function javascriptSpans(code: string): readonly Span[] {
  const found: Span[] = []
  /** One entry for each open template: how many braces are open in its current `${…}`. */
  const templates: number[] = []
  let at = code.startsWith('#!') ? lineEnd(code, 0) : 0
  if (at > 0) found.push({ kind: 'comment', start: 0, end: at })
  const template = (from: number): number => {
    const { end, opens } = templateEnd(code, from)
    found.push({ kind: 'string', start: from, end })
    if (opens) templates.push(0)
    return end + (opens ? 2 : 1)
  }
  while (at < code.length) {
    JS_STOP.lastIndex = at
    const stop = JS_STOP.exec(code)
    if (stop === null) break
    const char = stop[0]
    const start = stop.index
    const depth = templates.length - 1
    at = start + 1
    if (char === '`') at = template(start + 1)
    else if (char === '{' && depth >= 0) templates[depth] = (templates[depth] as number) + 1
    else if (char === '}' && depth >= 0) {
      if (templates[depth] === 0) {
        templates.pop()
        at = template(start + 1)
      } else templates[depth] = (templates[depth] as number) - 1
    } else if (char === '"' || char === "'") {
      const end = quoteEnd(code, start + 1, char)
      found.push({ kind: 'string', start: start + 1, end })
      at = end + 1
    } else if (char === '/') {
      const next = code[start + 1]
      if (next === '/') {
        at = lineEnd(code, start)
        found.push({ kind: 'comment', start, end: at })
      } else if (next === '*') {
        const close = code.indexOf('*/', start + 2)
        at = close < 0 ? code.length : close + 2
        found.push({ kind: 'comment', start, end: at })
      } else if (beginsRegExp(code, start)) at = regExpEnd(code, start + 1)
    }
  }
  return found
}

function beginsRegExp(code: string, slash: number): boolean {
  const before = code.slice(Math.max(0, slash - 80), slash).trimEnd()
  return BEFORE_REGEXP.test(before)
}

/** Behind the closing slash; at the line's end when there is none, as no regular expression crosses it. */
function regExpEnd(code: string, from: number): number {
  let inClass = false
  for (let at = from; at < code.length; at += 1) {
    const char = code[at]
    if (char === '\n') return from
    if (char === '\\') at += 1
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (char === '/' && !inClass) return at + 1
  }
  return from
}

function templateEnd(code: string, from: number): { readonly end: number; readonly opens: boolean } {
  for (let at = from; at < code.length; at += 1) {
    const char = code[at]
    if (char === '\\') at += 1
    else if (char === '`') return { end: at, opens: false }
    else if (char === '$' && code[at + 1] === '{') return { end: at, opens: true }
  }
  return { end: code.length, opens: false }
}

/** Where a text in `quote` ends: at the quote, or at the end of the line that it may not cross. */
function quoteEnd(code: string, from: number, quote: string): number {
  for (let at = from; at < code.length; at += 1) {
    const char = code[at]
    if (char === '\\') at += 1
    else if (char === quote || char === '\n') return at
  }
  return code.length
}

function lineEnd(code: string, from: number): number {
  const end = code.indexOf('\n', from)
  return end < 0 ? code.length : end
}

const PYTHON_STOP = /["'#]/g

/** A text in three quotes that begins a line is a docstring: it counts as a comment. */
function pythonSpans(code: string): readonly Span[] {
  const found: Span[] = []
  let at = 0
  while (at < code.length) {
    PYTHON_STOP.lastIndex = at
    const stop = PYTHON_STOP.exec(code)
    if (stop === null) break
    const char = stop[0]
    const start = stop.index
    if (char === '#') {
      at = lineEnd(code, start)
      found.push({ kind: 'comment', start, end: at })
    } else if (code.startsWith(char.repeat(3), start)) {
      const end = tripleEnd(code, start + 3, char.repeat(3))
      const before = code.slice(Math.max(0, start - 200), start)
      found.push({
        kind: /(?:^|\n)[ \t\r]{0,199}[rRuU]?$/.test(before) ? 'comment' : 'string',
        start: start + 3,
        end,
      })
      at = end + 3
    } else {
      const end = quoteEnd(code, start + 1, char)
      found.push({ kind: 'string', start: start + 1, end })
      at = end + 1
    }
  }
  return found
}

function tripleEnd(code: string, from: number, quotes: string): number {
  for (let at = from; at < code.length; at += 1) {
    const char = code[at]
    if (char === '\\') at += 1
    else if (char === quotes[0] && code.startsWith(quotes, at)) return at
  }
  return code.length
}
