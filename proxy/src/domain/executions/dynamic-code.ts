import { AppError } from '../../kernel/index.ts'
import type { CodeFacts } from '../facts/index.ts'

/** Runtimes that let no code be made from text unless the consent says so; see docs/runtimes.md. */
const WALLED_RUNTIMES: ReadonlySet<string> = new Set(['deno', 'node', 'quickjs'])

export const isWalled = (runtime: string): boolean => WALLED_RUNTIMES.has(runtime)

/**
 * The half of that wall which no engine has a switch for: `import()` of text. Where nothing is made from text, every `import(`
 * stands in the program itself, so a program is refused that names anything but a fixed module there.
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
