/** The few lines of the tar format (POSIX ustar) that a build context needs: regular files, streamed. */
import { createReadStream, statSync } from 'node:fs'

export interface TarFile {
  readonly name: string
  /** Path of a file to read, or the bytes themselves. */
  readonly source: string | Buffer
  /** `only`: it can be executed and not be read. */
  readonly executable?: boolean | 'only'
  /** What its bytes were checked against when they were fetched. */
  readonly pin?: string | undefined
}

const BLOCK_BYTES = 512
const modeOf = ({ executable }: TarFile): number =>
  executable === 'only' ? 0o111 : executable === true ? 0o755 : 0o644

/** Times are zero, so that the same files give the same archive. */
export async function* tarStream(files: readonly TarFile[]): AsyncGenerator<Buffer> {
  for (const file of files) {
    const { name, source } = file
    const size = typeof source === 'string' ? statSync(source).size : source.length
    yield header(name, size, modeOf(file))
    if (typeof source === 'string')
      yield* createReadStream(source, { highWaterMark: 1_048_576 }) as AsyncIterable<Buffer>
    else yield source
    yield Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES)
  }
  yield Buffer.alloc(BLOCK_BYTES * 2)
}

function header(name: string, size: number, mode: number): Buffer {
  const [prefix, rest] = splitName(name)
  const block = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')
  block.write(rest, 0)
  block.write(`${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(size, 11)}\0${octal(0, 11)}\0`, 100)
  // The checksum is taken with its own field filled with spaces.
  block.write(' '.repeat(8), 148)
  block.write('0', 156)
  block.write('ustar\x0000', 257)
  block.write(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148)
  return block
}

/** A name of more than 100 bytes goes into two fields, parted at a slash: 155 bytes and 100. */
function splitName(name: string): readonly [prefix: string, rest: string] {
  if (Buffer.byteLength(name) <= 100) return ['', name]
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)]
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(rest) <= 100) return [prefix, rest]
  }
  throw new TypeError('the name is too long for a tar header')
}
