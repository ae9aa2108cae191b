import type { DangerKind } from './dangers.ts'

/** What a program is written in, as far as reading it goes: Deno, Node and QuickJS run JavaScript and TypeScript. */
export type Language = 'javascript' | 'python'

/** Where a part of a request comes from when the text of the program does not fix it. */
export type Source = 'args' | 'answer' | 'decoded' | 'environment' | 'computed'

/** One request that the program can be seen to make; several where one call serves several methods or paths. */
export interface RequestFact {
  /** 1-based, of the call. */
  readonly line: number
  /** Canonical host pattern without wildcard (`api.stripe.com`, `http://x:8080`); null when it is computed. */
  readonly host: string | null
  /** Upper case, `GET` when the program says nothing; null when it is computed. */
  readonly method: string | null
  /** Path pattern without query: `/v1/charges/*`, a computed segment being `*`; null when it is computed as a whole. */
  readonly path: string | null
  /** It opens a WebSocket. */
  readonly websocket: boolean
  /** The operation of a literal GraphQL document; `unknown` for a computed one; null when the request is none. */
  readonly graphql: 'query' | 'mutation' | 'unknown' | null
  /** What decides each part that is null. */
  readonly hostFrom: Source | null
  readonly methodFrom: Source | null
  readonly pathFrom: Source | null
}

/** Something in a program that a person should know before approving it. */
export interface DangerFact {
  readonly kind: DangerKind
  /** Every line of it, 1-based, ascending, each once. */
  readonly lines: readonly number[]
  /** What it is about: `eval`, `node:vm`, `Math.random`, a name. One line, at most 80 characters, made by the reader. */
  readonly detail?: string
}

/** A secret's variable and what becomes of it. */
export interface SecretFact {
  readonly name: string
  /** Lines that read it. */
  readonly lines: readonly number[]
  /** `header`, `query`, `body`, `path` of a request, `output`, `computed with` (hashed, encoded, cut), `unknown`. */
  readonly goes: readonly ('header' | 'query' | 'body' | 'path' | 'output' | 'computed' | 'unknown')[]
}

/** An import of the program; `remote` when it names something from elsewhere (https:, npm:, jsr:). */
export interface ImportFact {
  readonly line: number
  /** Null when it is computed. */
  readonly specifier: string | null
  /** `import()` rather than a declaration. */
  readonly dynamic: boolean
}

/** What the reader of a language finds in one program. Pure data: it crosses threads and is stored as JSON. */
export interface CodeFacts {
  readonly language: Language
  /** False when the program does not parse or is beyond the reader's limits: then nothing in here is complete. */
  readonly readable: boolean
  /** It was not read to its end, for want of time or memory: another time it may be, so this is not kept. */
  readonly unread?: true
  readonly requests: readonly RequestFact[]
  readonly dangers: readonly DangerFact[]
  readonly secrets: readonly SecretFact[]
  readonly imports: readonly ImportFact[]
}
