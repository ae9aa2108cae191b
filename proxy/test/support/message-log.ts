import { expect } from 'vitest'
import {
  type BodyExpectation,
  type MessageHead,
  type MessageProblem,
  MessageReader,
  type MessageSink,
} from '../../src/http/http1/index.ts'

export type Role = 'request' | 'response'

interface Message {
  readonly head: MessageHead
  body: string
  ended: boolean
}

/** What a reader makes of pieces: each message, and the problem that ended it. Goes on at once unless `holds`. */
export function read(
  role: Role,
  pieces: readonly (string | Buffer)[],
  { ends = true, expectation = 'framed' as BodyExpectation } = {},
) {
  const messages: Message[] = []
  const informational: number[] = []
  let problem: MessageProblem | undefined
  let status = 0
  const sink: MessageSink = {
    onHead(head) {
      messages.push({ head, body: '', ended: false })
      return expectation
    },
    onInformational: (head) => informational.push(head.status),
    onBody(bytes) {
      const message = messages.at(-1) as Message
      message.body += bytes.toString('latin1')
    },
    onEnd() {
      const message = messages.at(-1) as Message
      message.ended = true
      reader.next()
    },
    onError(code, answer) {
      problem = code
      status = answer
    },
  }
  const reader = new MessageReader(role, sink)
  for (const piece of pieces) reader.push(Buffer.from(piece as string, 'latin1'))
  if (ends) reader.finish()
  return { messages, informational, problem, status, reader }
}

/** Whole, byte by byte, and in two parts at each place: what is read is the same. */
export function readAnyhow(role: Role, text: string, options?: Parameters<typeof read>[2]) {
  const once = read(role, [text], options)
  const seen = ({ messages, informational, problem, status, reader }: typeof once) => ({
    messages: messages.map(({ head, body, ended }) => ({
      head,
      body: problem === undefined || ended ? body : '',
      ended,
    })),
    ...{ informational, problem, status, state: reader.state },
  })
  const whole = seen(once)
  expect(seen(read(role, [...text], options)), 'byte by byte').toEqual(whole)
  for (let at = 1; at < text.length; at += 1)
    expect(seen(read(role, [text.slice(0, at), text.slice(at)], options)), `cut at ${at}`).toEqual(whole)
  return once
}

export const request = (lines: readonly string[], body = ''): string =>
  `${[...lines, '', ''].join('\r\n')}${body}`
export const post = (lines: readonly string[], body = ''): string =>
  request(['POST /v1/x HTTP/1.1', 'Host: a', ...lines], body)
export const get = (target: string): string => request([`GET ${target} HTTP/1.1`, 'Host: a'])
export const CHUNKED = 'Transfer-Encoding: chunked'
export const ok = (lines: readonly string[], body = ''): string =>
  request(['HTTP/1.1 200 OK', ...lines], body)
