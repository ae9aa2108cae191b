// biome-ignore lint/suspicious/noExplicitAny: the shapes are the vendors'
export type Answer = any

/** An answer of a vendor, and what it used by a formula of its own. */
export interface Recorded {
  readonly name: string
  readonly provider: string
  readonly model: string
  readonly answer: Answer
  /** In place of one JSON body. */
  readonly as?: { readonly type: string; readonly bytes: Buffer }
  /** Tokens in, tokens out, US dollars (null: a part has no known price). */
  readonly recount: (answer: Answer) => readonly [input: number, output: number, usd: number | null]
}

export const sse = (...events: object[]) => ({
  type: 'text/event-stream',
  bytes: Buffer.from(
    `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`,
  ),
})
export const perMillion = (...parts: readonly (readonly [tokens: number, usd: number])[]): number =>
  parts.reduce((sum, [tokens, usd]) => sum + tokens * usd, 0) / 1_000_000
