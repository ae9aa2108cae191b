import { expect, it } from 'vitest'
import { createFrameReader } from './docker-frames.ts'
import { createMarkerScanner } from './end-marker.ts'

const MARKER = '\0oauth3-end 0123456789abcdef '

it.each([1, 2, 3, 7, 1000])(
  'finds the marker in pieces of %i bytes and keeps every byte before it',
  (size) => {
    const output = 'text \0oauth3-end other \0\0 more\n'
    const all = Buffer.from(`${output}${MARKER}42\nwhat follows`)
    const scanner = createMarkerScanner(MARKER)
    let seen = ''
    for (let at = 0; at < all.length; at += size)
      seen += scanner.push(all.subarray(at, at + size)).toString('latin1')
    seen += scanner.flush().toString('latin1')
    expect(seen).toBe(output)
    expect(scanner.exitCode).toBe(42)
  },
)

it('gives back what was held when the stream ends inside a would-be marker', () => {
  const scanner = createMarkerScanner(MARKER)
  const head = scanner.push(Buffer.from('a\0oauth3-end 01')).toString('latin1')
  expect(head).toBe('a')
  expect(head + scanner.flush().toString('latin1')).toBe('a\0oauth3-end 01')
  expect(scanner.exitCode).toBeNull()
})

it('shows an exit code as a parent process would see it', () => {
  const scanner = createMarkerScanner(MARKER)
  scanner.push(Buffer.from(`${MARKER}-1\n`))
  expect(scanner.exitCode).toBe(255)
})

it.each([1, 5, 9, 1000])('takes frames apart in pieces of %i bytes', (size) => {
  const frame = (stream: number, text: string) => {
    const header = Buffer.alloc(8)
    header[0] = stream
    header.writeUInt32BE(text.length, 4)
    return Buffer.concat([header, Buffer.from(text)])
  }
  const all = Buffer.concat([frame(1, 'out '), frame(2, 'err'), frame(1, ''), frame(1, 'more')])
  const seen = { stdout: '', stderr: '' }
  const read = createFrameReader((stream, bytes) => {
    seen[stream] += bytes.toString()
  })
  for (let at = 0; at < all.length; at += size) read(all.subarray(at, at + size))
  expect(seen).toEqual({ stdout: 'out more', stderr: 'err' })
})
