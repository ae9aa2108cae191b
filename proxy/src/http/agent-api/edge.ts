import type { ErrorRequestHandler, RequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import { AppError } from '../../kernel/index.ts'
import { answerApiError, createErrorHandler, dropRest } from '../index.ts'
import type { Metrics } from './metrics.ts'

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** What every HTTP answer to agents has in common: its security headers and its place in the metrics. */
export function createEdge(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Cache-Control', 'no-store')
    response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
    response.once('close', () => {
      const method = METHODS.has(request.method) ? request.method : 'other'
      const status = response.headersSent ? String(response.statusCode) : 'aborted'
      metrics.answered(method, String(response.locals.route ?? 'other'), status)
    })
    next()
  }
}

/** Names the route in the metrics: a pattern, never a path that a caller made up. */
export const routeName =
  (name: string): RequestHandler =>
  (_request, response, next) => {
    response.locals.route = name
    next()
  }

export function sendJson(response: Response, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return
  const text = JSON.stringify(body)
  response.statusCode = status
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.end(response.req.method === 'HEAD' ? undefined : text)
}

export const sendError = (response: Response, error: AppError): void =>
  answerApiError(response, withIssues(error))

/** For whoever speaks OAuth: `error` is one of its codes, `error_description` for a person (RFC 6749, 5.2). */
export function sendOAuthError(response: Response, status: number, error: string, description: string): void {
  if (!response.req.complete) dropRest(response)
  sendJson(response, status, { error, error_description: description })
}

/** Every invalid_request tells its issues in `details`, whoever raised it. */
export function withIssues(error: AppError): AppError {
  if (error.code !== 'invalid_request' || error.details !== undefined) return error
  return new AppError('invalid_request', error.message, { details: [{ path: [], message: error.message }] })
}

export const createErrorAnswer = (log: Pick<Logger, 'error'>): ErrorRequestHandler =>
  createErrorHandler(log, withIssues)

export const notFound: RequestHandler = () => {
  throw new AppError('not_found', 'No such path; see /openapi.json.')
}

export const methodNotAllowed =
  (...allowed: string[]): RequestHandler =>
  (_request, response) => {
    response.setHeader('Allow', allowed.join(', '))
    throw new AppError('method_not_allowed', `This path takes ${allowed.join(', ')}.`)
  }
