import { formatBytes } from './bytes.ts'

/**
 * The closed set of error codes: every reason the daemon gives for refusing or failing. One table says what each means on
 * the three outsides: the HTTP status for agents, the CLI's exit code, and whether repeating the same call later may help.
 */
export const ERROR_TABLE = {
  invalid_request: {
    status: 400,
    exit: 2,
    retryable: false,
    help: 'The request does not have the documented form; `details` lists every issue.',
  },
  unauthenticated: {
    status: 401,
    exit: 5,
    retryable: false,
    help: 'The bearer token is missing, malformed, unknown or revoked.',
  },
  address_not_allowed: {
    status: 403,
    exit: 5,
    retryable: false,
    help: "The caller's address is outside the agent's CIDR list.",
  },
  origin_not_allowed: {
    status: 403,
    exit: 5,
    retryable: false,
    help: "Only the console's own page may ask this, under the console's own name: Host, Origin or fetch metadata are another's.",
  },
  not_found: { status: 404, exit: 4, retryable: false, help: 'No such thing, or not yours to see.' },
  gone: { status: 410, exit: 4, retryable: false, help: 'It was there, and its time is over.' },
  method_not_allowed: {
    status: 405,
    exit: 2,
    retryable: false,
    help: 'The path exists but does not take this method.',
  },
  code_hash_mismatch: {
    status: 409,
    exit: 5,
    retryable: false,
    help: 'The code is not the code that `code_hash` names, or that the publisher of the `skill` signed.',
  },
  idempotency_conflict: {
    status: 409,
    exit: 5,
    retryable: false,
    help: 'The Idempotency-Key was used before with another body.',
  },
  conflict: {
    status: 409,
    exit: 5,
    retryable: false,
    help: 'The execution is past the state in which this is possible.',
  },
  too_large: {
    status: 413,
    exit: 2,
    retryable: false,
    help: 'A body, code, argument or value exceeds its limit.',
  },
  unsupported_media_type: {
    status: 415,
    exit: 2,
    retryable: false,
    help: 'Send it uncompressed, as application/json; a file as application/octet-stream.',
  },
  unknown_runtime: {
    status: 422,
    exit: 2,
    retryable: false,
    help: 'No such runtime; `details` lists those there are.',
  },
  import_refused: {
    status: 422,
    exit: 2,
    retryable: false,
    help: 'The code imports something from elsewhere that cannot be locked; `details` names the line.',
  },
  dynamic_code_refused: {
    status: 422,
    exit: 2,
    retryable: false,
    help: 'The code loads code made from text, which needs `"dynamic_code": true`; `details` names the lines.',
  },
  skill_url_refused: {
    status: 422,
    exit: 2,
    retryable: false,
    help: 'The skill_url, or the address of what a registry lists, is not an https address that may be fetched, or its host is not in OAUTH3_SKILL_URL_HOSTS.',
  },
  skill_unreachable: {
    status: 422,
    exit: 1,
    retryable: true,
    help: 'The skill_url, or a registry or what it lists, could not be read.',
  },
  registry_refused: {
    status: 422,
    exit: 5,
    retryable: false,
    help: 'The index of a registry, or an entry in it, is not one that it may vouch with: a signature, its key, its number or its end.',
  },
  rate_limited: {
    status: 429,
    exit: 5,
    retryable: true,
    help: 'Too many requests, or too many that wait for a person; see Retry-After.',
  },
  refused: {
    status: 409,
    exit: 5,
    retryable: false,
    help: 'The decision is no longer possible: decided, expired or not allowed.',
  },
  internal: {
    status: 500,
    exit: 1,
    retryable: true,
    help: 'A defect of the daemon; its log has the details.',
  },
  sandbox_unavailable: {
    status: 503,
    exit: 1,
    retryable: true,
    help: 'No sandbox can run code now; `details` says why.',
  },
  provider_unavailable: {
    status: 503,
    exit: 1,
    retryable: true,
    help: 'The provider could not be asked whether the key is good, or gave no answer that tells; nobody is signed in by it.',
  },
  storage_unavailable: {
    status: 503,
    exit: 1,
    retryable: true,
    help: 'The database cannot be written; nothing was changed.',
  },
  starting: {
    status: 503,
    exit: 1,
    retryable: true,
    help: 'The daemon is starting; ask again in a moment.',
  },
  shutting_down: {
    status: 503,
    exit: 1,
    retryable: true,
    help: 'The daemon is stopping; ask again in a moment.',
  },
  locked: {
    status: 503,
    exit: 1,
    retryable: false,
    help: 'The master key does not open the vault, or the owner has stopped everything.',
  },
} as const

export type ErrorCode = keyof typeof ERROR_TABLE

/** A refusal or failure that a person or program outside may see: its message never holds a secret. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: unknown
  /** Seconds after which a repeat makes sense; becomes Retry-After. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: unknown; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.details = options.details
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get status(): number {
    return ERROR_TABLE[this.code].status
  }

  get exitCode(): number {
    return ERROR_TABLE[this.code].exit
  }

  /** The one error shape of every outside. */
  toBody(): { error: { code: ErrorCode; message: string; details?: unknown } } {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.details === undefined ? {} : { details: this.details }),
      },
    }
  }
}

/** Whether the database could not be read or written: nothing is wrong with what was asked. */
export const isStorageTrouble = (error: unknown): error is AppError =>
  error instanceof AppError && error.code === 'storage_unavailable'

/**
 * What a caller is told of anything thrown while a request over HTTP was served: of its own mistakes what they are,
 * of a defect only that there is one.
 */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof URIError)
    return new AppError('invalid_request', 'The path is not valid percent-encoding.')
  switch ((error as { type?: unknown } | null)?.type) {
    case 'entity.too.large':
      // The limit that was passed: routes have their own (`limit` of body-parser's error, in bytes).
      return new AppError(
        'too_large',
        `The body is larger than ${formatBytes((error as { limit: number }).limit)}.`,
      )
    case 'entity.parse.failed':
      return new AppError('invalid_request', 'The body is not JSON.')
    case 'encoding.unsupported':
      return new AppError('unsupported_media_type', 'Send the body without Content-Encoding.')
    case 'request.aborted':
    case 'request.size.invalid':
      return new AppError('invalid_request', 'The body ended too early.')
    default:
      return new AppError('internal', 'The daemon failed; its log has the details.', { cause: error })
  }
}
