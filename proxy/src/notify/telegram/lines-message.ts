import type { TextLine } from '../../approvals/index.ts'
import { bold, clip, code, escapeHtml } from './html.ts'

/** How much of a name that somebody else chose a line shows, and of any other text. */
const NAME_COLUMNS = 76
const TEXT_COLUMNS = 400

/** Lines of a card as HTML: nothing in them is markup. */
export const linesHtml = (lines: readonly TextLine[]): string =>
  lines
    .map((line) =>
      line
        .map((part) => {
          if (typeof part === 'string') return escapeHtml(clip(part, TEXT_COLUMNS))
          return 'strong' in part ? bold(part.strong) : code(clip(part.name, NAME_COLUMNS))
        })
        .join(''),
    )
    .join('\n')
