// The machine's connections to the daemon. It dials; a first line says what for:
//   {"oauth3":1,"role":"control",…}  lines of JSON both ways, one such connection at a time, dialled again whenever it breaks
//   {"oauth3":1,"role":"stream","stream":ID}  answers {"do":"open","stream":ID}; what follows are the bytes of a connection to the gateway
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { eachLine } from './lines.mjs'
import { join } from './sockets.mjs'

const SOCKET = '/run/oauth3/machine.sock'
const STREAM_ID = /^[\w-]{1,64}$/
const MAX_UNREAD_BYTES = 1_048_576
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 250

/** `onOpen`: there is a connection, and nothing was told on it yet. `onLine`: what the daemon says. */
export function openControl(hello, { onOpen, onLine }) {
  let connection

  const attempt = () =>
    new Promise((resolve) => {
      const socket = connect(SOCKET)
      let wasOpen = false
      socket.on('connect', () => {
        wasOpen = true
        socket.write(`${JSON.stringify({ oauth3: 1, role: 'control', ...hello })}\n`)
        connection = socket
        onOpen()
      })
      eachLine(socket, onLine)
      socket.on('end', () => socket.end())
      socket.on('error', () => {})
      socket.on('close', () => {
        connection = undefined
        resolve(wasOpen)
      })
    })

  const stay = async () => {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      if (await attempt()) pauseMs = FIRST_PAUSE_MS
      await delay(pauseMs)
    }
  }
  void stay()

  return {
    tell: (message) => void connection?.write(`${JSON.stringify(message)}\n`),
    /** What may be lost, rather than heaped up where nobody reads. */
    mention(message) {
      if (connection !== undefined && connection.writableLength < MAX_UNREAD_BYTES) this.tell(message)
    },
    /** Resolves when what was told has gone to the daemon, or cannot. */
    flushed: () =>
      new Promise((resolve) => (connection === undefined ? resolve() : connection.write('', resolve))),
  }
}

/** Joins a connection to the port to one of the daemon; `refused` when there is none to join. */
export function openStream(id, port, refused) {
  if (typeof id !== 'string' || !STREAM_ID.test(id)) throw new Error('a stream without a proper name')
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  near.once('error', refused).once('connect', () => {
    near.off('error', refused).setNoDelay(true)
    const far = connect({ path: SOCKET, allowHalfOpen: true })
    far.write(`${JSON.stringify({ oauth3: 1, role: 'stream', stream: id })}\n`)
    join(near, far)
  })
}
