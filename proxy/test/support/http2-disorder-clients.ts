import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { type EgressEndpoint, GATEWAY_CA } from '../../src/egress/index.ts'
import { connectThrough, tlsThrough } from './gateway-client.ts'
import type { Seeded } from './seeded.ts'

const WISHES = [
  'answer',
  'answer',
  'early',
  'early',
  'informed',
  'refuse',
  'break',
  'break-session',
  'cut',
  'leave',
  'leave-at-once',
  'narrow',
  'stall',
]
/** What breaks off its answer; of the others it may come whole. */
const BREAKS = new Set(['break', 'break-session', 'cut'])
const ACTS = [
  'wait',
  'wait',
  'slow',
  'reset now',
  'reset later',
  'reset at answer',
  'reset at data',
  'unended',
]
const GIVE_UP_MS = 25

interface Plan {
  readonly place: string
  readonly path: string
  readonly what: string
  readonly method: string
  readonly act: string
  readonly body: readonly number[]
  readonly hasLength: boolean
  readonly expects: boolean
  readonly delayMs: number
  readonly resetCode: number
}

function planOf(places: readonly string[], random: Seeded): Plan {
  const what = random.pick(WISHES)
  const method = random.pick(['POST', 'POST', 'POST', 'GET', 'HEAD'])
  const query = new URLSearchParams({
    bytes: String(random.pick([0, 1, 10, 30_000, 100_000, 400_000])),
    code: String(random.pick([1, 2, 7, 8, 11])),
    after: String(random.below(4)),
    trailers: String(random.below(2)),
  })
  const pieces = method === 'POST' ? random.below(5) : 0
  return {
    place: random.pick(places),
    path: `/${what}?${query}`,
    what,
    method,
    act: random.pick(ACTS),
    body: Array.from({ length: pieces }, () => random.pick([1, 100, 16_384, 70_000, 200_000])),
    hasLength: random.chance(0.5),
    expects: random.chance(0.2),
    delayMs: random.below(4),
    resetCode: random.pick([0, 2, 7, 8]),
  }
}

/** Several at once, some on one connection; gives what was not as it should be. */
export async function breakOff(
  endpoint: EgressEndpoint,
  places: readonly string[],
  random: Seeded,
): Promise<readonly string[]> {
  const sessions = new Map<string, ClientHttp2Session>()
  const plans = Array.from({ length: 3 + random.below(6) }, () => planOf(places, random))
  for (const place of places) sessions.set(place, await openSession(endpoint, place, random))
  const killed = random.chance(0.25) ? random.pick(places) : undefined
  const killedAfterMs = random.below(10)
  const outcomes = plans.map(async (plan) => {
    const session = sessions.get(plan.place)
    const problem =
      random.chance(0.75) && session !== undefined
        ? await askTwo(session, plan)
        : await askOne(endpoint, plan)
    return problem === null ? [] : [`${places.indexOf(plan.place)} ${JSON.stringify(plan)}: ${problem}`]
  })
  if (killed !== undefined) setTimeout(() => sessions.get(killed)?.destroy(), killedAfterMs)
  const problems = (await Promise.all(outcomes)).flat()
  for (const session of sessions.values()) session.destroy()
  return problems
}

async function openSession(
  endpoint: EgressEndpoint,
  place: string,
  random: Seeded,
): Promise<ClientHttp2Session> {
  const socket = connectTls({
    socket: await connectThrough(endpoint, place),
    servername: place.replace(/:\d+$/, ''),
    ca: readFileSync(join(endpoint.directory, GATEWAY_CA)),
    ALPNProtocols: ['h2'],
  })
  socket.on('error', () => {})
  const settings = random.chance(0.3) ? { initialWindowSize: 20_000 } : {}
  const session = connect(`https://${place}`, { createConnection: () => socket, settings })
  session.on('error', () => {})
  await new Promise((done) => session.once('remoteSettings', done).once('close', done))
  return session
}

/** Why an answer that ended as whole ones do was none; null where it was, or did not end so. */
function notWhole(plan: Plan, headers: IncomingHttpHeaders, bytes: number, trailers: unknown): string | null {
  if (headers['x-oauth3-refused'] !== undefined) return null
  if (headers['x-whole'] === undefined) return `no answer of the host's`
  if (plan.method === 'HEAD') return null
  if (BREAKS.has(plan.what) && Number(headers['x-whole']) > 0)
    return 'an answer that was broken off looks whole'
  if (bytes !== Number(headers['x-whole'])) return `${bytes} bytes of ${headers['x-whole']}`
  return plan.path.endsWith('trailers=1') && trailers === undefined ? 'no trailers' : null
}

