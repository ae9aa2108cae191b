/**
 * Gaps of the grammar (a program that does not parse may do anything): valid Python that it does not know, rewritten to
 * text of the same length that it knows, so that every offset stays; `emptied` are offsets of brackets that may only be
 * those of empty patterns. Names and strings are always read from the true text: `as` that was written over with `or` is
 * still seen as `as`.
 */
export function tolerate(code: string): { text: string; emptied: number[] } {
  const text = code
    .replace(/\byield(?=[ \t]*(?:#[^\n]*)?(?:\n|$|[)\];,]))/g, 'None ')
    .replace(/(^|[^\w.)\]"'])(\d[\d_]*)\.(?=[^\w.]|$)/gm, '$1$2 ')
    .replace(/\bas(?=[ \t]*[([]|[ \t]+\w[\w.]*[.[])/g, 'or')
    .replace(/\blambda\b[^:\n/]{0,200},[ \t]*\/(?=[ \t]*[,:])/g, (found) => `${found.slice(0, -1)}_`)
    .replace(/(\w\[)\*(?=\w)/g, '$1 ')
    // Any expression may decorate: the line becomes a statement, which still shows its true `@`.
    .replace(/^([ \t]*)@lambda\b/gm, '$1lambda ')
    .replace(/^([ \t]*)@/gm, '$1~')
  const groups = /^[ \t]*(?:async[ \t]+)?with[ \t]*\(/gm
  const pieces: string[] = []
  let done = 0
  for (let match = groups.exec(text); match !== null; match = groups.exec(text)) {
    const start = match.index + match[0].length
    if (start < done) continue
    const end = closing(text, start)
    pieces.push(text.slice(done, start), text.slice(start, end).replace(/\bas\b/g, 'or'))
    done = end
  }
  pieces.push(text.slice(done))
  return withoutEmpty(pieces.join(''))
}

const CASE = /^[ \t]*case[ \t]+(?=[\w([{"'])/gm

/** Empty patterns (`case {}:`, `case str():`) as patterns that bind nothing, and where they stood. */
function withoutEmpty(text: string): { text: string; emptied: number[] } {
  const emptied: number[] = []
  const pieces: string[] = []
  let done = 0
  for (const match of text.matchAll(CASE)) {
    const start = match.index + match[0].length
    const end = patternEnd(text, start)
    for (let at = start; at + 1 < end; at++) {
      const pair = text.slice(at, at + 2)
      if (pair !== '()' && pair !== '[]' && pair !== '{}') continue
      pieces.push(text.slice(done, at), /\w/.test(text[at - 1] ?? '') ? '  ' : '_ ')
      emptied.push(at)
      done = at + 2
      at++
    }
  }
  pieces.push(text.slice(done))
  return { text: pieces.join(''), emptied }
}

/** Where the pattern from `start` ends: at the colon or the guard behind it; `start` when there is none. */
function patternEnd(text: string, start: number): number {
  let depth = 0
  const limit = Math.min(text.length, start + 400)
  for (let at = start; at < limit; at++) {
    const char = text[at] as string
    if ('([{'.includes(char)) depth++
    else if (')]}'.includes(char)) depth--
    else if (depth === 0 && (char === ':' || (char === ' ' && text.startsWith(' if', at)))) return at
    if (depth < 0 || (depth === 0 && (char === '\n' || char === '='))) return start
  }
  return start
}

/** Offset of the bracket that closes the one before `start`; a few thousand characters are looked at. */
function closing(text: string, start: number): number {
  let depth = 1
  const limit = Math.min(text.length, start + 2000)
  for (let at = start; at < limit; at++) {
    const char = text[at]
    if (char === '(' || char === '[' || char === '{') depth++
    else if (char === ')' || char === ']' || char === '}') depth--
    if (depth === 0) return at
  }
  return start
}
