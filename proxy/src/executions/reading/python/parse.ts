import { parser } from '@lezer/python'
import { readExpr } from './expressions.ts'
import { Unreadable } from './limits.ts'
import { newNames, type Reading } from './reading.ts'
import { bodyAt } from './statements.ts'
import type { Program } from './syntax.ts'
import { tolerate } from './tolerate.ts'
import type { Tree } from './tree.ts'

/** Without error recovery: it is slow on hostile text, and a program with an error is not read anyway. */
const strict = parser.configure({ strict: true })
const COOKIE = /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/
const PLAIN_COOKIE = /^(?:utf-?8(?:-sig)?|u8|ascii|us-ascii|latin-?1|iso-8859-1)$/i

/**
 * The program in `code`, whose line ends are `\n` alone.
 * @throws Unreadable when it is not valid Python, or nested too deeply.
 */
export function parsePython(code: string): Program {
  const nul = code.indexOf('\0')
  if (nul >= 0) throw new Unreadable(nul, 'holds a NUL character')
  checkCookie(code)
  const { tree, emptied } = parsed(code)
  const reading = newReading(code)
  const body = reading.body(tree.cursor())
  // Elsewhere than in a pattern such brackets are a call, which must not be lost.
  const patterns = reading.patterns.sort((a, b) => a.from - b.from)
  let next = 0
  for (const at of emptied) {
    while (next < patterns.length && (patterns[next]?.to ?? 0) < at) next++
    if (next >= patterns.length || (patterns[next]?.from ?? 0) > at)
      throw new Unreadable(at, 'not Python that this reader knows')
  }
  return { body, words: reading.words, escaped: reading.escaped, odd: reading.odd }
}

function newReading(code: string): Reading {
  const reading: Reading = {
    code,
    depth: 0,
    names: newNames(),
    words: new Map(),
    normalized: new Map(),
    escaped: [],
    odd: [],
    patterns: [],
    annotations: [],
    expression: (cursor) => readExpr(reading, cursor),
    body: (cursor) => bodyAt(reading, cursor),
  }
  return reading
}

/** An encoding declaration (PEP 263) in the first two lines decodes the file: another alphabet is another program. */
function checkCookie(code: string): void {
  const lines = code.slice(0, 2000).split('\n', 2)
  for (const [index, line] of lines.entries()) {
    if (index === 1 && !/^[ \t\f]*(?:#|$)/.test(lines[0] as string)) return
    const name = COOKIE.exec(line)?.[1]
    if (name !== undefined && !PLAIN_COOKIE.test(name.replaceAll('_', '-')))
      throw new Unreadable(
        index === 0 ? 0 : (lines[0] as string).length + 1,
        `is written in the encoding ${name.slice(0, 30)}`,
      )
  }
}

function parsed(code: string): { tree: Tree; emptied: number[] } {
  try {
    return { tree: treeOf(code), emptied: [] }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const changed = tolerate(code)
    if (changed.text === code) throw unreadable(error)
    try {
      return { tree: treeOf(changed.text), emptied: changed.emptied }
    } catch (second) {
      throw second instanceof SyntaxError ? unreadable(second) : second
    }
  }
}

/**
 * The parser takes many reductions with one start for a tree that is too deep, and so refuses long programs: its count
 * is kept at nought. A tree that is too deep in truth is refused by the limit of nesting.
 */
function treeOf(text: string): Tree {
  const parse = strict.startParse(text)
  const counter = parse as unknown as { bigReductionCount: number }
  for (;;) {
    const tree = parse.advance()
    if (tree !== null) return tree
    counter.bigReductionCount = 0
  }
}

const unreadable = (error: SyntaxError): Unreadable =>
  new Unreadable(Number(/No parse at (\d+)/.exec(error.message)?.[1] ?? 0), 'is not valid Python')
