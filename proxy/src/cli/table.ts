import Table from 'cli-table3'
import type { Style } from './style.ts'
import { clipColumns, columnsOf, terminalLine, wordWrap } from './text-layout.ts'

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/**
 * How a table is made to fit: in this order, each column down to at most this narrow, until it does. One that does not fit
 * then is written with a line for each cell.
 */
interface Fit {
  readonly columns: number
  readonly shrink: readonly (readonly [index: number, minimum: number])[]
}

/** Numbers under each other: the named columns, and their titles, end where the longest of them does. */
export function alignedRight(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: readonly number[],
): [head: string[], ...rows: string[][]] {
  const widths = columns.map((index) => Math.max(...[head, ...rows].map((row) => row[index]?.length ?? 0)))
  const align = (row: readonly string[]): string[] =>
    row.map((cell, index) => cell.padStart(widths[columns.indexOf(index)] ?? 0))
  return [align(head), ...rows.map(align)]
}

const GAP_COLUMNS = NO_LINES.middle.length

/** A table without lines. Cells are texts of others, so they are made safe here. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  style: Style,
  fit: Fit,
): string {
  const safe = rows.map((row) => row.map(terminalLine))
  const { widths, excess } = fittedWidths([head, ...safe], fit)
  if (excess > 0) return stacked(head, safe, style, fit.columns)
  const table = new Table({
    head: head.map((title) => style.dim(title)),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  table.push(...safe.map((row) => row.map((cell, index) => clipColumns(cell, widths[index]))))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Row below row, each cell beside its title; a long one goes on in the same column. Nothing is clipped. */
function stacked(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  style: Style,
  columns: number,
): string {
  const titles = head.map((title) => title.trim())
  const titleWidth = Math.max(...titles.map(columnsOf))
  const room = columns - titleWidth - GAP_COLUMNS
  // Where a title leaves no room beside it, the cell stands below it.
  const isBeside = room >= titleWidth
  const lines = (title: string, cell: string): string[] => {
    const parts = wordWrap(cell.trim(), Math.max(1, isBeside ? room : columns - GAP_COLUMNS))
    const indent = ' '.repeat(isBeside ? titleWidth + GAP_COLUMNS : GAP_COLUMNS)
    const [first = '', ...rest] = parts
    const beside = `${style.dim(title)}${' '.repeat(titleWidth - columnsOf(title) + GAP_COLUMNS)}${first}`
    const begun = isBeside ? [beside] : [style.dim(title), indent + first]
    return [...begun, ...rest.map((part) => indent + part)].map((line) => line.trimEnd())
  }
  return rows
    .map((row) => row.flatMap((cell, index) => lines(titles[index] ?? '', cell)).join('\n'))
    .join('\n\n')
}

function fittedWidths(
  rows: readonly (readonly string[])[],
  { columns, shrink }: Fit,
): { readonly widths: number[]; readonly excess: number } {
  const widths = (rows[0] ?? []).map((_title, index) =>
    Math.max(...rows.map((row) => columnsOf(row[index] ?? ''))),
  )
  let excess = widths.reduce((sum, width) => sum + width, GAP_COLUMNS * (widths.length - 1)) - columns
  for (const [index, minimum] of shrink) {
    const width = widths[index] ?? 0
    const cut = Math.max(0, Math.min(excess, width - minimum))
    widths[index] = width - cut
    excess -= cut
  }
  return { widths, excess }
}
