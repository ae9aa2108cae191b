import type { ComponentChildren } from 'preact'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => ComponentChildren
  /** Figures stand to the right, in columns that line up. */
  readonly isNumber?: true
  /** For narrow screens: the first line of a row's card. */
  readonly isName?: true
}

/** Rows of one kind: a table, and on a phone a card for each row with the titles beside the values. */
export function Table<Row>({
  label,
  columns,
  rows,
  keyOf,
  empty,
}: {
  /** What the rows are, for screen readers. */
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string | number
  readonly empty: ComponentChildren
}) {
  if (rows.length === 0) return <p class="empty">{empty}</p>
  return (
    <div class="table">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" class={isNumber ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, cell, isNumber, isName }) => (
                <td
                  key={title}
                  data-title={title}
                  class={[isNumber ? 'number' : '', isName ? 'name' : ''].join(' ').trim()}
                >
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
