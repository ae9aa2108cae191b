import { ERROR_TABLE, type ErrorCode } from '../kernel/index.ts'

/** Exit codes of every command; scripts hold on to them. */
export const EXIT = { done: 0, failed: 1, usage: 2, notRunning: 3, notFound: 4, refused: 5 } as const

/** A command that ends early: one line for the person, a code for scripts. */
export class CliError extends Error {
  readonly code: string
  readonly exitCode: number
  readonly details: unknown

  constructor(code: string, exitCode: number, message: string, details?: unknown) {
    super(message)
    this.name = 'CliError'
    this.code = code
    this.exitCode = exitCode
    this.details = details
  }
}

export const usageError = (message: string): CliError => new CliError('usage', EXIT.usage, message)

/** The daemon's refusal, with the exit code that the kernel's table gives it. */
export function errorFromDaemon(code: string, message: string, details: unknown): CliError {
  const exitCode = Object.hasOwn(ERROR_TABLE, code) ? ERROR_TABLE[code as ErrorCode].exit : EXIT.failed
  return new CliError(code, exitCode, message, details)
}
