import { type ClientRequest, request as httpRequest, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import {
  approvedAddresses,
  createFrameScrubber,
  type EgressDial,
  EgressDialError,
  type EgressRule,
  prepareResponse,
  scrubberFor,
} from '../../domain/egress/index.ts'
import type { Allowed } from './judge.ts'
import type { Outcome } from './outcome.ts'
import { writeRefusal } from './refusal.ts'

export interface Opening {
  readonly socket: Socket
  /** What the code sent behind the head of its request. */
  readonly head: Buffer
  readonly allowed: Allowed
  /** Filled in on the way; complete when the socket is closed. */
  readonly outcome: Outcome
  readonly dial: EgressDial
  readonly fail: (error: unknown) => void
}

/**
 * A WebSocket has an upstream connection of its own. What the code sends passes as it is: nothing is put in, so there is
 * nothing to look for. What comes back is searched frame by frame. Both ends end together.
 */
export function openWebSocket(opening: Opening): void {
  const { socket, allowed, outcome, dial, fail } = opening
  const { target, session, origin } = allowed
  const left = new AbortController()
  socket.once('close', () => left.abort(new Error('the code left')))
  const refuse = (rule: EgressRule): void => {
    if (outcome.status !== null || outcome.refused !== null) return void socket.destroy()
    outcome.refused = rule
    writeRefusal(socket, { rule, origin, secrets: [] })
  }

  const way = target.scheme === 'https' ? 'dialTls' : 'dial'
  dial[way](target, approvedAddresses(session.policy, target), left.signal).then(
    (upstream) => {
      socket.once('close', () => upstream.destroy())
      upstream.once('close', () => socket.destroySoon())
      try {
        shakeHands(opening, upstream, refuse)
      } catch (error) {
        upstream.destroy()
        fail(error)
      }
    },
    (error: unknown) => {
      if (!socket.destroyed) refuse(error instanceof EgressDialError ? error.reason : 'unreachable')
    },
  )
}

function shakeHands(opening: Opening, upstream: Socket, refuse: (rule: EgressRule) => void): void {
  const { method, path, headers } = opening.allowed.prepared
  const handshake: ClientRequest = httpRequest({
    createConnection: () => upstream,
    method,
    path,
    headers,
    setHost: false,
  })
  handshake.on('error', () => refuse('unreachable'))
  handshake.once('upgrade', (answer, _socket, head) => {
    const headers = headersFor(opening, answer, true)
    if (headers === null || answer.statusCode !== 101) return refuse('answer_unreadable')
    answerHead(opening, 101, headers)
    connectBoth(opening, upstream, head)
  })
  // The upstream would rather not: its answer is an ordinary one, and the last on this connection.
  handshake.once('response', (answer) => {
    const headers = headersFor(opening, answer, false)
    if (headers === null) return refuse('answer_unreadable')
    const { prepared, transforms } = headers
    answerHead(opening, answer.statusCode ?? 502, {
      prepared: [...prepared, 'connection', 'close'],
      transforms,
    })
    answer.on('data', (chunk: Buffer) => {
      opening.outcome.responseBytes += chunk.length
    })
    pipeline([answer, ...transforms(), opening.socket], () => upstream.destroy())
  })
  handshake.end()
}

interface AnswerHeaders {
  readonly prepared: readonly string[]
  transforms(): NodeJS.ReadWriteStream[]
}

function headersFor({ allowed }: Opening, answer: IncomingMessage, websocket: boolean): AnswerHeaders | null {
  const prepared = prepareResponse({
    scrubber: scrubberFor(allowed.session.policy),
    status: answer.statusCode ?? 502,
    rawHeaders: answer.rawHeaders,
    method: 'GET',
    websocket,
  })
  return 'refused' in prepared
    ? null
    : { prepared: prepared.headers, transforms: () => prepared.transforms() }
}

function answerHead({ socket, outcome }: Opening, status: number, { prepared }: AnswerHeaders): void {
  outcome.status = status
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`]
  for (let index = 0; index + 1 < prepared.length; index += 2) {
    lines.push(`${prepared[index]}: ${prepared[index + 1]}`)
  }
  socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

function connectBoth({ socket, head, allowed, outcome }: Opening, upstream: Socket, early: Buffer): void {
  const scrubber = scrubberFor(allowed.session.policy)
  const frames = scrubber === null ? null : createFrameScrubber(scrubber)
  const giveBack = (chunk: Buffer): void => {
    outcome.responseBytes += chunk.length
    let clean: Uint8Array
    try {
      clean = frames === null ? chunk : frames.push(chunk)
    } catch {
      // Bytes that cannot be searched are not given on.
      return void socket.destroy()
    }
    if (clean.length > 0 && !socket.write(clean)) {
      upstream.pause()
      socket.once('drain', () => upstream.resume())
    }
  }
  const sendOn = (chunk: Buffer): void => {
    outcome.requestBytes += chunk.length
    if (upstream.write(chunk)) return
    socket.pause()
    upstream.once('drain', () => socket.resume())
  }
  if (head.length > 0) sendOn(head)
  if (early.length > 0) giveBack(early)
  upstream.on('data', giveBack)
  socket.on('data', sendOn)
  upstream.once('end', () => socket.destroySoon())
  socket.once('end', () => upstream.destroySoon())
}
