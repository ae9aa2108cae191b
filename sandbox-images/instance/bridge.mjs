// The sockets of a machine's folder, on an instance that stands elsewhere: each connection to one of them is a TLS connection to the
// daemon, whose key is pinned. The instance dials, always. Beside this file stand `boot.json`, as the daemon wrote it into the user
// data, and `secret`, which is made here, never leaves but to that key, and is what the daemon knows this instance by.
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, isIP } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import { join } from './sockets.mjs'

const SOCKETS = '/run/oauth3'
const METADATA = process.env.OAUTH3_METADATA ?? 'http://169.254.169.254'
const ANSWER_MS = 20_000
const KEEP_ALIVE_MS = 30_000
const MAX_ANSWER_CHARS = 65_536
const LONGEST_PAUSE_MS = 30_000
/** Of the service: it is not started again. */
const REFUSED = 3

const beside = (name) => new URL(name, import.meta.url)
const { url, pin, path, token } = JSON.parse(readFileSync(beside('boot.json'), 'utf8'))
const daemon = new URL(url)
const host = daemon.hostname.replace(/^\[|\]$/g, '')

function ownSecret() {
  try {
    return readFileSync(beside('secret'), 'utf8')
  } catch {
    const made = randomBytes(32).toString('base64url')
    writeFileSync(beside('secret.new'), made, { mode: 0o600 })
    renameSync(beside('secret.new'), beside('secret'))
    return made
  }
}
const secret = ownSecret()

/** Nothing is said before the other end has shown that it has the key. */
function dial() {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(daemon.port || 443),
      ...(isIP(host) ? {} : { servername: host }),
      minVersion: 'TLSv1.3',
      // No authority vouches for it; its key does, below.
      rejectUnauthorized: false,
      allowHalfOpen: true,
    })
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('the daemon does not answer')))
    socket.once('error', reject).once('secureConnect', () => {
      const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
      if (key === undefined || createHash('sha256').update(key).digest('hex') !== pin)
        return socket.destroy(new Error(`what answers at ${url} is not the daemon`))
      socket.off('error', reject).setTimeout(0)
      socket.setKeepAlive(true, KEEP_ALIVE_MS).setNoDelay(true)
      resolve(socket)
    })
  })
}

async function ask(method, target, headers) {
  const socket = await dial()
  return request({
    createConnection: () => socket,
    ...{ method, path: `${path}/${target}`, timeout: ANSWER_MS },
    headers: { host: daemon.host, ...headers },
  })
}

async function textOf(answer) {
  let text = ''
  for await (const part of answer.setEncoding('utf8')) {
    text += part
    if (text.length > MAX_ANSWER_CHARS) throw new Error('too long an answer')
  }
  return text
}

/** By the second version of the metadata service, which nobody reaches through this instance by an open proxy. */
async function instanceId() {
  const signal = AbortSignal.timeout(ANSWER_MS)
  const session = { method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' }, signal }
  const opened = await fetch(`${METADATA}/latest/api/token`, session)
  const headers = { 'x-aws-ec2-metadata-token': await opened.text() }
  const answer = await fetch(`${METADATA}/latest/meta-data/instance-id`, { headers, signal })
  if (!answer.ok) throw new Error('the metadata service does not say which instance this is')
  return await answer.text()
}

function refused(status) {
  console.error(`The daemon does not take this instance for the machine any more (${status}).`)
  process.exit(REFUSED)
}

/** The token counts once; who has claimed already says it again by its secret. */
async function claim() {
  const body = JSON.stringify({ token, secret, instance: await instanceId() })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const sent = await ask('POST', 'claim', { connection: 'close', ...headers })
  const answer = await new Promise((resolve, reject) => {
    sent.on('response', resolve).on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error('no answer in time'))).end(body)
  })
  const text = await textOf(answer)
  if (answer.statusCode === 401 || answer.statusCode === 403) refused(answer.statusCode)
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`)
  return JSON.parse(text)
}

async function untilClaimed() {
  for (let pauseMs = 1_000; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await claim()
    } catch (error) {
      console.error(`No identity yet: ${error.message}`)
    }
    await delay(pauseMs)
  }
}

async function serve(name, near) {
  near.on('error', () => {})
  try {
    const headers = { connection: 'upgrade', upgrade: 'oauth3-machine', authorization: `Bearer ${secret}` }
    const sent = await ask('GET', `streams/${name}`, headers)
    sent
      .on('upgrade', (_answer, far, head) => {
        if (head.length > 0) far.unshift(head)
        far.setTimeout(0)
        join(near, far)
      })
      .on('response', ({ statusCode }) => {
        if (statusCode === 401) refused(statusCode)
        sent.destroy(new Error('not now'))
      })
      .on('timeout', () => sent.destroy(new Error('no answer in time')))
      .on('error', () => near.destroy())
      .end()
  } catch {
    // Whoever dialled here dials again.
    near.destroy()
  }
}

const { sockets, ca } = await untilClaimed()
mkdirSync(SOCKETS, { recursive: true })
// Whatever the umask: the machine's user goes through it to a socket.
chmodSync(SOCKETS, 0o755)
writeFileSync(`${SOCKETS}/ca.pem`, ca)
chmodSync(`${SOCKETS}/ca.pem`, 0o644)
for (const name of sockets) {
  const at = `${SOCKETS}/${name}`
  rmSync(at, { force: true })
  await new Promise((resolve, reject) =>
    createServer({ allowHalfOpen: true }, (near) => void serve(name, near))
      .once('error', reject)
      .listen(at, resolve),
  )
  chmodSync(at, 0o666)
}
console.error(`This instance is ${path.split('/').at(-2)}.`)
