// The way out of a sandbox whose only network is loopback: a port for clients that take a proxy, and for all others a
// resolver and listeners that look like the hosts themselves. Shared by the runners that are JavaScript.
//
// Nothing is decided here. Whatever comes to 127.0.0.1:3128 goes to the gateway's socket byte by byte. Every other connection
// goes there behind a CONNECT to the very address and port that were dialled, 127.0.0.1:53 among them: that is the gateway's
// resolver, whose answers give each approved name an address of loopback, so the gateway knows which name was meant. Queries
// that come as datagrams take the same way, each with its length in front (RFC 7766, section 8).
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'
import { clearInterval, setInterval } from 'node:timers'

export const GATEWAY = '/run/oauth3/gateway.sock'
const LOOPBACK = '127.0.0.1'
const RELAY_PORT = 3128
const RESOLVER_PORT = 53
/** Listened on in any case, so that a port that was not approved is refused with a reason where it is one of these. */
const USUAL_PORTS = [80, 443]
const MAX_QUERY_BYTES = 4_096
/** Queries that wait for their answers. What comes meanwhile is dropped, as datagrams are. */
const MAX_WAITING = 256
const MAX_HEAD_BYTES = 1_024
const BACKLOG = 511
const LISTEN_AGAIN_MS = 1_000
const ALL_RIGHT = 'HTTP/1.1 200 '

const open = new Set()

/** No connection is kept from before the run, so that it begins with its own. */
export function dropConnections() {
  for (const socket of open) socket.destroy()
}

/** For clients that take a proxy. */
export const openRelay = () => listen(RELAY_PORT)

/** For clients that dial by themselves. Of a port that cannot be listened on, connections are refused. */
export const openListeners = () =>
  Promise.all([listen(RESOLVER_PORT), openResolver(), ...USUAL_PORTS.map(listen)])

/** The ports of the approved hosts; known with the run. */
export const openPorts = (ports) => Promise.all(ports.filter((port) => !servers.has(port)).map(listen))

/** By their ports. */
const servers = new Map()

/** On every address of loopback: which of them was dialled is what tells the name. */
function listen(port) {
  const server = createServer({ allowHalfOpen: true }, accept)
  servers.set(port, server)
  server.unref()
  // Stays for good: code that opens more than it may is refused connections, and goes on.
  return new Promise((resolve) =>
    server.on('error', resolve).listen({ port, host: '0.0.0.0', backlog: BACKLOG }, resolve),
  )
}

let listeningAgain

/**
 * Deno (2.9) ceases to accept, without an error, once there was no file descriptor left for a connection: told to listen
 * again, it goes on. It costs a system call each, and only while the code runs. Called anew, it begins anew.
 */
export function keepListening() {
  const again = () => {
    for (const { _handle } of servers.values()) _handle?.listen(BACKLOG)
  }
  clearInterval(listeningAgain)
  listeningAgain = setInterval(again, LISTEN_AGAIN_MS).unref()
}

function accept(near) {
  const { localAddress, localPort } = near
  const far = connect({ path: GATEWAY, allowHalfOpen: true })
  near.setNoDelay(true)
  if (localAddress === LOOPBACK && localPort === RELAY_PORT) join(far, near)
  else
    openTunnel(
      far,
      `${localAddress}:${localPort}`,
      () => join(far, near),
      () => near.destroy(),
    )
  join(near, far)
}

// Neither the listeners, nor a connection that nobody reads from any more, keeps the process from its end.
function join(from, to) {
  keep(from)
  from
    .on('error', () => to.destroy())
    .on('close', () => {
      // A half that ended in good order leaves the other its time.
      if (!from.readableEnded || !from.writableFinished) to.destroy()
    })
    .pipe(to)
}

function keep(socket) {
  if (open.has(socket)) return
  open.add(socket)
  socket.on('close', () => open.delete(socket)).unref()
}

/** Asks for a tunnel and takes its answer off. What is to go through it may be written at once. */
function openTunnel(far, authority, opened, refused) {
  let head = Buffer.alloc(0)
  const read = (bytes) => {
    head = Buffer.concat([head, bytes])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0 && head.length < MAX_HEAD_BYTES) return
    far.off('data', read).off('error', refused).off('close', refused).pause()
    if (end < 0 || !head.toString('latin1', 0, end).startsWith(ALL_RIGHT)) {
      far.on('error', () => {}).destroy()
      return refused()
    }
    if (end + 4 < head.length) far.unshift(head.subarray(end + 4))
    opened()
  }
  keep(far)
  far.on('data', read).on('error', refused).on('close', refused)
  far.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
}

/** Whose question it was, by the number that it has on its way. */
const waiting = new Map()
let lastId = 0
let tunnel
let answers = Buffer.alloc(0)

function openResolver() {
  const udp = createSocket('udp4')
  udp.unref()
  udp.on('message', (query, { address, port }) => {
    if (query.length < 12 || query.length > MAX_QUERY_BYTES || waiting.size >= MAX_WAITING) return
    do lastId = (lastId + 1) & 0xffff
    while (waiting.has(lastId))
    waiting.set(lastId, { query, address, port })
    const framed = Buffer.alloc(2 + query.length)
    framed.writeUInt16BE(query.length, 0)
    query.copy(framed, 2)
    framed.writeUInt16BE(lastId, 2)
    tunnel ??= openResolverTunnel(udp)
    tunnel.write(framed)
  })
  return new Promise((resolve) => udp.on('error', resolve).bind(RESOLVER_PORT, LOOPBACK, resolve))
}

function openResolverTunnel(udp) {
  const far = connect({ path: GATEWAY })
  const over = () => {
    if (tunnel !== far) return
    tunnel = undefined
    answers = Buffer.alloc(0)
    // Nobody waits for an answer that cannot come: a response that the server failed (RFC 1035, section 4.1.1).
    for (const { query, address, port } of waiting.values()) {
      query[2] |= 0x80
      query[3] = 0x82
      udp.send(query, port, address)
    }
    waiting.clear()
  }
  const opened = () => {
    far.on('error', over).on('close', over)
    far.on('data', (bytes) => {
      answers = Buffer.concat([answers, bytes])
      while (answers.length >= 2 && answers.length >= 2 + answers.readUInt16BE(0)) {
        const answer = answers.subarray(2, 2 + answers.readUInt16BE(0))
        answers = answers.subarray(2 + answer.length)
        const asked = waiting.get(answer.readUInt16BE(0))
        if (asked === undefined) continue
        waiting.delete(answer.readUInt16BE(0))
        asked.query.copy(answer, 0, 0, 2)
        udp.send(answer, asked.port, asked.address)
      }
    })
    far.resume()
  }
  openTunnel(far, `${LOOPBACK}:${RESOLVER_PORT}`, opened, over)
  return far
}
