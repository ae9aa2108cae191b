import { createRequire } from 'node:module'
import { MessageReader } from '../../../src/http/http1/index.ts'
import type { Input, Role } from './inputs.ts'

/** A message as a reader understood it: as much of it as was told before an error or the end. */
export interface Reading {
  /** Method and target, or status and reason. */
  readonly start: string
  /** Flat name, value …; without the spaces around values. */
  readonly headers: readonly string[]
  readonly keepAlive: boolean
  body: string
  isComplete: boolean
}

export interface Readings {
  readonly messages: Reading[]
  /** Interim responses, which come before those that they belong to. */
  readonly interim: Reading[]
  /** Read to its end without a complaint. */
  isWhole: boolean
}

/** What our own reader makes of it, in these pieces. A message that asks for an upgrade is not read, nor what is behind it. */
export function readByUs({ role, text, isBodyless }: Input, cuts: readonly number[]): Readings {
  const messages: Reading[] = []
  const interim: Reading[] = []
  let isWhole = true
  const reader: MessageReader = new MessageReader(role, {
    onHead({ method, target, status, reason, rawHeaders: headers, keepAlive, isUpgrade }) {
      if (isUpgrade) return 'handover'
      const start = role === 'request' ? `${method} ${target}` : `${status} ${reason}`
      messages.push({ start, headers, keepAlive, body: '', isComplete: false })
      return isBodyless ? 'none' : 'framed'
    },
    onInformational({ status, reason, rawHeaders: headers }) {
      interim.push({ start: `${status} ${reason}`, headers, keepAlive: true, body: '', isComplete: true })
    },
    onBody(bytes) {
      const message = messages.at(-1) as Reading
      message.body += bytes.toString('latin1')
    },
    onEnd() {
      const message = messages.at(-1) as Reading
      message.isComplete = true
      reader.next()
    },
    onError() {
      isWhole = false
    },
  })
  let from = 0
  for (const cut of cuts) {
    if (cut > from) reader.push(Buffer.from(text.slice(from, cut), 'latin1'))
    from = Math.max(from, cut)
  }
  reader.push(Buffer.from(text.slice(from), 'latin1'))
  reader.finish()
  return { messages, interim, isWhole: isWhole && reader.state === 'ended' }
}

/** The part of Node's parser (llhttp) that its http module uses; `node:http` itself only refuses more. */
interface Parser {
  [callback: number]: unknown
  initialize(type: number, resource: object, maxHeaderSize: number): void
  execute(bytes: Buffer): number | Error
  finish(): undefined | Error
}
const { HTTPParser } = createRequire(import.meta.url)('_http_common') as {
  HTTPParser: {
    new (): Parser
    readonly REQUEST: number
    readonly RESPONSE: number
    readonly kOnHeaders: number
    readonly kOnHeadersComplete: number
    readonly kOnBody: number
    readonly kOnMessageComplete: number
  }
}
const MAX_HEAD_BYTES = { request: 16_384, response: 65_536 }

const parser = new HTTPParser()
let told: Readings = { messages: [], interim: [], isWhole: true }
let early: string[] = []
let earlyUrl = ''
let role: Role = 'request'
let isBodyless = false
/** The message that is being read; null between two. */
let current: Reading | null = null
parser[HTTPParser.kOnHeaders] = (headers: string[], url: string): void => {
  // Behind a body these are its trailers.
  if (current !== null) return
  early.push(...headers)
  earlyUrl += url
}
parser[HTTPParser.kOnHeadersComplete] = (
  ...[, , headers, method, url, status, reason, isUpgrade, keepAlive]: [
    ...[number, number, string[] | undefined, number, string | undefined],
    ...[number, string, boolean, boolean],
  ]
): number => {
  const all = [...early, ...(headers ?? [])]
  const start = role === 'request' ? `${METHODS[method]} ${earlyUrl}${url ?? ''}` : `${status} ${reason}`
  early = []
  earlyUrl = ''
  current = { start, headers: all, keepAlive, body: '', isComplete: false }
  const isInterim = role === 'response' && status >= 100 && status < 200 && status !== 101
  ;(isInterim ? told.interim : told.messages).push(current)
  return isUpgrade ? 2 : isBodyless && !isInterim ? 1 : 0
}
parser[HTTPParser.kOnBody] = (bytes: Buffer): void => {
  if (current !== null) current.body += bytes.toString('latin1')
}
parser[HTTPParser.kOnMessageComplete] = (): void => {
  if (current !== null) current.isComplete = true
  current = null
}

/** What llhttp makes of it, in one piece. */
export function readByLlhttp(input: Input): Readings {
  told = { messages: [], interim: [], isWhole: true }
  early = []
  earlyUrl = ''
  current = null
  ;({ role, isBodyless } = input)
  parser.initialize(role === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, MAX_HEAD_BYTES[role])
  const { length } = input.text
  const parsed = parser.execute(Buffer.from(input.text, 'latin1'))
  if (parsed !== length || parser.finish() !== undefined) told.isWhole = false
  return told
}

/** llhttp numbers its methods. */
const METHODS: Record<number, string> = {}
for (const name of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
  const probe = new HTTPParser()
  probe.initialize(HTTPParser.REQUEST, {}, 0)
  probe[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    _headers: string[],
    method: number,
  ) => {
    METHODS[method] = name
    return 0
  }
  probe.execute(Buffer.from(`${name} / HTTP/1.1\r\n\r\n`))
}

/** Where `other` does not understand all that we took, as we did; undefined when it does. */
export function disagreement(ours: Readings, other: Readings): string | undefined {
  if (ours.interim.length > other.interim.length) return `${other.interim.length} interim responses`
  for (const [index, one] of ours.interim.entries()) {
    const problem = differs(one, other.interim[index])
    if (problem !== undefined) return `interim response ${index}: ${problem}`
  }
  for (const [index, one] of ours.messages.entries()) {
    const problem = differs(one, other.messages[index])
    if (problem !== undefined) return `message ${index}: ${problem}`
  }
  // After a clean end nothing may have been read that we did not.
  if (ours.isWhole && ours.messages.every(({ keepAlive }) => keepAlive)) {
    if (!other.isWhole) return 'an error behind the last message'
    if (other.messages.length > ours.messages.length) return `${other.messages.length} messages`
  }
  return undefined
}

function differs(one: Reading, other: Reading | undefined): string | undefined {
  if (other === undefined) return 'is missing'
  if (one.start !== other.start) return `begins ${JSON.stringify(other.start)}`
  if (
    one.headers.length !== other.headers.length ||
    one.headers.some((text, at) => text !== other.headers[at])
  )
    return `headers ${JSON.stringify(other.headers)}`
  if (one.isComplete && !other.isComplete) return 'is not complete'
  if (one.isComplete ? one.body !== other.body : !other.body.startsWith(one.body))
    return `body ${JSON.stringify(other.body)}`
  return one.keepAlive && !other.keepAlive ? 'ends the connection' : undefined
}

/** Where a reader's readings of two ways to cut the same bytes differ; of what is not complete, more or less may have been told. */
export function cutDisagreement(whole: Readings, cut: Readings): string | undefined {
  if (whole.isWhole !== cut.isWhole || whole.messages.length !== cut.messages.length)
    return `${cut.messages.length} messages, whole: ${cut.isWhole}`
  const pair = [...whole.interim, ...whole.messages].map((one, index) => [
    one,
    [...cut.interim, ...cut.messages][index],
  ])
  const problem = pair.find(([one, other]) => JSON.stringify(one) !== JSON.stringify(other))
  return problem === undefined ? undefined : `cut, ${JSON.stringify(problem[1])}`
}
