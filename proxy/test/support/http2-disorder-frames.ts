import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type EgressEndpoint, GATEWAY_CA } from '../../src/egress/index.ts'
import { connectThrough } from './gateway-client.ts'
import {
  data,
  END_HEADERS,
  END_STREAM,
  type FrameHost,
  frame,
  goAway,
  HEADERS,
  INITIAL_WINDOW,
  ok,
  PING,
  PREFACE,
  reset,
  settings,
  startFrameHost,
  windowUpdate,
} from './http2-frames.ts'
import type { Seeded } from './seeded.ts'

/** Clients and hosts of HTTP/2 that say their frames in any order, resets without an error and room for what was reset among them. */
const STEPS = 14
const CODES = [0, 0, 1, 2, 5, 7, 8, 11]
const WINDOWS = [0, 1, 10, 20_000, 65_535, 1_000_000]

/** What either side may say of a stream at any time. */
function anyFrame(stream: number, random: Seeded): Buffer {
  switch (random.below(9)) {
    case 0:
    case 1:
      return data(stream, Buffer.alloc(random.pick([0, 1, 100, 16_000]), 'a'), random.below(2) * END_STREAM)
    case 2:
    case 3:
      return reset(stream, random.pick(CODES))
    case 4:
      return windowUpdate(random.pick([0, stream]), 1 + random.below(100_000))
    case 5:
      return settings({ [INITIAL_WINDOW]: random.pick(WINDOWS) })
    case 6:
      return frame(PING, 0, 0, Buffer.alloc(8))
    case 7:
      return random.chance(0.2)
        ? goAway(random.pick([0, stream, 2 ** 31 - 1]), random.pick(CODES))
        : windowUpdate(stream, 1)
    default:
      return frame(HEADERS, END_HEADERS | END_STREAM, stream, literal('x-trailer', 'last'))
  }
}

/** A field that is put in no table (RFC 7541, 6.2.2). */
const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0]), sized(name), sized(value)])
const sized = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])

/** A host that answers, or does not, and says something else in between. */
export function startFrameDisorder(name: string, random: Seeded): Promise<FrameHost> {
  const answers = (stream: number): Buffer =>
    random.pick([
      ok(stream),
      ok(stream, END_STREAM),
      Buffer.concat([ok(stream), data(stream, 'whole', END_STREAM)]),
      Buffer.concat([ok(stream), data(stream, 'half')]),
    ])
  return startFrameHost(
    name,
    ({ type, stream }, socket) => {
      if (type !== HEADERS) return
      let left = random.below(STEPS)
      const next = (): void => {
        if (socket.destroyed) return
        left -= 1
        if (left < 0) return void (random.chance(0.3) && socket.destroy())
        socket.write(random.chance(0.3) ? answers(stream) : anyFrame(stream, random))
        if (random.chance(0.5)) next()
        else setTimeout(next, random.below(3))
      }
      next()
    },
    { [INITIAL_WINDOW]: random.pick(WINDOWS) },
  )
}

/** Requests of code that says its own frames, until its connection is closed or it has said enough. */
export async function sayFrames(endpoint: EgressEndpoint, place: string, random: Seeded): Promise<void> {
  const socket: TLSSocket = connectTls({
    socket: await connectThrough(endpoint, place),
    servername: place.replace(/:\d+$/, ''),
    ca: readFileSync(join(endpoint.directory, GATEWAY_CA)),
    ALPNProtocols: ['h2'],
  })
  socket.on('error', () => {}).resume()
  socket.write(PREFACE)
  socket.write(settings({ [INITIAL_WINDOW]: random.pick(WINDOWS) }))
  let last = -1
  for (let step = 0; step < STEPS && !socket.destroyed; step += 1) {
    if (last < 0 || random.chance(0.3)) {
      last += 2
      socket.write(opening(last, place, random))
    } else socket.write(anyFrame(1 + 2 * random.below((last + 1) / 2), random))
    if (random.chance(0.5)) await new Promise((done) => setTimeout(done, random.below(3)))
  }
  // For answers to come, and to be held up by the windows.
  await new Promise((done) => setTimeout(done, random.below(20)))
  socket.destroy()
}

function opening(stream: number, place: string, random: Seeded): Buffer {
  const what = random.pick(['answer', 'early', 'break', 'refuse', 'stall'])
  const path = `/${what}?bytes=${random.pick([0, 10, 30_000, 400_000])}&code=8&trailers=${random.below(2)}`
  const fields = Buffer.concat([
    // `:method` GET or POST and `:scheme` https, by their places in the static table; `:path` and `:authority` by their names'.
    Buffer.from([random.pick([0x82, 0x83]), 0x87, 0x04]),
    sized(path),
    Buffer.from([0x01]),
    sized(place),
  ])
  return frame(HEADERS, END_HEADERS | (random.below(2) * END_STREAM), stream, fields)
}
