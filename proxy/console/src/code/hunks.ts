import { diffLines } from 'diff'

/** A line of one of two texts, with its number in the one that it stands in last. */
interface DiffLine {
  readonly sign: '+' | '−' | ' '
  readonly number: number
  readonly text: string
}

/** Lines that are others, with some around them; null: the texts are too different to be told apart line by line in time. */
export type Hunks = readonly (readonly DiffLine[])[] | null

const CONTEXT = 3
const TIMEOUT_MS = 2_000

export function hunksOf(before: string, now: string): Hunks {
  // Not ignoring anything: whoever reads has to see blanks that differ.
  const parts = diffLines(before, now, { timeout: TIMEOUT_MS })
  if (parts === undefined) return null
  const lines: DiffLine[] = []
  let [old, fresh] = [1, 1]
  for (const { value, added, removed } of parts) {
    for (const text of value.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
      if (removed) lines.push({ sign: '−', number: old++, text })
      else lines.push({ sign: added ? '+' : ' ', number: fresh++, text })
      if (!added && !removed) old++
    }
  }
  const isNear = new Array<boolean>(lines.length).fill(false)
  for (const [at, { sign }] of lines.entries()) {
    if (sign === ' ') continue
    isNear.fill(true, Math.max(0, at - CONTEXT), at + CONTEXT + 1)
  }
  const hunks: DiffLine[][] = []
  for (const [at, line] of lines.entries()) {
    if (!isNear[at]) continue
    const open = hunks.at(-1)
    if (open !== undefined && isNear[at - 1]) open.push(line)
    else hunks.push([line])
  }
  return hunks
}
