import type { Dispatcher } from 'undici'
import {
  createDialler,
  type Dialler,
  type DiallerOptions,
  DialRefused,
  TooManyLookups,
} from '../../egress/dial/index.ts'
import { AppError, hostPatternCovers, isIpLiteral, parseHostPattern } from '../../kernel/index.ts'
import {
  type FetchAs,
  type FetchedHop,
  type FetchedSkill,
  MAX_CODE_BYTES,
  parseSkillUrl,
  type SkillFetcher,
} from '../code/index.ts'

/**
 * Reads the text behind a skill_url, once. https on port 443 only; every hop's form and addresses are checked anew; at
 * most five redirects, 1 MiB and ten seconds in total. The text is the exact bytes as strict UTF-8, a byte order mark
 * included. Errors tell the agent nothing about the daemon's network that the link itself does not say.
 */
export interface SkillFetcherOptions extends DiallerOptions {
  /** Canonical patterns of the hosts that may be asked, redirects included; empty refuses every link. Left out: any host. */
  readonly hosts?: readonly string[]
  /** The port that is dialled in place of 443. */
  readonly port?: number
  readonly totalTimeoutMs?: number
}

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** `video/mp2t` is what servers that know `.ts` only as a film say of TypeScript. */
const JSON_TYPES = /^application\/(?:[\w.+-]+\+)?json$/
const TEXT_TYPES =
  /^(text\/(?!html)[\w.+-]+|application\/(x-)?(javascript|typescript|ecmascript|octet-stream)|video\/mp2t)$/

const SKILL_URL: FetchAs = { what: 'skill_url', hosts: [] }

/** An answer that is no code; the message completes "skill_url …". */
class Unreadable extends Error {}

/** What is known of a hop so far. */
interface Hop {
  status: number | null
  bytes: number
}

export function createSkillFetcher(options: SkillFetcherOptions = {}): SkillFetcher {
  const dialler = createDialler(options)
  const port = options.port ?? 443
  const totalTimeoutMs = options.totalTimeoutMs ?? 10_000
  const listed = options.hosts?.map((text) => {
    const pattern = parseHostPattern(text)
    if ('problem' in pattern) throw new TypeError(`not a host pattern: ${text}`)
    return pattern
  })

  const assertListed = (url: URL, what: string, as: FetchAs): void => {
    if (listed === undefined || as.hosts.includes(url.hostname)) return
    if (listed.length === 0)
      throw refusedUrl(`${as.what} is off at this daemon: OAUTH3_SKILL_URL_HOSTS says so.`)
    const target = { ...targetOf(url), scheme: 'https', wildcard: false } as const
    if (listed.some((pattern) => hostPatternCovers(pattern, target))) return
    throw refusedUrl(`${what} leads to ${url.host}, which OAUTH3_SKILL_URL_HOSTS does not list.`)
  }

  /** The next address in its checked form; one that may not be asked is told of, and thrown. */
  const mayAsk = (
    { text, base }: { readonly text: string; readonly base?: string },
    index: number,
    onHop: (hop: FetchedHop) => void,
    as: FetchAs,
  ): URL => {
    const what = index === 0 ? as.what : `The redirect of ${as.what.replace(/^The/, 'the')}`
    let checked: URL | undefined
    try {
      checked = checkedUrl(text, what, base)
      assertListed(checked, what, as)
      return checked
    } catch (error) {
      const url = checked ?? URL.parse(text, base) ?? undefined
      const target = url === undefined ? { host: '', port: 0 } : targetOf(url)
      const refused = checked === undefined ? 'bad_form' : 'host_not_listed'
      onHop({
        index,
        ...target,
        url: url?.href ?? '',
        status: null,
        bytes: 0,
        refused,
        problem: codeOf(error),
      })
      throw error
    }
  }

  /** What the agent is told. One answer for all: whether a name exists in a private network is not its to learn. */
  const told = (error: unknown, url: URL, deadline: AbortSignal, as: FetchAs): AppError => {
    if (error instanceof AppError) return error
    if (error instanceof Unreadable) return unreachable(error.message, as)
    if (error instanceof DialRefused && isIpLiteral(bareHost(url))) {
      return refusedUrl(`${as.what} leads to an address that may not be fetched.`)
    }
    if (error instanceof TooManyLookups) {
      return new AppError('rate_limited', 'Too many names are being looked up for this agent.', {
        retryAfterSeconds: 5,
        cause: error,
      })
    }
    if (deadline.aborted) return unreachable(`did not answer in full within ${totalTimeoutMs / 1_000} s`, as)
    const message = `${as.what} could not be read: no public https server answered.`
    return new AppError('skill_unreachable', message, { cause: error })
  }

  return {
    async fetch(link, signal, onHop = () => {}, as = SKILL_URL) {
      const deadline = AbortSignal.timeout(totalTimeoutMs)
      const both = AbortSignal.any([signal, deadline])
      let next: { readonly text: string; readonly base?: string } = { text: link }
      for (let index = 0; index <= MAX_REDIRECTS; index++) {
        const hop: Hop = { status: null, bytes: 0 }
        const url = mayAsk(next, index, onHop, as)
        const about = { index, ...targetOf(url), url: url.href }
        let answer: { readonly text: string } | { readonly location: string }
        try {
          answer = await readOnce(dialler, url, port, both, hop, as.json === true)
        } catch (caught) {
          const error = told(caught, url, deadline, as)
          const refused = caught instanceof DialRefused ? 'address_not_public' : null
          onHop({ ...about, ...hop, refused, problem: error.code })
          throw error
        }
        onHop({ ...about, ...hop, refused: null, problem: null })
        if ('text' in answer) return { text: answer.text, finalUrl: url.href } satisfies FetchedSkill
        next = { text: answer.location, base: url.href }
      }
      throw unreachable(`redirects more than ${MAX_REDIRECTS} times`, as)
    },
  }
}

