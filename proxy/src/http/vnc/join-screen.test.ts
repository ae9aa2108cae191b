import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { patience } from '../../../test/support/pace.ts'
import type { SocketCall } from '../account-sockets/index.ts'
import { joinScreen } from './join-screen.ts'
import { createVncRow } from './vnc.ts'

const HELLO = Buffer.from('RFB 003.008\n\x01\x01')
const KEY = Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x61])
const UPDATE = Buffer.from([3, 0, 0, 0, 0, 0, 5, 0, 3, 32])
const MIB = 1_048_576

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** A viewer and a screen on sockets of this machine, with what joins them between. */
async function joined({
  viewOnly = false,
  isAwake = (): boolean => true,
  used = (): void => {},
  /** Of the address that it was opened at; left out: it is joined without one. */
  search = undefined as string | undefined,
} = {}) {
  const screens = createServer().listen(0, '127.0.0.1')
  const viewers = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await Promise.all([once(screens, 'listening'), once(viewers, 'listening')])
  const portOf = (address: unknown): number => (address as { readonly port: number }).port
  const stream = connect(portOf(screens.address()), '127.0.0.1')
  const viewer = new WebSocket(`ws://127.0.0.1:${portOf(viewers.address())}`)
  const [[screen], [socket]] = (await Promise.all([
    once(screens, 'connection'),
    once(viewers, 'connection'),
  ])) as [[Socket], [WebSocket]]
  await once(viewer, 'open')
  socket.pause()
  const over = new AbortController()
  const desktop = { stream, used, isAwake }
  if (search === undefined) joinScreen({ socket, desktop, viewOnly, signal: over.signal })
  else {
    screen.once('data', () => screen.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
    const call = {
      ...{ of: { hosting: { openDesktop: async () => desktop } }, machine: { id: 'mch_1' } },
      ...{ query: new URLSearchParams(search), signal: over.signal },
    }
    await createVncRow().serve(socket, call as unknown as SocketCall)
  }
  ends.push(() => {
    viewer.terminate()
    screen.destroy()
    screens.close()
    viewers.close()
  })
  return { screen, stream, viewer, socket, over }
}

/** What comes, until there is as much. */
async function heard(screen: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let bytes = 0; bytes < length; ) {
    const [part] = (await once(screen, 'data')) as [Buffer]
    parts.push(part)
    bytes += part.length
  }
  return Buffer.concat(parts)
}

describe('a viewer and a screen', () => {
  it(
    'are as fast as the slower: whoever does not read takes no memory',
    async () => {
      const { screen, stream, viewer } = await joined()
      viewer.pause()
      const total = 64 * MIB
      screen.write(Buffer.alloc(total, 7))
      // Until nothing more is taken: what is there stands in the kernel's buffers, and in the one of this side.
      let seen = -1
      await expect
        .poll(
          () => {
            const stands = stream.bytesRead === seen && stream.isPaused()
            seen = stream.bytesRead
            return stands
          },
          { timeout: patience(10_000), interval: 200 },
        )
        .toBe(true)
      expect(stream.bytesRead).toBeLessThan(16 * MIB)
      let got = 0
      viewer.on('message', (data: Buffer) => {
        got += data.length
      })
      viewer.resume()
      await expect.poll(() => got, { timeout: patience(20_000) }).toBe(total)
    },
    patience(40_000),
  )

  it('passes on what is typed while it is awake, and leaves out what would be done later', async () => {
    let isAwake = false
    let uses = 0
    const used = (): void => {
      uses += 1
    }
    const { screen, viewer } = await joined({ isAwake: () => isAwake, used })
    viewer.send(Buffer.concat([HELLO, UPDATE, KEY, UPDATE]))
    expect(await heard(screen, HELLO.length + 2 * UPDATE.length)).toEqual(
      Buffer.concat([HELLO, UPDATE, UPDATE]),
    )
    expect(uses).toBe(1)
    isAwake = true
    viewer.send(KEY)
    expect(await heard(screen, KEY.length)).toEqual(KEY)
  })

  it('is told of the first that comes while it is paused, however soon behind another', async () => {
    let isAwake = true
    const told: boolean[] = []
    const used = (): void => void told.push(isAwake)
    const { screen, viewer } = await joined({ isAwake: () => isAwake, used })
    viewer.send(Buffer.concat([HELLO, KEY]))
    await heard(screen, HELLO.length + KEY.length)
    isAwake = false
    viewer.send(Buffer.concat([KEY, KEY, UPDATE]))
    await heard(screen, UPDATE.length)
    expect(told).toEqual([true, false])
  })

  it('passes nothing on of who only looks, and keeps nothing awake for them', async () => {
    let uses = 0
    const { screen, viewer } = await joined({
      viewOnly: true,
      used: () => {
        uses += 1
      },
    })
    viewer.send(Buffer.concat([HELLO, KEY, UPDATE]))
    expect(await heard(screen, HELLO.length + UPDATE.length)).toEqual(Buffer.concat([HELLO, UPDATE]))
    expect(uses).toBe(0)
  })

  it('is looked at alone by whose address says so, as its ticket does', async () => {
    const row = createVncRow()
    for (const [search, purpose, passed] of [
      ['view=1', 'vnc_view', [HELLO, UPDATE]],
      ['', 'vnc', [HELLO, KEY, UPDATE]],
      ['view=0', 'vnc', [HELLO, KEY, UPDATE]],
    ] as const) {
      expect(row.ticketFor(new URLSearchParams(search))).toBe(purpose)
      const { screen, viewer } = await joined({ search })
      const all = Buffer.concat(passed)
      viewer.send(Buffer.concat([HELLO, KEY, UPDATE]))
      expect(await heard(screen, all.length), search).toEqual(all)
    }
  })

  it('end with each other, and at once when it is over', async () => {
    const closes = async (viewer: WebSocket): Promise<number> =>
      ((await once(viewer, 'close')) as [number])[0]
    const unknown = await joined()
    unknown.viewer.send(Buffer.concat([HELLO, Buffer.from([7])]))
    expect(await closes(unknown.viewer)).toBe(1008)
    expect(unknown.stream.destroyed).toBe(true)

    const text = await joined()
    text.viewer.send('RFB 003.008\n')
    expect(await closes(text.viewer)).toBe(1003)

    const slept = await joined()
    slept.screen.end()
    expect(await closes(slept.viewer)).toBe(4503)

    const revoked = await joined()
    const gone = once(revoked.screen, 'close')
    revoked.screen.resume()
    revoked.over.abort()
    await gone
  })
})
