import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'

/** A place in a file; lines and columns count from 1. */
interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Places of stack traces come again and again. */
const MAX_KEPT = 1_000

type PlaceOf = (file: string, line: number, column: number) => Place | null

/**
 * Stack traces of bundled code, told by the places in its sources: from the source map beside each file (ECMA-426), read when a trace
 * goes through it. Node's own support keeps all maps decoded, 15 MB and more. Nothing of a map is kept but places that were asked
 * for.
 */
export function tellSourcePositions(): void {
  const kept = new Map<string, Place | null>()
  /** Of one trace, whose frames are mostly in the same few files. */
  const placesOfTrace = (): PlaceOf => {
    const maps = new Map<string, SourceMap | null>()
    return (file, line, column) => {
      const key = `${file}:${line}:${column}`
      const known = kept.get(key)
      if (known !== undefined) return known
      if (!maps.has(file)) maps.set(file, mapOf(file))
      const found = placeIn(maps.get(file) ?? null, file, line, column)
      if (kept.size >= MAX_KEPT) kept.clear()
      kept.set(key, found)
      return found
    }
  }
  Error.prepareStackTrace = (error, frames) => {
    const placeOf = placesOfTrace()
    return [nameOf(error), ...frames.map((frame) => `    at ${told(frame, placeOf)}`)].join('\n')
  }
}

function told(frame: NodeJS.CallSite, placeOf: PlaceOf): string {
  const text = frame.toString()
  const [file, line, column] = [frame.getFileName(), frame.getLineNumber(), frame.getColumnNumber()]
  if (!file?.startsWith('file:') || line === null || column === null) return text
  const place = placeOf(file, line, column)
  return place === null
    ? text
    : text.replace(`${file}:${line}:${column}`, () => `${place.file}:${place.line}:${place.column}`)
}

function nameOf(error: Error): string {
  try {
    return Error.prototype.toString.call(error)
  } catch {
    return 'Error'
  }
}

/** Null without one: what stands in the file is told. */
function mapOf(file: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(new URL(`${file}.map`), 'utf8')))
  } catch {
    return null
  }
}

/** By the last segment of the line that does not begin behind the column; a map counts from 0. */
function placeIn(map: SourceMap | null, file: string, line: number, column: number): Place | null {
  const entry = map?.findEntry(line - 1, column - 1)
  if (entry === undefined || !('originalSource' in entry) || entry.generatedLine !== line - 1) return null
  return {
    file: new URL(entry.originalSource, file).href,
    line: entry.originalLine + 1,
    column: entry.originalColumn + 1,
  }
}
