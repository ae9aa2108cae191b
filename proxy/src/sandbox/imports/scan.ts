/** An import in code that names something from elsewhere, as a look at the text finds it. */
export interface RemoteImport {
  readonly specifier: string
  /** 1-based. */
  readonly line: number
}

/** What may stand between an import's keyword and its quotes. No two parts can begin alike, and all are bounded: linear. */
const GAP = String.raw`\s{0,100}(?:(?:/\*[^*]{0,200}\*/|//[^\n]{0,200}\n)\s{0,100}){0,4}`
const TEXT = String.raw`(["'\x60])((?:https?|jsr|npm):[^"'\x60\n]{0,2000})`
const IMPORT = new RegExp(
  String.raw`\b(?:(?:from|import)${GAP}${TEXT}\1|import${GAP}\(${GAP}${TEXT}\3${GAP}[,)])`,
  'gi',
)

/**
 * Static imports, re-exports and `import("…")` of `https:`, `http:`, `jsr:` and `npm:`, in order. It looks at text, so
 * it may name one in a comment or miss one that is written to be missed: what is not found is not locked, and what is not
 * locked does not load.
 */
export function remoteImports(code: string): readonly RemoteImport[] {
  const found: RemoteImport[] = []
  let line = 1
  let counted = 0
  for (const match of code.matchAll(IMPORT)) {
    const specifier = match[2] ?? match[4] ?? ''
    if (specifier.includes('${')) continue
    const at = match.index + match[0].indexOf(specifier)
    for (; counted < at; counted += 1) if (code.charCodeAt(counted) === 10) line += 1
    found.push({ specifier, line })
  }
  return found
}
