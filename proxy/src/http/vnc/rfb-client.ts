/**
 * What a viewer of VNC says, message by message (RFC 6143, 7.1–7.5, and the extensions of the rfbproto wiki that it names by number). Each
 * is passed on, left out or refused: what is not known here cannot be told from what comes behind it.
 */

/** The bytes are no messages that a viewer here may send; the connection has to be closed. */
export class RfbRefused extends Error {
  constructor(problem: string) {
    super(`rfb: ${problem}`)
    this.name = 'RfbRefused'
  }
}

export interface RfbClientFilter {
  /** Whole messages to be passed on; the end of one that has not come whole is kept. Throws RfbRefused. */
  push(chunk: Uint8Array): Buffer
}

interface RfbClientOptions {
  /** Whether keys, pointer and clipboard are passed on now; asked for each. */
  readonly mayAct: () => boolean
  /** A key, the pointer or the clipboard came, passed on or not; not what viewers say of the clipboard by themselves. */
  readonly onAct: () => void
}

/** What one message is: bytes of its head, how long it is by that, and whether it does something. */
interface Kind {
  readonly head: number
  readonly length: (head: Buffer) => number
  readonly acts: boolean
  /** Whether somebody did this one; left out: yes. */
  readonly isMeant?: (message: Buffer) => boolean
  /** In its place; left out: as it came. */
  readonly rewrite?: (message: Buffer) => Buffer
}

const VERSION_BYTES = 12
const VERSIONS: ReadonlySet<string> = new Set(['RFB 003.007\n', 'RFB 003.008\n'])
/** Security type None: the socket behind it is the machine's own, and who may see it was asked before. */
const NO_SECURITY = 1
/** Whoever asks for the desktop alone would throw the others out. */
const SHARED = Buffer.from([1])
const MAX_CLIPBOARD_BYTES = 262_144
const MAX_ENCODINGS = 256
const MAX_FENCE_BYTES = 64
const MAX_SCREENS = 16
/** ExtendedMouseButtons, by which messages of the pointer become longer. */
const LONGER_POINTER = -316

const fixed = (length: number, acts: boolean): Kind => ({ head: 1, length: () => length, acts })
const atMost = (count: number, most: number, what: string): number => {
  if (count > most) throw new RfbRefused(`too long a message: ${what}`)
  return count
}

const KINDS: ReadonlyMap<number, Kind> = new Map([
  // SetPixelFormat
  [0, fixed(20, false)],
  // SetEncodings
  [
    2,
    {
      head: 4,
      length: (head) => 4 + 4 * atMost(head.readUInt16BE(2), MAX_ENCODINGS, 'encodings'),
      acts: false,
      rewrite: withoutLongerPointer,
    },
  ],
  // FramebufferUpdateRequest
  [3, fixed(10, false)],
  // KeyEvent
  [4, fixed(8, true)],
  // PointerEvent
  [5, fixed(6, true)],
  // ClientCutText; a length below zero is the extended clipboard's.
  [
    6,
    {
      head: 8,
      length: (head) => 8 + atMost(Math.abs(head.readInt32BE(4)), MAX_CLIPBOARD_BYTES, 'clipboard'),
      acts: true,
      isMeant: (message) => message.readInt32BE(4) >= 0 || providesClipboard(message),
    },
  ],
  // EnableContinuousUpdates
  [150, fixed(10, false)],
  // ClientFence
  [248, { head: 9, length: (head) => 9 + atMost(head.readUInt8(8), MAX_FENCE_BYTES, 'fence'), acts: false }],
  // SetDesktopSize
  [
    251,
    { head: 8, length: (head) => 8 + 16 * atMost(head.readUInt8(6), MAX_SCREENS, 'screens'), acts: true },
  ],
  // QEMU: keys by their place; its other messages are about sound.
  [
    255,
    {
      head: 2,
      length(head) {
        if (head.readUInt8(1) !== 0) throw new RfbRefused('an unknown message of QEMU')
        return 12
      },
      acts: true,
    },
  ],
])

