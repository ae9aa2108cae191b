/**
 * The resolver of a sandbox, for clients that dial hosts by themselves: DNS over TCP (RFC 7766) in a tunnel to
 * 127.0.0.1:53. It knows the run's approved names and nothing else, and asks nobody: no name leaves the daemon by it.
 */
import type { Socket } from 'node:net'
import type { EgressRule, EgressSession, EgressTarget } from '../index.ts'
import {
  type DnsQuestion,
  encodeAnswer,
  RESPONSE,
  type ResponseCode,
  readQuestion,
  TYPE_A,
  TYPE_ANY,
} from './dns-message.ts'
import type { Endpoint } from './egress-endpoint.ts'
import { recorded } from './evaluate-request.ts'

/** A query is a name of 255 bytes and little else. */
const MAX_QUERY_BYTES = 4_096
const LENGTH_BYTES = 2
/** Names of machines for addresses, which libraries look up unasked. */
const REVERSE = /(?:^|\.)(?:in-addr|ip6)\.arpa\.?$/i

export const isResolver = ({ host, port }: EgressTarget): boolean => host === '127.0.0.1' && port === 53

/** Answers queries until the connection ends. A flood is read as slowly as the endpoint's allowance has it. */
export function serveResolver(socket: Socket, endpoint: Endpoint): void {
  let held: Buffer = Buffer.alloc(0)
  let timer: NodeJS.Timeout | undefined
  const work = (): void => {
    timer = undefined
    while (held.length >= LENGTH_BYTES) {
      const length = held.readUInt16BE(0)
      if (length > MAX_QUERY_BYTES) return void socket.destroy()
      if (held.length < LENGTH_BYTES + length) break
      const waitMs = endpoint.lookups.take()
      if (waitMs > 0) {
        socket.pause()
        timer = setTimeout(work, waitMs).unref()
        return
      }
      const answer = answerTo(held.subarray(LENGTH_BYTES, LENGTH_BYTES + length), endpoint)
      held = held.subarray(LENGTH_BYTES + length)
      if (answer === null) continue
      const prefix = Buffer.alloc(LENGTH_BYTES)
      prefix.writeUInt16BE(answer.length, 0)
      // A client that does not read its answers asks nothing more.
      if (!socket.write(Buffer.concat([prefix, answer]))) {
        socket.pause()
        socket.once('drain', work)
        return
      }
    }
    socket.resume()
  }
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    if (timer === undefined) work()
  })
  socket.once('end', () => socket.end())
  socket.once('close', () => clearTimeout(timer))
}

function answerTo(query: Buffer, endpoint: Endpoint): Buffer | null {
  const asked = readQuestion(query)
  if (asked === null) return null
  if ('code' in asked) return encodeAnswer(asked, asked.code)
  const { session, names } = endpoint
  if (session === null || names === null) return encodeAnswer(asked, RESPONSE.refused)
  const found = names.addressOf(asked.name)
  if (found.kind !== 'approved') return encodeAnswer(asked, refuse(asked, endpoint, session, found.kind))
  // IPv6 and everything else that a name can have: it exists, and has none.
  const wanted = asked.type === TYPE_A || asked.type === TYPE_ANY
  return encodeAnswer(asked, RESPONSE.ok, wanted ? found.address : undefined)
}

/** That there is no such name is what every client takes for final, so it fails at once. */
function refuse(
  { name }: DnsQuestion,
  endpoint: Endpoint,
  session: EgressSession,
  kind: 'not_approved' | 'exhausted',
): ResponseCode {
  const rule: EgressRule = kind === 'exhausted' ? 'too_many_requests' : 'host_not_approved'
  if (!REVERSE.test(name) && endpoint.mayTellOfName(name)) {
    session.recordLookup({
      method: 'DNS',
      origin: recorded(session, `https://${name}`),
      path: '',
      status: null,
      requestBytes: 0,
      responseBytes: 0,
      secrets: [],
      refused: rule,
      rejected: [],
    })
  }
  return RESPONSE.nameError
}
