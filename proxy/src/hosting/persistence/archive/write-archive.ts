import { AppError } from '../../../kernel/index.ts'
import { BLOCK_BYTES, type Entry, type EntryHead, padding, TYPES } from './entry.ts'

/** The same entries give the same bytes: what a field cannot hold stands in pax records, and nothing else does. */
export async function* writeArchive(entries: AsyncIterable<Entry>): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    yield entryHeader(entry)
    let bytes = 0
    for await (const piece of entry.content) {
      bytes += piece.length
      yield piece
    }
    if (bytes !== entry.bytes) throw new AppError('internal', 'A file is not as long as its entry says.')
    if (padding(bytes) > 0) yield Buffer.alloc(padding(bytes))
  }
  yield Buffer.alloc(BLOCK_BYTES * 2)
}

/** All blocks before the content. */
function entryHeader(entry: EntryHead): Buffer {
  const { owner = 0 } = entry
  const name = entry.kind === 'folder' ? `${entry.name}/` : entry.name
  const records = [
    ...(fits(name, 100) ? [] : [record('path', name)]),
    ...(fits(entry.target, 100) ? [] : [record('linkpath', entry.target)]),
    ...(fitsOctal(entry.bytes, 11) ? [] : [record('size', String(entry.bytes))]),
    ...(fitsOctal(entry.modifiedAt, 11) ? [] : [record('mtime', String(entry.modifiedAt))]),
  ]
  const main = block({ ...entry, name, type: TYPES[entry.kind], owner })
  if (records.length === 0) return main
  const data = Buffer.concat(records)
  const about = { name: 'records', target: '', mode: 0o600, modifiedAt: 0, bytes: data.length, owner }
  return Buffer.concat([block({ ...about, type: 'x' }), data, Buffer.alloc(padding(data.length)), main])
}

const fits = (text: string, bytes: number): boolean => text.length <= bytes && /^[\x20-\x7e]*$/.test(text)
const fitsOctal = (value: number, digits: number): boolean => value >= 0 && value < 8 ** digits

function record(name: string, value: string): Buffer {
  const rest = ` ${name}=${value}\n`
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.from(`${length}${rest}`, 'latin1')
}

function block(of: {
  readonly name: string
  readonly target: string
  readonly type: string
  readonly mode: number
  readonly owner: number
  readonly modifiedAt: number
  readonly bytes: number
}): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, digits: number): string =>
    (fitsOctal(value, digits) ? value : 0).toString(8).padStart(digits, '0')
  const short = (text: string): string =>
    fits(text, 100) ? text : text.slice(0, 100).replace(/[^\x20-\x7e]/g, '_')
  bytes.write(short(of.name), 0, 'latin1')
  bytes.write(`${octal(of.mode, 7)}\0${octal(of.owner, 7)}\0${octal(of.owner, 7)}\0`, 100)
  bytes.write(`${octal(of.bytes, 11)}\0${octal(of.modifiedAt, 11)}\0`, 124)
  // The checksum is taken with its own field filled with spaces.
  bytes.write(' '.repeat(8), 148)
  bytes.write(of.type, 156)
  bytes.write(short(of.target), 157, 'latin1')
  bytes.write('ustar\x0000', 257)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${octal(sum, 6)}\0 `, 148)
  return bytes
}