/** As the link says it, whatever is dialled in its place; a link that is fetched names no port. */
const targetOf = (url: URL): { host: string; port: number } => ({
  host: bareHost(url).slice(0, 253),
  port: Number(url.port || 443),
})
const codeOf = (error: unknown): string => (error instanceof AppError ? error.code : 'internal')

function checkedUrl(text: string, what: string, base?: string): URL {
  const absolute = base === undefined ? text : (URL.parse(text, base)?.href ?? '')
  const parsed = parseSkillUrl(absolute)
  if (!parsed.ok) throw refusedUrl(`${what} ${parsed.problem}.`)
  return parsed.url
}

async function readOnce(
  dialler: Dialler,
  url: URL,
  port: number,
  signal: AbortSignal,
  hop: Hop,
  json: boolean,
): Promise<{ readonly text: string } | { readonly location: string }> {
  const { Client } = await import('undici')
  const client = new Client(url.origin, {
    connect: (_options, callback) => {
      dialler.dialTls({ host: bareHost(url), port }, signal).then(
        (socket) => callback(null, socket),
        (error: unknown) => callback(error instanceof Error ? error : new Error('dial failed'), null),
      )
    },
    headersTimeout: 5_000,
    bodyTimeout: 5_000,
    maxHeaderSize: 16_384,
  })
  try {
    const response = await client.request({
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: {
        accept: 'text/plain, text/*;q=0.9, */*;q=0.1',
        'accept-encoding': 'identity',
        'user-agent': 'oauth3',
      },
      signal,
    })
    hop.status = response.statusCode
    return await readAnswer(response, hop, json)
  } finally {
    await client.destroy()
  }
}

async function readAnswer(
  response: Dispatcher.ResponseData,
  hop: Hop,
  json: boolean,
): Promise<{ text: string } | { location: string }> {
  // The body of an answer that is not read is dropped with the connection.
  response.body.on('error', () => {})
  const { statusCode, headers } = response
  if (REDIRECTS.has(statusCode)) {
    const location = headers.location
    if (typeof location !== 'string') throw new Unreadable('redirects to nowhere')
    return { location }
  }
  if (statusCode !== 200) throw new Unreadable(`answered with status ${statusCode}`)
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw new Unreadable('answered with compressed content')
  assertText(headers['content-type'], json)
  return { text: decode(await readBody(response.body, hop)) }
}

function assertText(header: string | string[] | undefined, json: boolean): void {
  const type =
    String(header ?? 'text/plain')
      .split(';')[0]
      ?.trim()
      .toLowerCase() ?? ''
  if (type === 'text/html' || type === 'application/xhtml+xml') {
    throw new Unreadable('is a web page, not code; use the link to the raw text')
  }
  if (!TEXT_TYPES.test(type) && !(json && JSON_TYPES.test(type))) throw new Unreadable('is not text')
}

async function readBody(body: AsyncIterable<Uint8Array>, hop: Hop): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) {
    hop.bytes += chunk.byteLength
    if (hop.bytes > MAX_CODE_BYTES) throw new Unreadable(`is larger than ${MAX_CODE_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, hop.bytes)
}

function decode(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // Said below.
  }
  throw new Unreadable('is not UTF-8 text')
}

const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')
const unreachable = (reason: string, { what }: FetchAs): AppError =>
  new AppError('skill_unreachable', `${what} ${reason}.`)
const refusedUrl = (message: string): AppError => new AppError('skill_url_refused', message)
