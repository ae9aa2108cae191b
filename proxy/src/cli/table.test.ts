import { expect, test } from 'vitest'
import { styleFor } from './style.ts'
import { renderTable } from './table.ts'

test('what does not fit stands below each other, and breaks between words', () => {
  const columns = 30
  const text = renderTable(
    ['ID', 'WHAT'],
    [['one', 'may read calendars of the whole team, and nothing else']],
    styleFor({ columns }, {}),
    { columns, shrink: [] },
  )
  expect(text).toBe(
    ['ID    one', 'WHAT  may read calendars of', '      the whole team, and', '      nothing else'].join(
      '\n',
    ),
  )
})