const PROVIDE = 1 << 28
const NOTHING = Buffer.alloc(0)

/** A whole message: its length, and what is passed on of it; or how many bytes have to be there before it can be told. */
type Read = { readonly length: number; readonly passed: Buffer | undefined } | number

export function createRfbClientFilter({ mayAct, onAct }: RfbClientOptions): RfbClientFilter {
  /** The beginning of a message that has not come whole, in a room for all of it: it is looked at anew only when `wanted` bytes are there. */
  let rest: Buffer = NOTHING
  let held = 0
  let wanted = 0
  let next: 'version' | 'security' | 'init' | 'message' = 'version'

  function first(bytes: Buffer): Read {
    switch (next) {
      case 'version': {
        if (bytes.length < VERSION_BYTES) return VERSION_BYTES
        const version = bytes.subarray(0, VERSION_BYTES)
        if (!VERSIONS.has(version.toString('latin1'))) throw new RfbRefused('an unknown version')
        next = 'security'
        return { length: VERSION_BYTES, passed: version }
      }
      case 'security':
        if (bytes[0] !== NO_SECURITY) throw new RfbRefused('a security type that was not offered')
        next = 'init'
        return { length: 1, passed: bytes.subarray(0, 1) }
      case 'init':
        next = 'message'
        return { length: 1, passed: SHARED }
      case 'message':
        return firstMessage(bytes)
    }
  }

  function firstMessage(bytes: Buffer): Read {
    const kind = KINDS.get(bytes[0] as number)
    if (kind === undefined) throw new RfbRefused('an unknown message')
    if (bytes.length < kind.head) return kind.head
    const length = kind.length(bytes)
    if (bytes.length < length) return length
    const message = bytes.subarray(0, length)
    if (!kind.acts) return { length, passed: kind.rewrite?.(message) ?? message }
    if (kind.isMeant?.(message) ?? true) onAct()
    return { length, passed: mayAct() ? message : undefined }
  }

  /** All that is there, once there is enough of it to be looked at. */
  function gathered(fresh: Buffer): Buffer {
    if (held === 0) return fresh
    const total = held + fresh.length
    if (total > rest.length) rest = withRoom(rest.subarray(0, held), total)
    fresh.copy(rest, held)
    held = total
    return held < wanted ? NOTHING : rest.subarray(0, held)
  }

  return {
    push(chunk) {
      let bytes = gathered(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
      const out: Buffer[] = []
      while (bytes.length > 0) {
        const read = first(bytes)
        if (typeof read === 'number') {
          wanted = read
          rest = withRoom(bytes, wanted)
          held = bytes.length
          return Buffer.concat(out)
        }
        if (read.passed !== undefined) out.push(read.passed)
        bytes = bytes.subarray(read.length)
        held = 0
      }
      return Buffer.concat(out)
    },
  }
}

/** Of the extended clipboard (rfbproto, 7.6.7): text. What it can, and that it asks, each viewer says as soon as it is connected. */
const providesClipboard = (message: Buffer): boolean =>
  message.length >= 12 && (message.readUInt32BE(8) & PROVIDE) !== 0

function withRoom(bytes: Buffer, size: number): Buffer {
  const room = Buffer.alloc(Math.max(size, bytes.length))
  bytes.copy(room)
  return room
}

function withoutLongerPointer(message: Buffer): Buffer {
  const encodings: number[] = []
  for (let at = 4; at < message.length; at += 4) encodings.push(message.readInt32BE(at))
  const kept = encodings.filter((encoding) => encoding !== LONGER_POINTER)
  const rewritten = Buffer.alloc(4 + 4 * kept.length)
  rewritten.writeUInt8(2, 0)
  rewritten.writeUInt16BE(kept.length, 2)
  for (const [index, encoding] of kept.entries()) rewritten.writeInt32BE(encoding, 4 + 4 * index)
  return rewritten
}
