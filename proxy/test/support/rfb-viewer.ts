/** A viewer of VNC on a WebSocket (RFC 6143), as far as tests need one: it takes whole pictures, raw, and acts by keys and pointer. */
import { once } from 'node:events'
import { WebSocket } from 'ws'

export interface RfbViewer extends Disposable {
  readonly socket: WebSocket
  readonly width: number
  readonly height: number
  /** The whole picture as it is now, four bytes a pixel. */
  picture(): Promise<Buffer>
  pointer(x: number, y: number, buttons: number): void
  /** Down and up. */
  key(keysym: number): void
}

/** Closed before it had begun. */
export interface Refused {
  readonly code: number
  readonly reason: string
}

const PIXEL_BYTES = 4

/** Resolves to how it was closed, where it is before its first picture could be asked for. */
export async function openViewer(url: string, headers: Record<string, string>): Promise<RfbViewer | Refused> {
  const socket = new WebSocket(url, { headers })
  const closed = once(socket, 'close') as Promise<[number, Buffer]>
  const refused = closed.then(([code, reason]): Refused => ({ code, reason: reason.toString() }))
  const opened = begin(socket)
  opened.catch(() => {})
  return await Promise.race([opened, refused])
}

async function begin(socket: WebSocket): Promise<RfbViewer> {
  const read = reader(socket)
  const version = await read(12)
  socket.send(version)
  const types = await read((await read(1)).readUInt8())
  if (!types.includes(1)) throw new Error('no security type None')
  socket.send(Buffer.from([1]))
  if ((await read(4)).readUInt32BE() !== 0) throw new Error('refused by the server')
  socket.send(Buffer.from([1]))
  const init = await read(24)
  await read(init.readUInt32BE(20))
  const [width, height] = [init.readUInt16BE(0), init.readUInt16BE(2)]
  // SetEncodings: raw alone.
  socket.send(Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]))

  async function update(): Promise<Buffer> {
    const picture = Buffer.alloc(width * height * PIXEL_BYTES)
    let missing = width * height
    while (missing > 0) {
      const type = (await read(1)).readUInt8()
      if (type === 2) continue
      if (type === 3) {
        await read((await read(7)).readUInt32BE(3))
        continue
      }
      if (type !== 0) throw new Error(`a message of type ${type}`)
      const count = (await read(3)).readUInt16BE(1)
      for (let left = count; left > 0; left -= 1) missing -= await rectangle(picture)
    }
    return picture
  }
  /** How many pixels it had. */
  async function rectangle(picture: Buffer): Promise<number> {
    const head = await read(12)
    const [x, y, w, h] = [0, 2, 4, 6].map((at) => head.readUInt16BE(at)) as [number, number, number, number]
    if (head.readInt32BE(8) !== 0) throw new Error('an encoding that was not asked for')
    const pixels = await read(w * h * PIXEL_BYTES)
    for (let row = 0; row < h; row += 1)
      pixels.copy(
        picture,
        ((y + row) * width + x) * PIXEL_BYTES,
        row * w * PIXEL_BYTES,
        (row + 1) * w * PIXEL_BYTES,
      )
    return w * h
  }
  const u16 = (...values: readonly number[]): Buffer => {
    const buffer = Buffer.alloc(2 * values.length)
    for (const [index, value] of values.entries()) buffer.writeUInt16BE(value, 2 * index)
    return buffer
  }
  const press = (keysym: number, isDown: boolean): void =>
    socket.send(Buffer.concat([Buffer.from([4, isDown ? 1 : 0, 0, 0]), u16(keysym >>> 16, keysym & 0xffff)]))

  return {
    ...{ socket, width, height },
    picture() {
      socket.send(Buffer.concat([Buffer.from([3, 0]), u16(0, 0, width, height)]))
      return update()
    },
    pointer: (x, y, buttons) => socket.send(Buffer.concat([Buffer.from([5, buttons]), u16(x, y)])),
    key(keysym) {
      press(keysym, true)
      press(keysym, false)
    },
    [Symbol.dispose]: () => socket.terminate(),
  }
}

/** So many of the bytes that come, in their order. */
function reader(socket: WebSocket): (count: number) => Promise<Buffer> {
  let parts: Buffer[] = []
  let length = 0
  let told = (): void => {}
  socket.on('message', (data: Buffer) => {
    parts.push(data)
    length += data.length
    told()
  })
  socket.once('close', () => told())
  return async (count) => {
    while (length < count) {
      if (socket.readyState === socket.CLOSED) throw new Error('the connection ended')
      await new Promise<void>((resolve) => {
        told = resolve
      })
    }
    const all = Buffer.concat(parts)
    parts = [all.subarray(count)]
    length -= count
    return all.subarray(0, count)
  }
}

/** The pixels of a part of a picture. */
export function partOf(
  { width }: Pick<RfbViewer, 'width'>,
  picture: Buffer,
  { x, y, w, h }: { readonly x: number; readonly y: number; readonly w: number; readonly h: number },
): Buffer {
  const rows = Array.from({ length: h }, (_, row) => {
    const at = ((y + row) * width + x) * PIXEL_BYTES
    return picture.subarray(at, at + w * PIXEL_BYTES)
  })
  return Buffer.concat(rows)
}
