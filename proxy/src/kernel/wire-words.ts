/** The closed lists of words that go over the wire, beside ERROR_TABLE: the rules behind them are the features'. */

export const EXECUTION_STATES = [
  'pending',
  'awaiting_secrets',
  'approved',
  'running',
  'success',
  'failed',
  'denied',
  'expired',
  'cancelled',
] as const

export type ExecutionStatus = (typeof EXECUTION_STATES)[number]

/** Why a run failed; in the answer as `error.code`. */
export const FAILURE_CODES = {
  nonzero_exit: 'The code ended with an exit code other than 0.',
  timeout: 'The run took longer than its time limit and was ended.',
  memory_limit: 'The run used more memory than its limit and was ended.',
  output_limit: 'The run printed far more than its output limit and was ended.',
  stopped: 'A person stopped it. It is not repeated; what it had sent stays sent.',
  interrupted:
    'The run was ended: its agent was revoked, everything was stopped, or the daemon was; it was not repeated.',
  sandbox_lost: 'The sandbox disappeared in the middle of the run; it was not repeated.',
  sandbox_unavailable: 'No sandbox became available in time; the code did not run.',
  not_startable: 'The stored code or a secret could not be opened; the code did not run.',
  trust_ended: 'The approval that covered it ended before the code could start; ask again.',
  consent_stale: 'A secret was bound to other hosts after the approval; the code did not run.',
} as const

export type FailureCode = keyof typeof FAILURE_CODES

/** Parts of a request that a value may be put in. Consents of every version open: what is new here stands in none of the older ones. */
export const CONSENT_SURFACES = ['body', 'cookie', 'form', 'header', 'path', 'query'] as const

/** Secrets, and hosts, that one request may name. */
export const MAX_NAMED = 32

/** Requests of one entry of `metadata.network` in one run. */
export const DEFAULT_REQUESTS = 100
export const MAX_REQUESTS = 10_000
export const CAPABILITY_LIMITS = { entries: 64, methods: 16, paths: 32 } as const

/** What a request may ask of its sandbox. */
export const RUN_LIMITS = { maxTimeoutSeconds: 600, minMemoryMib: 128, maxMemoryMib: 2_048 } as const
