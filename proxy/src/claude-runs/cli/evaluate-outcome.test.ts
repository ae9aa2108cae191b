import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { RUN_CODES } from '../index.ts'
import { type CliFacts, evaluateOutcome } from './evaluate-outcome.ts'
import type { CliResult } from './messages.ts'

const RESULT: CliResult = {
  isError: false,
  subtype: 'success',
  text: 'hello',
  stopReason: 'end_turn',
  terminalReason: 'completed',
  apiStatus: null,
  turns: 1,
  sessionId: 's',
  denied: [],
}
const FACTS: CliFacts = {
  result: RESULT,
  stopReason: 'end_turn',
  text: 'hello',
  refusal: null,
  stderr: '',
  exitCode: null,
}
const result = (part: Partial<CliResult>, facts: Partial<CliFacts> = {}): CliFacts => ({
  ...FACTS,
  ...facts,
  result: { ...RESULT, ...part },
})
const BUDGET = { code: 'budget_exceeded', message: 'spent' }
const failed = { isError: true, stopReason: 'stop_sequence', terminalReason: 'api_error' }

it.each<[string, CliFacts, string]>([
  ['all is well', FACTS, 'ok'],
  ['an empty result, with the text of the stream', result({ text: '' }), 'ok'],
  ['success and an error at once', result({ isError: true, text: 'API Error: 500' }), 'upstream_error'],
  ['neither text nor error, though tokens were paid', result({ text: '' }, { text: '' }), 'upstream_error'],
  ['another subtype', result({ subtype: 'error_during_execution' }), 'upstream_error'],
  ['no model was asked', result({ turns: 0, text: 'Unknown command' }), 'input_refused'],
  ['a refusal', result({ ...failed, stopReason: 'refusal' }, { stopReason: 'refusal' }), 'model_refused'],
  ['a refusal that the CLI calls another thing', result(failed, { stopReason: 'refusal' }), 'model_refused'],
  ['the most tokens', result(failed, { stopReason: 'max_tokens' }), 'max_tokens'],
  ['the most turns', result({ isError: true, subtype: 'error_max_turns' }), 'max_turns'],
  ['a spent budget', result(failed, { refusal: BUDGET }), 'budget_exceeded'],
  ['a spent budget, and a run that went well all the same', { ...FACTS, refusal: BUDGET }, 'ok'],
  [
    'another refusal of the endpoint',
    result(failed, { refusal: { code: 'locked', message: 'x' } }),
    'upstream_error',
  ],
  ['a prompt too long', result({ ...failed, text: 'Prompt is too long' }), 'input_refused'],
  ['a request too large', result({ ...failed, apiStatus: 413 }), 'input_refused'],
  ['no result', { ...FACTS, result: null, exitCode: 1, stderr: 'boom' }, 'cli_crashed'],
  [
    'an unknown conversation',
    { ...FACTS, result: null, exitCode: 1, stderr: 'No conversation found with session ID: 1' },
    'session_unknown',
  ],
])('%s', (_what, facts, code) => {
  const verdict = evaluateOutcome(facts)
  expect(verdict.code).toBe(code)
  expect(verdict.message === '').toBe(code === 'ok')
  expect(verdict.message.length).toBeLessThan(700)
})

it('every ending is in the documents', () => {
  const page = readFileSync(new URL('../../../../docs/claude-runs.md', import.meta.url), 'utf8')
  expect(RUN_CODES.filter((code) => !page.includes(`\`${code}\``))).toEqual([])
})

it('shows a person no more than the beginning of what the CLI said', () => {
  const { message } = evaluateOutcome(result({ isError: true, text: `API Error: ${'x'.repeat(10_000)}` }))
  expect(message).toBe('x'.repeat(500))
})
