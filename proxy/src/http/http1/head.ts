import { Head, type MessageProblem } from './message.ts'

/** RFC 9112, 3: the methods of vendors' APIs, origin-form (3.2.1) without a fragment, and the version that has Host and keep-alive. */
const REQUEST_LINE = /(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[\x21\x22\x24-\x7e]*) HTTP\/1\.1\r\n/y
/** RFC 9112, 4. Some servers leave out the space before a reason that is missing, and no reader misses it. */
const STATUS_LINE = /HTTP\/1\.([01]) ([1-5][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/y
/**
 * RFC 9112, 5: a token, the colon at once, spaces, a value without control characters. A tab around a value is not taken off by every
 * reader (RFC 9110, 5.5), and nginx drops names of signs alone. Linear: no part can match what the next one does.
 */
const FIELD =
  /[0-9A-Za-z_-][!#$%&'*+.^_`|~0-9A-Za-z-]*: *(?:[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*)?\r\n/y
/** What no head holds (RFC 9112, 2.2), in any two bytes that follow each other. */
export const FORBIDDEN = /[^\r\n\t\x20-\x7e\x80-\xff]|[^\r]\n|\r[^\n]/
/** uri-host with port (RFC 9110, 7.2): names as they are used, and IPv6 in brackets. */
const HOST = /^(?:[0-9A-Za-z_~-]+(?:\.[0-9A-Za-z_~-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/
/** RFC 9110, 8.6, as it is read and written here: no sign, no zero in front, no more than a number holds exactly. */
export const CONTENT_LENGTH = /^(?:0|[1-9][0-9]{0,14})$/
/** In a path: what is no escape or one of NUL, and segments of dots, which servers refuse or resolve (RFC 3986, 2.1 and 5.2.4). */
const ODD_PATH = /^[^?]*(?:%(?:00|(?![0-9a-f]{2}))|(?:\/|%2f)(?:\.|%2e){1,2}(?:[/?]|%2f|$))/i
const MAX_FIELDS = 256
const SPACE = 0x20
const TAB = 0x09

/** Once only, each with its bit: of two of them one reader takes the first and another the last (RFC 9110, 5.3). */
const SINGLE = new Map(
  'authorization content-length content-type etag expect host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location proxy-authorization range transfer-encoding'
    .split(' ')
    .map((name, index) => [name, 1 << index]),
)
const NAMES = [...SINGLE.keys(), 'connection', 'proxy-connection', 'upgrade']
/** Most fields are none of these by the length of their name. */
const KNOWN_LENGTHS = Array.from({ length: 32 }, (_, length) => NAMES.some((name) => name.length === length))

/**
 * A request's head with the CRLF of its last line (RFC 9112, 3 and 6.3). Against request smuggling: one Host (3.2), one framing or none,
 * so never Content-Length with Transfer-Encoding.
 */
export function readRequestHead(text: string): Head | MessageProblem {
  REQUEST_LINE.lastIndex = 0
  const line = REQUEST_LINE.exec(text)
  if (line === null) return problemOfRequestLine(text)
  const head = new Head()
  head.method = line[1] as string
  head.target = line[2] as string
  if ((head.target.includes('%') || head.target.includes('/.')) && ODD_PATH.test(head.target)) return 'target'
  const problem = readFields(head, text, REQUEST_LINE.lastIndex)
  if (problem !== undefined) return problem
  if (!HOST.test(head.host)) return 'host'
  if (head.length === 0 && head.framing === 'length') head.framing = 'none'
  return head
}

/**
 * A response's head, likewise (RFC 9112, 4 and 6.3). A 101 would answer an Upgrade, which is not sent. After HTTP/1.0 the connection
 * is not used again, and a Transfer-Encoding in it is an error (6.1).
 */
export function readResponseHead(text: string): Head | MessageProblem {
  STATUS_LINE.lastIndex = 0
  const line = STATUS_LINE.exec(text)
  if (line === null) return FORBIDDEN.test(text) ? 'bytes' : 'start-line'
  const head = new Head()
  const status = Number(line[2])
  head.status = status
  head.reason = line[3] ?? ''
  if (status === 101) return 'upgrade'
  if (status < 200 && status !== 100 && status !== 102 && status !== 103) return 'start-line'
  const problem = readFields(head, text, STATUS_LINE.lastIndex)
  if (problem !== undefined) return problem
  const isOld = line[1] === '0'
  if (isOld) head.keepAlive = false
  if (status < 200 && !head.keepAlive) return 'informational'
  // RFC 9112, 6.1, and RFC 9110, 8.6: with these no body is announced; one that is would be read as the next message.
  const isBodyless = status < 200 || status === 204
  if (head.framing === 'chunked' && (isOld || isBodyless)) return 'transfer-encoding'
  if (head.length > 0 && isBodyless) return 'content-length'
  if (isBodyless || status === 304 || (head.length === 0 && head.framing === 'length')) {
    head.framing = 'none'
    head.length = 0
  } else if (head.framing === 'none') {
    head.framing = 'close'
    head.keepAlive = false
  }
  head.isUpgrade = false
  return head
}

/** Fields behind a chunked body (RFC 9112, 7.1.2): none may say what only a head says (RFC 9110, 6.5.1). */
export function problemOfTrailers(text: string): MessageProblem | undefined {
  const head = new Head()
  const problem = readFields(head, text, 0)
  return problem ?? (head.single !== 0 || !head.keepAlive || head.isUpgrade ? 'trailers' : undefined)
}

/** Field lines from `start` to the end (RFC 9112, 5 and 6; RFC 9110, 5.5). */
function readFields(head: Head, text: string, start: number): MessageProblem | undefined {
  for (FIELD.lastIndex = start; FIELD.lastIndex < text.length; ) {
    const from = FIELD.lastIndex
    // Without the list that `exec` makes of each line.
    if (!FIELD.test(text)) return FORBIDDEN.test(text) ? 'bytes' : 'field'
    const colon = text.indexOf(':', from)
    let valueStart = colon + 1
    let valueEnd = FIELD.lastIndex - 2
    while (valueStart < valueEnd && text.charCodeAt(valueStart) === SPACE) valueStart += 1
    while (valueStart < valueEnd && text.charCodeAt(valueEnd - 1) === SPACE) valueEnd -= 1
    if (valueStart < valueEnd && text.charCodeAt(valueEnd - 1) === TAB) return 'field'
    const name = text.slice(from, colon)
    const value = text.slice(valueStart, valueEnd)
    if (head.rawHeaders.push(name, value) > 2 * MAX_FIELDS) return 'head-too-large'
    if (KNOWN_LENGTHS[name.length] !== true) continue
    const hadLength = head.framing === 'length'
    const problem = take(head, name, value)
    if (problem !== undefined) return problem
    if (hadLength || head.framing !== 'length') continue
    head.lengthAt = valueStart
    head.lengthIndex = head.rawHeaders.length - 1
  }
  return undefined
}

/** What one field says about its message (RFC 9112, 6.1, 6.2 and 9.6). A name with `_` is one with `-` to CGI (RFC 3875, 4.1.18). */
function take(head: Head, name: string, value: string): MessageProblem | undefined {
  const known = name.toLowerCase().replaceAll('_', '-')
  const bit = SINGLE.get(known) ?? 0
  if ((head.single & bit) !== 0) return 'repeated-field'
  head.single |= bit
  switch (known) {
    case 'host':
      head.host = value
      return undefined
    case 'expect':
      head.expectsContinue = true
      return value.toLowerCase() === '100-continue' ? undefined : 'expectation'
    case 'upgrade':
      head.isUpgrade = true
      return undefined
    case 'connection':
    case 'proxy-connection':
      // Some readers take the older name too, and look for the word alone wherever it stands.
      if (/close/i.test(value)) head.keepAlive = false
      if (/upgrade/i.test(value)) head.isUpgrade = true
      return undefined
    case 'content-length':
      if (head.framing !== 'none' || !CONTENT_LENGTH.test(value) || name.includes('_'))
        return 'content-length'
      head.framing = 'length'
      head.length = Number(value)
      return undefined
    case 'transfer-encoding':
      if (head.framing !== 'none' || value.toLowerCase() !== 'chunked' || name.includes('_')) return known
      head.framing = 'chunked'
  }
  return undefined
}

/** Why a request line is none of ours, for the answer only. */
function problemOfRequestLine(text: string): MessageProblem {
  if (FORBIDDEN.test(text)) return 'bytes'
  const [, method = '', version] = /^([!-~]+) [!-~]+ HTTP\/([0-9]\.[0-9])\r\n/.exec(text) ?? []
  if (version === undefined) return 'start-line'
  if (version !== '1.1') return 'version'
  return REQUEST_LINE.test(`${method} / HTTP/1.1\r\n`) ? 'target' : 'method'
}
