/** Messages of the domain name system, as far as a resolver of addresses needs them (RFC 1035, section 4). */

export interface DnsQuestion {
  readonly id: number
  /** Labels joined by dots, as they were asked; empty for the root. */
  readonly name: string
  readonly type: number
  readonly recursionDesired: boolean
  /** As it came, for the answer repeats it letter by letter. */
  readonly bytes: Buffer
}

/** A query that has no question to be answered; `id` and `code` make the answer. */
export interface DnsFault {
  readonly id: number
  readonly code: ResponseCode
}

/** RFC 1035, section 4.1.1. */
export const RESPONSE = { ok: 0, formatError: 1, nameError: 3, notImplemented: 4, refused: 5 } as const
export type ResponseCode = (typeof RESPONSE)[keyof typeof RESPONSE]

export const TYPE_A = 1
export const TYPE_ANY = 255
const CLASS_IN = 1

const HEADER_BYTES = 12
const MAX_NAME_BYTES = 255
const MAX_LABEL_BYTES = 63
const FLAG_ANSWER = 0x8000
const FLAG_RECURSION_DESIRED = 0x0100
const FLAG_RECURSION_AVAILABLE = 0x0080
const OPCODE = 0x7800
/** A pointer to the name of the question, which stands right behind the header. */
const NAME_OF_QUESTION = 0xc000 | HEADER_BYTES
/** Seconds. A client may keep an answer for no longer, and a run's answers hold as long as the run. */
const TTL = 60

/** The one question of a query. Null for what is no query and gets no answer. */
export function readQuestion(message: Buffer): DnsQuestion | DnsFault | null {
  if (message.length < HEADER_BYTES) return null
  const id = message.readUInt16BE(0)
  const flags = message.readUInt16BE(2)
  if ((flags & FLAG_ANSWER) !== 0) return null
  if ((flags & OPCODE) !== 0) return { id, code: RESPONSE.notImplemented }
  if (message.readUInt16BE(4) !== 1) return { id, code: RESPONSE.formatError }
  const labels: string[] = []
  let at = HEADER_BYTES
  for (;;) {
    const length = message[at]
    // A pointer has its two upper bits set; a first name has nothing to point to.
    if (length === undefined || length > MAX_LABEL_BYTES) return { id, code: RESPONSE.formatError }
    at += 1
    if (length === 0) break
    labels.push(message.toString('latin1', at, at + length))
    at += length
    if (at - HEADER_BYTES >= MAX_NAME_BYTES) return { id, code: RESPONSE.formatError }
  }
  if (message.length < at + 4) return { id, code: RESPONSE.formatError }
  if (message.readUInt16BE(at + 2) !== CLASS_IN) return { id, code: RESPONSE.refused }
  return {
    id,
    name: labels.join('.'),
    type: message.readUInt16BE(at),
    recursionDesired: (flags & FLAG_RECURSION_DESIRED) !== 0,
    bytes: message.subarray(HEADER_BYTES, at + 4),
  }
}

/** `address`: an IPv4 address in decimals, for an answer that holds one. */
export function encodeAnswer(asked: DnsQuestion | DnsFault, code: ResponseCode, address?: string): Buffer {
  const question = 'bytes' in asked ? asked.bytes : Buffer.alloc(0)
  const desired = 'bytes' in asked && asked.recursionDesired ? FLAG_RECURSION_DESIRED : 0
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(asked.id, 0)
  header.writeUInt16BE(FLAG_ANSWER | FLAG_RECURSION_AVAILABLE | desired | code, 2)
  header.writeUInt16BE(question.length === 0 ? 0 : 1, 4)
  header.writeUInt16BE(address === undefined ? 0 : 1, 6)
  if (address === undefined) return Buffer.concat([header, question])
  const record = Buffer.alloc(16)
  record.writeUInt16BE(NAME_OF_QUESTION, 0)
  record.writeUInt16BE(TYPE_A, 2)
  record.writeUInt16BE(CLASS_IN, 4)
  record.writeUInt32BE(TTL, 6)
  record.writeUInt16BE(4, 10)
  for (const [index, part] of address.split('.').entries()) record[12 + index] = Number(part)
  return Buffer.concat([header, question, record])
}
