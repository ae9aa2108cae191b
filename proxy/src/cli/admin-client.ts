import { type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { arrayBuffer, text } from 'node:stream/consumers'
import { ADMIN_ROUTES, type AdminRoutes, errorBody, TENANT_HEADER } from '../contracts/admin/index.ts'
import { createRouteClient, type RouteClient, type RouteRequest } from '../contracts/index.ts'
import { CliError, EXIT, errorFromDaemon } from './cli-error.ts'

/** The owner's routes by name, over the daemon's unix socket; every failure is a CliError. */
export type AdminClient = RouteClient<AdminRoutes>

/** A doctor waits up to 30 s for its slowest check. */
const ANSWER_LIMIT_MS = 60_000

/** `tenant` undefined: the default one. */
export const createAdminClient = (socketPath: string, tenant?: string): AdminClient =>
  createRouteClient(ADMIN_ROUTES, {
    strangeAnswer,
    async bytes(route) {
      const response = await send(socketPath, tenant, route)
      // Of one that ends before its Content-Length this rejects.
      return new Uint8Array(await wholeOf(response, arrayBuffer, socketPath))
    },
    send: async (route) => asJson(await textOf(await send(socketPath, tenant, route), socketPath)),
    async *lines(route) {
      const response = await send(socketPath, tenant, route)
      const lines = createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })
      // Told to whoever reads; with nobody reading any more it would end the process.
      lines.on('error', () => {})
      try {
        yield* lines
      } catch (error) {
        throw connectionError(error as NodeJS.ErrnoException, socketPath)
      }
      if (!response.complete)
        throw new CliError('failed', EXIT.failed, 'The daemon stopped in the middle of its answer.')
    },
  })

const TENANT_FORM = /^[a-z0-9][a-z0-9-]{0,31}$/

async function send(
  socketPath: string,
  tenant: string | undefined,
  { method, path, body, isEvents, content, signal }: RouteRequest,
): Promise<IncomingMessage> {
  if (tenant !== undefined && !TENANT_FORM.test(tenant))
    throw new CliError(
      'invalid_request',
      EXIT.usage,
      "A tenant's name is 1–32 of a–z 0–9 - and does not begin with -.",
    )

  const bytes = content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : content
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const call = request(
      {
        socketPath,
        method,
        path,
        agent: false,
        headers: {
          host: 'oauth3',
          ...(tenant === undefined ? {} : { [TENANT_HEADER]: tenant }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(bytes && { 'content-type': 'application/octet-stream', 'content-length': bytes.length }),
        },
        signal: isEvents ? signal : AbortSignal.timeout(ANSWER_LIMIT_MS),
      },
      resolve,
    )
    call.on('error', (error) => reject(connectionError(error, socketPath)))
    call.end(bytes ?? (body === undefined ? undefined : JSON.stringify(body)))
  })
  if (response.statusCode === 200) return response
  const parsed = errorBody.safeParse(asJson(await textOf(response, socketPath)))
  if (!parsed.success) throw strangeAnswer()
  const { code, message, details } = parsed.data.error
  throw errorFromDaemon(code, message, details)
}

const textOf = (response: IncomingMessage, socketPath: string): Promise<string> =>
  wholeOf(response, text, socketPath)

/** A daemon may be gone in the middle of its answer. */
const wholeOf = <T>(
  response: IncomingMessage,
  read: (response: IncomingMessage) => Promise<T>,
  socketPath: string,
): Promise<T> =>
  read(response).catch((error: NodeJS.ErrnoException) => {
    throw connectionError(error, socketPath)
  })

function asJson(answer: string): unknown {
  try {
    return JSON.parse(answer)
  } catch {
    return undefined
  }
}

const strangeAnswer = (): CliError =>
  new CliError(
    'failed',
    EXIT.failed,
    'The daemon gave an answer of another form; is it of the same version as this command?',
  )

function connectionError(error: NodeJS.ErrnoException, socketPath: string): CliError {
  if (error.name === 'TimeoutError' || error.code === 'ABORT_ERR') {
    return new CliError(
      'no_answer',
      EXIT.failed,
      `The daemon did not answer within ${ANSWER_LIMIT_MS / 1_000} s.`,
    )
  }
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new CliError(
      'refused',
      EXIT.refused,
      `${socketPath} belongs to another user; run this as the daemon's own user.`,
    )
  }
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') {
    return new CliError(
      'connection_lost',
      EXIT.failed,
      'The daemon closed the connection without a whole answer.',
    )
  }
  return new CliError(
    'not_running',
    EXIT.notRunning,
    `No daemon answers at ${socketPath}; start it with npm start, or name its socket with --socket.`,
  )
}
