import { AppError } from '../../../kernel/index.ts'
import { BLOCK_BYTES, type Entry, type EntryHead, padding, TYPES } from './entry.ts'

/** Long names and times; more than any path that a kernel takes. */
const MAX_RECORDS_BYTES = 65_536
const KINDS = new Map<string, EntryHead['kind']>(
  Object.entries(TYPES).map(([kind, type]) => [type, kind as EntryHead['kind']]),
)
/** Character and block. */
const DEVICES = '34'
const broken = (what: string): AppError => new AppError('internal', `An archive of files is broken: ${what}.`)

interface Header extends EntryHead {
  readonly type: string
}

/**
 * A tar archive (POSIX ustar with pax records, GNU long names), entry by entry as it comes: one block and one piece of the source are held.
 * Devices and sockets are left out. Throws `internal` for one that is malformed or ends early, and what the source throws.
 */
export async function* readArchive(source: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  const input = createInput(source)
  let next: Record<string, string> = {}
  for (;;) {
    const block = await input.take(BLOCK_BYTES)
    if (block.every((byte) => byte === 0)) break
    const header = parseHeader(block)
    if ('xgLK'.includes(header.type)) {
      if (header.bytes > MAX_RECORDS_BYTES) throw broken('its records are too long')
      const data = Buffer.from(await input.take(header.bytes))
      await input.skip(padding(header.bytes))
      // Records for all that follow hold nothing that is kept.
      if (header.type === 'x') next = { ...next, ...parseRecords(data) }
      if (header.type === 'L') next = { ...next, path: cString(data) }
      if (header.type === 'K') next = { ...next, linkpath: cString(data) }
      continue
    }
    const { type, ...head } = withRecords(header, next)
    next = {}
    const kind = KINDS.get(type === '\0' || type === '7' ? '0' : type)
    if (kind === undefined && !DEVICES.includes(type)) throw broken('an entry of a kind that is not known')
    const length = kind === 'file' || kind === undefined ? head.bytes : 0
    let left = length
    const content = async function* (): AsyncGenerator<Uint8Array> {
      while (left > 0) {
        const piece = await input.some(left)
        left -= piece.length
        yield piece
      }
    }
    if (kind !== undefined) yield { ...head, kind, bytes: length, content: content() }
    await input.skip(left + padding(length))
  }
  await input.drain()
}

function parseHeader(block: Buffer): Header {
  let sum = 0
  for (let at = 0; at < BLOCK_BYTES; at += 1) sum += at >= 148 && at < 156 ? 32 : (block[at] ?? 0)
  if (number(block, 148, 8) !== sum) throw broken('a header does not add up')
  const prefix =
    block.toString('latin1', 257, 262) === 'ustar' && block[263] === 0x30 ? text(block, 345, 155) : ''
  const name = text(block, 0, 100)
  return {
    type: String.fromCharCode(block[156] ?? 0),
    kind: 'file',
    name: withoutEndSlash(prefix === '' ? name : `${prefix}/${name}`),
    target: text(block, 157, 100),
    mode: number(block, 100, 8) & 0o7777,
    bytes: number(block, 124, 12),
    modifiedAt: number(block, 136, 12),
  }
}

function withRecords(header: Header, records: Record<string, string>): Header {
  const bytes = records.size === undefined ? header.bytes : Number(records.size)
  const modifiedAt = records.mtime === undefined ? header.modifiedAt : Math.floor(Number(records.mtime))
  if (!Number.isSafeInteger(bytes) || bytes < 0 || !Number.isSafeInteger(modifiedAt))
    throw broken('a record is no number')
  return {
    ...header,
    name: withoutEndSlash(records.path ?? header.name),
    target: records.linkpath ?? header.target,
    bytes,
    modifiedAt,
  }
}

/** `<length> <name>=<value>\n`, where the length counts itself. */
function parseRecords(data: Buffer): Record<string, string> {
  const records: Record<string, string> = {}
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at)
    const digits = space < 0 ? '' : data.toString('latin1', at, space)
    const end = at + Number(digits)
    const equals = data.indexOf(0x3d, space)
    if (
      !/^[1-9]\d{0,5}$/.test(digits) ||
      end > data.length ||
      equals < space ||
      equals >= end ||
      data[end - 1] !== 0x0a
    )
      throw broken('a record has no length of its own')
    const name = data.toString('latin1', space + 1, equals)
    if (name === 'path' || name === 'linkpath' || name === 'size' || name === 'mtime')
      records[name] = data.toString('latin1', equals + 1, end - 1)
    if (name.startsWith('GNU.sparse')) throw broken('a sparse file')
    at = end
  }
  return records
}

/** Octal digits, or (first bit set) a number of base 256. */
function number(block: Buffer, at: number, length: number): number {
  const first = block[at] ?? 0
  if ((first & 0x80) !== 0) {
    if (first !== 0x80) throw broken('a number is negative or too large')
    let value = 0
    for (const byte of block.subarray(at + 1, at + length)) value = value * 256 + byte
    if (!Number.isSafeInteger(value)) throw broken('a number is too large')
    return value
  }
  const digits = block.toString('latin1', at, at + length).replace(/^ +|[ \0]+$/g, '')
  if (!/^[0-7]*$/.test(digits)) throw broken('a number is none')
  return Number.parseInt(digits || '0', 8)
}

const text = (block: Buffer, at: number, length: number): string => cString(block.subarray(at, at + length))
function cString(data: Buffer): string {
  const end = data.indexOf(0)
  return data.toString('latin1', 0, end < 0 ? data.length : end)
}
const withoutEndSlash = (name: string): string => (name.length > 1 ? name.replace(/\/+$/, '') : name)

function createInput(source: AsyncIterable<Uint8Array>) {
  const pieces = source[Symbol.asyncIterator]()
  let held: Uint8Array = Buffer.alloc(0)
  const some = async (most: number): Promise<Uint8Array> => {
    while (held.length === 0) {
      const next = await pieces.next()
      if (next.done === true) throw broken('it ends early')
      held = next.value
    }
    const piece = held.subarray(0, most)
    held = held.subarray(piece.length)
    return piece
  }
  return {
    some,
    async take(bytes: number): Promise<Buffer> {
      if (held.length >= bytes) return Buffer.from(await some(bytes))
      const whole = Buffer.alloc(bytes)
      for (let at = 0; at < bytes; ) {
        const piece = await some(bytes - at)
        whole.set(piece, at)
        at += piece.length
      }
      return whole
    },
    async skip(bytes: number): Promise<void> {
      for (let left = bytes; left > 0; ) left -= (await some(left)).length
    },
    /** What follows the end of the archive: its sender finishes, and says whether all went well. */
    async drain(): Promise<void> {
      while ((await pieces.next()).done !== true);
    },
  }
}
