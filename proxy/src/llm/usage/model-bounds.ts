/** What models read and write at most, for limits: of vendors' model pages in November 2026. */
export interface ModelBounds {
  /** Tokens of one answer, the hidden ones of reasoning among them. */
  readonly output: number
  /** Tokens of everything that it reads. */
  readonly context: number
}

/** Of a model that is on no line below: the longest answer and the largest context that are commonly sold. */
const UNKNOWN: ModelBounds = { output: 131_072, context: 2_097_152 }

const MIB = 1_048_576

/** The longest beginning that fits counts. */
const ROWS: readonly (readonly [beginning: string, output: number, context: number])[] = [
  ['gpt-5', 128_000, 400_000],
  ['gpt-5-pro', 272_000, 400_000],
  ['gpt-5.4', 128_000, 1_050_000],
  ['gpt-5.5', 128_000, 1_050_000],
  ['gpt-5.6', 128_000, 1_050_000],
  ['gpt-4.1', 32_768, 1_047_576],
  ['gpt-4o', 16_384, 128_000],
  ['chatgpt-4o', 16_384, 128_000],
  ['gpt-4-turbo', 4_096, 128_000],
  ['gpt-3.5-turbo', 4_096, 16_385],
  ['o1', 100_000, 200_000],
  ['o3', 100_000, 200_000],
  ['o4-mini', 100_000, 200_000],
  ['text-embedding-', 0, 300_000],
  ['claude-', 131_072, 1_000_000],
  ['claude-haiku-4-5', 64_000, 200_000],
  ['claude-3', 64_000, 200_000],
  ['gemini-2.0', 8_192, MIB],
  ['gemini-2.5', 65_536, MIB],
  ['gemini-3', 65_536, MIB],
]

export function boundsOf(model: string | null): ModelBounds {
  const name = model?.slice(model.lastIndexOf('/') + 1) ?? ''
  let best: (typeof ROWS)[number] | undefined
  for (const row of ROWS) {
    if (name.startsWith(row[0]) && row[0].length > (best?.[0].length ?? 0)) best = row
  }
  return best === undefined ? UNKNOWN : { output: best[1], context: best[2] }
}
