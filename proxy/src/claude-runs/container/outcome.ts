import type { RunOutcome } from '../index.ts'

/** Of a run that came to nothing, but for `code` and `message`. */
export const NO_OUTCOME: Omit<RunOutcome, 'code' | 'message'> = {
  text: '',
  result: null,
  stopReason: null,
  usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
  turns: 0,
  sessionTranscript: null,
  sessionId: null,
  durationMs: 0,
  firstByteMs: null,
  denials: [],
}