function askTwo(session: ClientHttp2Session, plan: Plan): Promise<string | null> {
  if (session.destroyed || session.closed) return Promise.resolve(null)
  const length = plan.body.reduce((sum, size) => sum + size, 0)
  const stream = session.request(
    {
      ':method': plan.method,
      ':path': plan.path,
      ...(plan.hasLength && plan.body.length > 0 ? { 'content-length': length } : {}),
      ...(plan.expects && plan.body.length > 0 ? { expect: '100-continue' } : {}),
    },
    { endStream: plan.body.length === 0 },
  )
  // Node's own client is not to be reset without an error while it still sends what was ended.
  const reset = (): void => stream.close(stream.writableEnded ? plan.resetCode || 8 : plan.resetCode)
  return new Promise((settle) => {
    let headers: IncomingHttpHeaders = {}
    let trailers: unknown
    let bytes = 0
    let isEnded = false
    let isFailed = false
    let isReset = false
    const end = (): void => {
      clearTimeout(giveUp)
      isReset = true
      reset()
      settle(null)
    }
    const giveUp = setTimeout(end, plan.act === 'wait' || plan.act === 'slow' ? 20 * GIVE_UP_MS : GIVE_UP_MS)
    stream.on('error', () => {
      isFailed = true
    })
    stream.on('response', (came) => {
      headers = came
      if (plan.act === 'reset at answer') end()
    })
    stream.on('trailers', (came) => {
      trailers = came
    })
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (plan.act === 'reset at data') end()
      if (plan.act !== 'slow') return
      stream.pause()
      setTimeout(() => stream.resume(), plan.delayMs)
    })
    stream.on('end', () => {
      isEnded = true
    })
    stream.once('close', () => {
      clearTimeout(giveUp)
      // Its session was ended in this process: nothing was told by the gateway.
      if (session.destroyed) return settle(null)
      const isWhole = isEnded && !isFailed && !isReset && stream.rstCode === 0 && !stream.aborted
      settle(isWhole ? notWhole(plan, headers, bytes, trailers) : null)
    })
    sendPieces(stream, plan)
    if (plan.act === 'reset now') end()
    if (plan.act === 'reset later') setTimeout(end, plan.delayMs)
  })
}

function sendPieces(stream: ClientHttp2Stream, { body, act, delayMs }: Plan): void {
  if (body.length === 0) return
  const [first = 0, ...rest] = body
  stream.write(Buffer.alloc(first, 'a'))
  const finish = (): void => {
    if (stream.closed || stream.destroyed) return
    for (const size of rest) stream.write(Buffer.alloc(size, 'a'))
    if (act !== 'unended') stream.end()
  }
  if (delayMs === 0) finish()
  else setTimeout(finish, delayMs)
}

async function askOne(endpoint: EgressEndpoint, plan: Plan): Promise<string | null> {
  const socket = await tlsThrough(endpoint, plan.place)
  const length = plan.body.reduce((sum, size) => sum + size, 0)
  return await new Promise((settle) => {
    const request = httpRequest({
      createConnection: () => socket,
      method: plan.method,
      path: plan.path,
      headers: {
        host: plan.place,
        te: 'trailers',
        ...(plan.hasLength && plan.body.length > 0 ? { 'content-length': length } : {}),
      },
      setHost: false,
    })
    let isReset = false
    const end = (): void => {
      isReset = true
      request.destroy()
      settle(null)
    }
    const giveUp = setTimeout(end, plan.act === 'wait' || plan.act === 'slow' ? 20 * GIVE_UP_MS : GIVE_UP_MS)
    request.on('error', () => {})
    request.once('close', () => {
      clearTimeout(giveUp)
      settle(null)
    })
    request.once('response', (answer) => {
      if (plan.act === 'reset at answer') return end()
      let bytes = 0
      answer.on('error', () => {})
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (plan.act === 'reset at data') return end()
        if (plan.act !== 'slow') return
        answer.pause()
        setTimeout(() => answer.resume(), plan.delayMs)
      })
      answer.once('end', () => {
        if (!answer.complete || isReset) return
        // Not every host was asked in a way that leaves trailers in HTTP/1.1.
        settle(notWhole(plan, answer.headers, bytes, null))
        request.destroy()
      })
    })
    for (const size of plan.body) request.write(Buffer.alloc(size, 'a'))
    if (plan.act !== 'unended') request.end()
    if (plan.act === 'reset now') end()
    if (plan.act === 'reset later') setTimeout(end, plan.delayMs)
  })
}
