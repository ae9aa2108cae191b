import { AppError } from '../kernel/index.ts'
import { type CodeFacts, isWalled } from './facts/index.ts'

/**
 * Where the runtime makes no code from text, a program that imports some would fail in the middle of its run: it is refused
 * before anybody is asked, with the lines.
 */
export function assertNoUnaskedCode(facts: CodeFacts, runtime: string): void {
  if (!isWalled(runtime)) return
  const lines = facts.dangers
    .filter(({ kind }) => kind === 'text_import' || kind === 'computed_import')
    .flatMap((danger) => danger.lines)
  if (lines.length === 0) return
  const sorted = [...new Set(lines)].sort((a, b) => a - b)
  throw new AppError(
    'dynamic_code_refused',
    `The code imports code made from text, or from an address computed at run time (line ${sorted.slice(0, 5).join(', ')}). ` +
      'Name the module as a fixed text, or ask for "dynamic_code": true, of which the person is warned.',
    { details: { lines: sorted.slice(0, 50) } },
  )
}
