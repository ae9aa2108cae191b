import { describe, expect, it, vi } from 'vitest'
import { CHUNKED, get, ok, post, type Role } from '../../../test/support/message-log.ts'
import { MessageReader } from './index.ts'

describe('work', () => {
  /** Bytes that were copied, searched or decoded meanwhile. */
  function workOf(run: () => void): number {
    let work = 0
    const { copy, indexOf, toString: decode } = Buffer.prototype
    const spies = [
      vi.spyOn(Buffer.prototype, 'copy').mockImplementation(function (this: Buffer, ...args) {
        const copied = copy.apply(this, args)
        work += copied
        return copied
      }),
      vi.spyOn(Buffer.prototype, 'indexOf').mockImplementation(function (this: Buffer, ...args) {
        const found = indexOf.apply(this, args as never)
        work += (found === -1 ? this.length : found) - Number(args[1] ?? 0)
        return found
      }),
      vi.spyOn(Buffer.prototype, 'toString').mockImplementation(function (this: Buffer, ...args) {
        const text = decode.apply(this, args)
        work += text.length
        return text
      }),
    ]
    try {
      run()
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
    return work
  }
  const pushAll = (reader: MessageReader, pieces: readonly Buffer[]): void => {
    for (const piece of pieces) reader.push(piece)
  }
  const quiet = (role: Role): MessageReader =>
    new MessageReader(role, { onHead: () => 'framed', onBody() {}, onEnd() {}, onError() {} })

  it.each([
    ['a head', 'request', post([`X: ${'y'.repeat(16_000)}`])],
    ['a head that never ends', 'request', post([`X: ${'y'.repeat(30_000)}`])],
    [
      'many fields',
      'request',
      post(Array.from({ length: 250 }, (_, index) => `X-${index}: ${'y'.repeat(40)}`)),
    ],
    ['trailers', 'response', ok([CHUNKED], `0\r\nX: ${'y'.repeat(60_000)}\r\n\r\n`)],
    ['a body', 'request', post(['Content-Length: 60000'], 'b'.repeat(60_000))],
    ['small chunks', 'response', ok([CHUNKED], `${'1\r\na\r\n'.repeat(10_000)}0\r\n\r\n`)],
  ] as const)('is a few times the bytes that come, one by one: %s', (_name, role, text) => {
    const reader = quiet(role)
    const bytes = [...Buffer.from(text, 'latin1')].map((byte) => Buffer.from([byte]))
    // Three bytes are looked at again for the end of the head, two for what may not be there.
    expect(workOf(() => pushAll(reader, bytes))).toBeLessThan(12 * text.length)
  })

  it('is a few times the bytes that wait for their turn', () => {
    const reader = quiet('request')
    const count = 5_000
    const all = Buffer.from(get('/').repeat(count))
    const bytes = [...all].map((byte) => Buffer.from([byte]))
    const work = workOf(() => {
      pushAll(reader, bytes)
      for (let index = 0; index < count; index += 1) reader.next()
    })
    expect([work < 12 * all.length, reader.state]).toEqual([true, 'idle'])
  })
})
