import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createRfbClientFilter, RfbRefused } from './rfb-client.ts'

const VERSION = Buffer.from('RFB 003.008\n')
const HELLO = Buffer.concat([VERSION, Buffer.from([1, 0])])
const bytes = (...values: readonly number[]): Buffer => Buffer.from(values)
const u32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}
const PIXEL_FORMAT = Buffer.concat([bytes(0), Buffer.alloc(19, 7)])
const UPDATE = bytes(3, 1, 0, 0, 0, 0, 5, 0, 3, 32)
const CONTINUOUS = bytes(150, 1, 0, 0, 0, 0, 5, 0, 3, 32)
const FENCE = Buffer.concat([bytes(248, 0, 0, 0, 0, 0, 0, 1, 3), Buffer.from('abc')])
const encodings = (...list: readonly number[]): Buffer =>
  Buffer.concat([bytes(2, 0, 0, list.length), ...list.map(u32)])
const LOOKING = [PIXEL_FORMAT, UPDATE, CONTINUOUS, FENCE, encodings(0, 7, -308)]
const KEY = bytes(4, 1, 0, 0, 0, 0, 0, 0x61)
const POINTER = bytes(5, 4, 1, 0, 1, 0)
const CUT = Buffer.concat([bytes(6, 0, 0, 0), u32(3), Buffer.from('cut')])
/** Text of the extended clipboard. */
const EXTENDED_CUT = Buffer.concat([bytes(6, 0, 0, 0), u32(-6), bytes(0x10, 0, 0, 1, 1, 1)])
/** What its viewer can do, asks for and has: nobody’s act. */
const CLIPBOARD_TALK = [0x01, 0x02, 0x04, 0x08].map((flags) =>
  Buffer.concat([bytes(6, 0, 0, 0), u32(-4), bytes(flags, 0, 0, 1)]),
)
const QEMU_KEY = Buffer.concat([bytes(255, 0), Buffer.alloc(10, 1)])
const SIZE = Buffer.concat([bytes(251, 0, 5, 0, 3, 32, 1, 0), Buffer.alloc(16)])
const ACTING = [KEY, POINTER, CUT, EXTENDED_CUT, QEMU_KEY, SIZE]

function filterOf(mayAct: boolean) {
  const acts: number[] = []
  return { acts, ...createRfbClientFilter({ mayAct: () => mayAct, onAct: () => acts.push(1) }) }
}

afterEach(() => void vi.restoreAllMocks())

describe('what a viewer says', () => {
  it('is passed on as it came, whoever takes over', () => {
    const filter = filterOf(true)
    const all = Buffer.concat([...LOOKING, ...ACTING])
    expect(filter.push(Buffer.concat([HELLO, all]))).toEqual(Buffer.concat([VERSION, bytes(1, 1), all]))
    expect(filter.acts).toHaveLength(ACTING.length)
  })

  it('is what only looks, of who only looks', () => {
    for (const [index, act] of ACTING.entries()) {
      const filter = filterOf(false)
      filter.push(HELLO)
      const sent = Buffer.concat([UPDATE, act, FENCE])
      expect(filter.push(sent), String(index)).toEqual(Buffer.concat([UPDATE, FENCE]))
      expect(filter.acts).toHaveLength(1)
    }
  })

  it('keeps nothing awake by what viewers say of the clipboard unasked', () => {
    for (const mayAct of [true, false]) {
      const filter = filterOf(mayAct)
      const said = Buffer.concat(CLIPBOARD_TALK)
      expect(filter.push(Buffer.concat([HELLO, said])).length).toBe(HELLO.length + (mayAct ? said.length : 0))
      expect(filter.acts).toEqual([])
    }
  })

  it('is the same however it is cut', () => {
    const all = Buffer.concat([HELLO, ...LOOKING, ...ACTING, ...LOOKING])
    fc.assert(
      fc.property(fc.boolean(), fc.array(fc.integer({ min: 1, max: 40 })), (mayAct, sizes) => {
        const [whole, cut] = [filterOf(mayAct), filterOf(mayAct)]
        const parts: Buffer[] = []
        let at = 0
        for (const size of [...sizes, all.length]) {
          parts.push(cut.push(all.subarray(at, at + size)))
          at += size
        }
        expect(Buffer.concat(parts)).toEqual(whole.push(all))
      }),
    )
  })

  it('costs no more than its bytes, however small its pieces are', () => {
    const filter = filterOf(true)
    filter.push(HELLO)
    const long = Buffer.concat([bytes(6, 0, 0, 0), u32(20_000), Buffer.alloc(20_000, 'x')])
    let copied = 0
    const [{ concat }, { copy }] = [Buffer, Buffer.prototype]
    vi.spyOn(Buffer, 'concat').mockImplementation((list, length) => {
      const all = concat(list, length)
      copied += all.length
      return all
    })
    vi.spyOn(Buffer.prototype, 'copy').mockImplementation(function (this: Buffer, ...to) {
      const count = copy.apply(this, to)
      copied += count
      return count
    })
    let passed = 0
    for (const byte of long) passed += filter.push(bytes(byte)).length
    expect(passed).toBe(long.length)
    expect(copied).toBeLessThan(8 * long.length)
  })

  it('agrees on no longer messages of the pointer, behind which keys could stand unseen', () => {
    const filter = filterOf(false)
    filter.push(HELLO)
    expect(filter.push(encodings(0, -316, 7))).toEqual(encodings(0, 7))
  })

  it('throws nobody else out', () => {
    expect(
      filterOf(false)
        .push(Buffer.concat([VERSION, bytes(1, 0)]))
        .at(-1),
    ).toBe(1)
  })

  it('ends the connection where it is not known, or too long', () => {
    const refused: readonly (readonly Buffer[])[] = [
      [Buffer.from('RFB 003.003\n')],
      [Buffer.from('GET / HTTP/1')],
      [VERSION, bytes(2)],
      ...[1, 7, 10, 149, 151, 250, 252, 253, 254].map((type) => [HELLO, bytes(type)]),
      [HELLO, bytes(255, 1)],
      [HELLO, bytes(2, 0, 1, 1)],
      [HELLO, Buffer.concat([bytes(6, 0, 0, 0), u32(262_145)])],
      [HELLO, Buffer.concat([bytes(6, 0, 0, 0), u32(-2_147_483_648)])],
      [HELLO, bytes(248, 0, 0, 0, 0, 0, 0, 0, 65)],
      [HELLO, bytes(251, 0, 5, 0, 3, 32, 17, 0)],
    ]
    for (const sent of refused)
      expect(() => filterOf(true).push(Buffer.concat(sent)), sent.at(-1)?.toString('hex')).toThrow(RfbRefused)
  })
})
