/** Recipes as data: the commands of a page, each with what the page says that it prints. */
export interface RecipeStep {
  readonly commands: string
  /** Null where the page shows no output. */
  readonly expected: string | null
}

const STEP = /^```bash\n(?<commands>[\s\S]*?)^```\n(?:\n```text\n(?<expected>[\s\S]*?)^```\n)?/gm

export function stepsOf(page: string): RecipeStep[] {
  return [...page.matchAll(STEP)].map(({ groups }) => ({
    commands: groups?.commands ?? '',
    expected: groups?.expected ?? null,
  }))
}

/** The page with other outputs, one for each step. */
export function withOutputs(page: string, outputs: readonly string[]): string {
  let at = 0
  return page.replaceAll(STEP, (whole, _commands, expected?: string) => {
    const printed = outputs[at++] ?? ''
    if (expected === undefined) return whole
    const output = printed === '' || printed.endsWith('\n') ? printed : `${printed}\n`
    return `${whole.slice(0, whole.lastIndexOf('```text\n'))}\`\`\`text\n${output}\`\`\`\n`
  })
}

/** What differs from one run to the next, and stands for the same. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{64}\b/g, 'HASH'],
  [/\b(req|ask|agt|grt)_[0-9a-f]{6,}/g, '$1_ID'],
  [/\boa3_[\w-]{20,}/g, 'TOKEN'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{20,}\b/g, 'UUID'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?/g, 'TIME'],
  [/\b\d\d:\d\d:\d\d\b/g, 'TIME'],
  [/\b\d{4}-\d\d-\d\d\b/g, 'DAY'],
  [/\b\w{3}, \d\d \w{3} \d{4}\b/g, 'DAY'],
  [/\b1[0-9]{9}(?:[0-9]{3})?\b/g, 'TIME'],
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT'],
  [/\blistening \d+/g, 'listening PORT'],
  [/\bduration(?:_ms)?("?[:=])\d+/g, 'duration$1N'],
  [/\bschema \d+/g, 'schema N'],
  [/\bby \w+, TIME/g, 'by NAME, TIME'],
  [/\b\d+(?:\.\d+)? m?s\b/g, 'DURATION'],
  [/\bin \d+ min\b/g, 'in N min'],
  [/\b[0-9a-f]{8,16}\b/g, 'ID'],
  [/\b(cli):\d+/g, '$1:N'],
  [/[─]+/g, '─'],
  [/[ \t]+/g, ' '],
]

/** Two outputs that mean the same are equal after this. */
export const comparable = (output: string): string =>
  VARIABLE.reduce((text, [pattern, by]) => text.replaceAll(pattern, by), output).trim()
