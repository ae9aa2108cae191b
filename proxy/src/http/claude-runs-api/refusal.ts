import type { ErrorRequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import type { AppError } from '../../kernel/index.ts'
import { withIssues } from '../agent-api/index.ts'
import { answerApiError, knownError } from '../index.ts'

/** The error shape of every surface, with `ok` and `code` beside it as an answer of a run has them. */
export function sendRefusal(response: Response, error: AppError): void {
  answerApiError(response, withIssues(error), { ok: false, code: error.code })
}

export const createRefusalAnswer =
  (log: Pick<Logger, 'error'>): ErrorRequestHandler =>
  (error, _request, response, _next) => {
    if (response.headersSent) response.destroy()
    else sendRefusal(response, knownError(error, log))
  }
