/** Whether a run went well: no single field of the CLI's tells. */
import type { RunCode } from '../index.ts'
import type { CliResult } from './messages.ts'

export interface CliFacts {
  /** Of the last prompt; null when the process ended without one. */
  readonly result: CliResult | null
  /** The model's own, of the last answer. */
  readonly stopReason: string | null
  readonly text: string
  /** Why the model's end refused the last call for good. */
  readonly refusal: { readonly code: string; readonly message: string } | null
  /** The last of standard error. */
  readonly stderr: string
  /** Of the process; null while it lives. */
  readonly exitCode: number | null
}

export interface Verdict {
  readonly code: RunCode
  /** For a person; empty when `code` is `ok`. */
  readonly message: string
}

const OK: Verdict = { code: 'ok', message: '' }

export function evaluateOutcome(facts: CliFacts): Verdict {
  const { result, refusal } = facts
  if (result === null) return withoutResult(facts)
  const stopReason = facts.stopReason ?? result.stopReason
  // A refusal of the model's own ends a run in which no call failed; one of the endpoint's is what the run failed of.
  if (result.isError && refusal !== null)
    return {
      code: refusal.code === 'budget_exceeded' ? 'budget_exceeded' : 'upstream_error',
      message: refusal.message,
    }
  if (stopReason === 'refusal' || result.stopReason === 'refusal')
    return { code: 'model_refused', message: 'The model declined to answer.' }
  if (stopReason === 'max_tokens')
    return { code: 'max_tokens', message: 'The answer reached the most output tokens that it may have.' }
  if (result.subtype === 'error_max_turns' || result.terminalReason === 'max_turns')
    return { code: 'max_turns', message: 'The run reached the most turns that it may have.' }
  if (isInputRefused(result)) return { code: 'input_refused', message: shown(result.text) }
  if (result.isError || result.subtype !== 'success')
    return { code: 'upstream_error', message: shown(result.text || result.subtype) }
  // Paid for and empty: the CLI answers some prompts by itself, without a model.
  if (result.turns === 0)
    return { code: 'input_refused', message: shown(result.text || 'No model was asked.') }
  if (facts.text === '' && result.text === '')
    return { code: 'upstream_error', message: 'The model answered without any text.' }
  return OK
}

function withoutResult({ stderr, exitCode }: CliFacts): Verdict {
  if (/No conversation found with session ID/i.test(stderr))
    return { code: 'session_unknown', message: 'The conversation to go on with is not one of the CLI’s.' }
  const tail = stderr.trim() === '' ? '' : `: ${shown(stderr.trim().slice(-500))}`
  return {
    code: 'cli_crashed',
    message: `The CLI ended without a result (exit code ${exitCode ?? 'unknown'})${tail}`,
  }
}

const isInputRefused = ({ terminalReason, apiStatus, text, isError }: CliResult): boolean =>
  isError &&
  (terminalReason === 'prompt_too_long' ||
    apiStatus === 413 ||
    /^(?:API Error: (?:413\b|.*prompt is too long)|Prompt is too long)/i.test(text))

const MAX_SHOWN = 500
/** The CLI's words begin with `API Error:`, and may be of any length. */
const shown = (text: string): string => text.replace(/^API Error:\s*/, '').slice(0, MAX_SHOWN)
