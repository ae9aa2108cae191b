/** What a message of HTTP/1.1 is to those who read one, and why one was refused. */

/** Where a body ends (RFC 9112, 6.3): `close` is with the connection, and of a response alone. */
export type Framing = 'none' | 'length' | 'chunked' | 'close'

export class Head {
  /** Of a request; empty in a response. The target is in origin-form (RFC 9112, 3.2.1), as it came. */
  method = ''
  target = ''
  /** Of a response; 0 in a request. */
  status = 0
  reason = ''
  /** Flat name, value … in order and as they came, without the spaces around values. One character is one byte. */
  rawHeaders: string[] = []
  /** Another message may follow on the connection (RFC 9112, 9.3). */
  keepAlive = true
  framing: Framing = 'none'
  /** Bytes of the body; 0 unless the framing is `length`. */
  length = 0
  /** `Expect: 100-continue` (RFC 9110, 10.1.1): the client may wait for a 100 before it sends its body. */
  expectsContinue = false
  /** Asks for another protocol (RFC 9110, 7.8): to be handed over, since it is read no further here. */
  isUpgrade = false
  /** Of a request. */
  host = ''
  /** Bits of the fields that may come once and have come. */
  single = 0
  /** Of a request, where `content-length` says a number: where its digits begin in the head, and its place in `rawHeaders`; else -1. */
  lengthAt = -1
  lengthIndex = -1
  /** The same object for heads of one connection that differ in nothing but the value of `content-length`. */
  like: object = this
}
export type MessageHead = Readonly<Head>

/**
 * What follows a head. `framed`: what the head says. `none`: no body whatever it says, for the answer to HEAD (RFC 9110, 9.3.2);
 * of 204 and 304 the reader knows itself, and in a request it is taken as `framed`. `handover`: nothing; `release` gives back
 * all bytes from the head's first on.
 */
export type BodyExpectation = 'framed' | 'none' | 'handover'

/** Told in order. Each may call `next`, `stop` or `release` of the reader, and not `push`. */
export interface MessageSink {
  onHead(head: MessageHead): BodyExpectation
  /** An interim response (RFC 9110, 15.2): the final one is still to come. */
  onInformational?(head: MessageHead): void
  /** At least one byte, for the sink to keep. */
  onBody(bytes: Buffer): void
  /** The message is complete; what came behind it waits for `next`. */
  onEnd(): void
  /** Nothing more is read. `status` is what a server answers to it. */
  onError(problem: MessageProblem, status: number): void
}

/** What is wrong with a message, and the status that a server answers (RFC 9110, 15.5 and 15.6). */
const PROBLEMS = {
  /** A control character, or a CR or LF alone. */
  bytes: 400,
  'start-line': 400,
  target: 400,
  /** A line that is no field: folded, without a name, with a space before its colon. */
  field: 400,
  'repeated-field': 400,
  host: 400,
  'content-length': 400,
  'transfer-encoding': 400,
  chunk: 400,
  trailers: 400,
  /** The peer ended in the middle of it. */
  truncated: 400,
  /** More came behind a message than is kept. */
  pipelined: 400,
  /** Too many interim responses, or one that says that it is the last message. */
  informational: 400,
  expectation: 417,
  'head-too-large': 431,
  method: 501,
  upgrade: 501,
  version: 505,
} as const

export type MessageProblem = keyof typeof PROBLEMS

export const statusOf = (problem: MessageProblem): number => PROBLEMS[problem]
