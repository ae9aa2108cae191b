import { Head, type MessageHead } from './message.ts'

/** Longer ones are not worth the room that they take on each connection. */
const MAX_KEPT_BYTES = 2_048
/** As CONTENT_LENGTH of head.ts has it. */
const MAX_DIGITS = 15
const ZERO = 0x30

/**
 * The last request head of a connection, to read the next one by: clients send the same one again and again, but for the length of the
 * body. A head of the same bytes around other digits is what reading it would find: its fields are of the same grammar, line by line
 * (RFC 9112, 5), and no rule for them looks at two values at once.
 */
export class KnownHead {
  readonly #bytes: Buffer
  readonly #head: Head
  /** The digits of `content-length`; both are the end where there is none. */
  readonly #from: number
  readonly #to: number

  private constructor(bytes: Buffer, head: Head, digits: number) {
    this.#bytes = bytes
    this.#head = head
    this.#from = digits === 0 ? bytes.length : head.lengthAt
    this.#to = this.#from + digits
  }

  /** Null for a head that is not kept. */
  static of(head: Head, bytes: Buffer, at: number, length: number): KnownHead | null {
    if (length > MAX_KEPT_BYTES || (head.lengthAt !== -1 && head.length === 0)) return null
    const digits = head.lengthAt === -1 ? 0 : String(head.length).length
    return new KnownHead(Buffer.from(bytes.subarray(at, at + length)), head, digits)
  }

  /** The head that stands there, where it is this one once more; null when that is for the grammar to say. */
  again(bytes: Buffer, at: number, length: number): MessageHead | null {
    const known = this.#bytes
    const [from, to] = [this.#from, this.#to]
    const digits = to - from + length - known.length
    if (to === from ? digits !== 0 : digits < 1 || digits > MAX_DIGITS) return null
    const start = at + from
    let bodyBytes = 0
    for (let one = start; one < start + digits; one += 1) {
      const digit = (bytes[one] as number) - ZERO
      if (digit < 0 || digit > 9) return null
      bodyBytes = bodyBytes * 10 + digit
    }
    if (digits > 0 && bytes[start] === ZERO) return null
    if (bytes.compare(known, 0, from, at, start) !== 0) return null
    if (digits > 0 && bytes.compare(known, to, known.length, start + digits, at + length) !== 0) return null
    return copyOf(this.#head, bodyBytes)
  }
}

function copyOf(known: Head, length: number): MessageHead {
  const head = new Head()
  head.like = known.like
  head.method = known.method
  head.target = known.target
  head.rawHeaders = known.rawHeaders.slice()
  if (known.lengthAt !== -1) head.rawHeaders[known.lengthIndex] = String(length)
  head.keepAlive = known.keepAlive
  head.framing = known.framing
  head.length = length
  head.expectsContinue = known.expectsContinue
  head.isUpgrade = known.isUpgrade
  head.host = known.host
  head.single = known.single
  head.lengthAt = known.lengthAt
  head.lengthIndex = known.lengthIndex
  return head
}
