import { AppError } from '../../kernel/index.ts'
import { codeOf, unavailable } from '../storage-errors.ts'

/**
 * SQLSTATE (https://www.postgresql.org/docs/15/errcodes-appendix.html) of a server that cannot be used now: connection,
 * resources, operator and system, a lock or statement that took too long, a standby, a transaction that was ended for being
 * idle, no such database, a refused log-in, a torn page.
 */
const UNUSABLE = /^(08...|28...|3D000|53...|57...|58...|25006|25P03|55P03|XX00[12])$/
/** Of the socket (`errno`), and of pg itself where it gives no code. */
const NO_CONNECTION =
  /^E(CONNREFUSED|CONNRESET|CONNABORTED|HOSTUNREACH|NETUNREACH|NOENT|NOTFOUND|AI_AGAIN|PIPE|TIMEDOUT|ACCES|RR_INVALID_URL)$/
const SAID_BY_PG =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded|Query read timeout|The server does not support SSL|Client was closed)/

export const isLost = (error: unknown): boolean =>
  error instanceof Error &&
  (NO_CONNECTION.test(codeOf(error)) || SAID_BY_PG.test(error.message) || /^(08|57P0)/.test(codeOf(error)))

/** What stays of an error of the server: no value of a row, which its message, detail and context may repeat. */
class StatementError extends Error {
  readonly code: string
  readonly table: string | undefined
  readonly constraint: string | undefined

  constructor(error: Record<string, unknown>) {
    const code = String(error.code)
    // Class 22: the value itself is what is wrong.
    super(code.startsWith('22') ? `a value was refused (${code})` : String(error.message))
    this.name = 'StatementError'
    this.code = code
    this.table = error.table as string | undefined
    this.constraint = error.constraint as string | undefined
  }
}

/** The system's own errors name the host or the socket. */
const withoutAddress = ({ syscall, code }: NodeJS.ErrnoException): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code })

/** What a code says of an address that does not work, for whoever has written it. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^28/, 'The server refuses this role or its password.'],
  [/^3D000$/, 'The server has no database of this name; CREATE DATABASE makes one.'],
  [/^E(CONNREFUSED|NOENT)$/, 'No server listens at this address.'],
  [/^E(NOTFOUND|AI_AGAIN)$/, 'No address is known for the name of its host.'],
]
const NO_PASSWORD = /^SASL: .*client password must be/

/** Of an address that is tried for the first time. */
export function asConnectError(error: unknown, message: string): unknown {
  if (error instanceof Error && NO_PASSWORD.test(error.message))
    return unavailable(`${message}. The server asks for a password, and none was given`, error)
  const known = asPostgresError(error, message)
  if (!(known instanceof AppError) || known === error) return known
  const advice = ADVICE.find(([code]) => code.test(codeOf(known.cause)))?.[1]
  return advice === undefined
    ? known
    : new AppError(known.code, `${known.message} ${advice}`, { cause: known.cause })
}

export function asPostgresError(error: unknown, message: string): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error
  const isOfServer = 'severity' in error && 'code' in error
  const plain = isOfServer
    ? new StatementError(error as unknown as Record<string, unknown>)
    : 'syscall' in error
      ? withoutAddress(error as NodeJS.ErrnoException)
      : error
  return UNUSABLE.test(codeOf(error)) || isLost(error) ? unavailable(message, plain) : plain
}
