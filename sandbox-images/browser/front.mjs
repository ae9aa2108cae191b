// What the daemon speaks to over its streams: HTTP on a port of loopback, which pages cannot reach, since Chromium asks the gateway for
// loopback too.
//
//   GET /version                      what Chromium says of itself
//   GET /sessions/ID/list             its targets
//   PUT /sessions/ID/new?URL          a page; begins the session
//   GET /sessions/ID/browser          WebSocket; begins the session
//   GET /sessions/ID/page/TARGET      WebSocket
//   GET /screen                       where there is one: behind an upgrade to `rfb` the bytes of its VNC server
import { createServer, request } from 'node:http'
import { connect } from 'node:net'

export const FRONT_PORT = 9_221
const PATH = /^\/sessions\/([\w-]{1,64})\/(?:(list|new|browser)|page\/([\w-]{1,64}))(?:\?(.*))?$/
const MAX_ANSWER_BYTES = 4 * 1_048_576
const HANDED_ON = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions']

/** `screen`: the path of the socket of a VNC server, or null. */
export function openFront(sessions, version, screen) {
  const server = createServer((incoming, response) => {
    const say = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
      response.end(body)
    }
    answer(incoming, sessions, version).then(
      (body) => (body === undefined ? say(404, '{}') : say(200, body)),
      (error) => say(503, JSON.stringify({ error: error.message })),
    )
  })
  server.on('upgrade', (incoming, socket, head) => {
    socket.on('error', () => {})
    if (incoming.url === '/screen' && screen !== null) return joinScreen(socket, head, screen)
    joinSession(incoming, socket, head, sessions).catch(() =>
      socket.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n'),
    )
  })
  return new Promise((resolve, reject) =>
    server.once('error', reject).listen(FRONT_PORT, '127.0.0.1', () => resolve(server)),
  )
}

async function answer({ method, url }, sessions, version) {
  if (method === 'GET' && url === '/version') return JSON.stringify(version)
  const [, id, what, , query] = PATH.exec(url) ?? []
  if (method === 'GET' && what === 'list')
    return sessions.has(id) ? await ask('GET', '/json/list', await sessions.start(id)) : '[]'
  if (method === 'PUT' && what === 'new')
    return await ask('PUT', `/json/new${query ? `?${query}` : ''}`, await sessions.start(id))
  return undefined
}

/** One of Chromium's own answers, as text. */
export function ask(method, path, { port }) {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, method, path, agent: false }, (answered) => {
      let text = ''
      answered.setEncoding('utf8').on('data', (part) => {
        text += part
        if (text.length > MAX_ANSWER_BYTES) answered.destroy(new Error('too long an answer'))
      })
      answered.on('error', reject).on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })
}

function joinScreen(near, head, path) {
  const far = connect({ path })
  far.once('connect', () => {
    near.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: rfb\r\n\r\n')
    if (head.length > 0) far.write(head)
    carry(near, far)
  })
  far.on('error', () => near.destroy())
}

/** Either end ends the other. */
function carry(near, far) {
  for (const socket of [near, far]) if (socket.setNoDelay) socket.setNoDelay(true)
  far.on('error', () => near.destroy()).on('close', () => near.destroy())
  near.on('close', () => far.destroy())
  near.pipe(far)
  far.pipe(near)
}

/** Byte by byte from the handshake on. Without an Origin: what came with one was judged by the daemon, and Chromium refuses all. */
async function joinSession({ url, headers }, near, head, sessions) {
  const [, id, what, target] = PATH.exec(url) ?? []
  if (id === undefined || (what !== 'browser' && target === undefined)) throw new Error('no such path')
  if (target !== undefined && !sessions.has(id)) throw new Error('no such session')
  near.pause()
  const { browser, release } = await sessions.use(id, () => near.destroy())
  near.once('close', release)
  if (near.destroyed) return release()
  const far = connect(browser.port, '127.0.0.1')
  const path = target === undefined ? browser.path : `/devtools/page/${target}`
  const handed = HANDED_ON.flatMap((name) => (headers[name] ? [`${name}: ${headers[name]}`] : []))
  far.write(
    [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${browser.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      ...handed,
      '\r\n',
    ].join('\r\n'),
  )
  if (head.length > 0) far.write(head)
  carry(near, far)
}
