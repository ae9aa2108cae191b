import type { AskEntry, EgressRule } from '../index.ts'

/** What came of one request, for the audit. */
export interface Outcome {
  status: number | null
  requestBytes: number
  responseBytes: number
  refused: EgressRule | null
  ask?: AskEntry
}
