import { Client, type Dispatcher } from 'undici'
import {
  type FetchedSkill,
  MAX_CODE_BYTES,
  parseSkillUrl,
  type SkillFetcher,
} from '../../domain/code/index.ts'
import { AppError, isIpLiteral } from '../../kernel/index.ts'
import {
  createDialler,
  type Dialler,
  type DiallerOptions,
  DialRefused,
  TooManyLookups,
} from '../dial/index.ts'

/**
 * Reads the text behind a skill_url, once. https on port 443 only; every hop's form and addresses are checked anew; at
 * most five redirects, 1 MiB and ten seconds in total. The text is the exact bytes as strict UTF-8, a byte order mark
 * included. Errors tell the agent nothing about the daemon's network that the link itself does not say.
 */
export interface SkillFetcherOptions extends DiallerOptions {
  /** The port that is dialled in place of 443. */
  readonly port?: number
  readonly totalTimeoutMs?: number
}

const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** `video/mp2t` is what servers that know `.ts` only as a film say of TypeScript. */
const TEXT_TYPES =
  /^(text\/(?!html)[\w.+-]+|application\/(x-)?(javascript|typescript|ecmascript|octet-stream)|video\/mp2t)$/

export function createSkillFetcher(options: SkillFetcherOptions = {}): SkillFetcher {
  const dialler = createDialler(options)
  const port = options.port ?? 443
  const totalTimeoutMs = options.totalTimeoutMs ?? 10_000

  return {
    async fetch(link, signal) {
      const deadline = AbortSignal.timeout(totalTimeoutMs)
      const both = AbortSignal.any([signal, deadline])
      let url = checkedUrl(link, 'skill_url')
      try {
        for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
          const answer = await readOnce(dialler, url, port, both)
          if ('text' in answer) return { text: answer.text, finalUrl: url.href } satisfies FetchedSkill
          url = checkedUrl(answer.location, 'The redirect of skill_url', url.href)
        }
        throw unreachable(`redirects more than ${MAX_REDIRECTS} times`)
      } catch (error) {
        if (error instanceof AppError) throw error
        if (error instanceof DialRefused && isIpLiteral(bareHost(url))) {
          throw refusedUrl('skill_url leads to an address that may not be fetched.')
        }
        if (error instanceof TooManyLookups) {
          throw new AppError('rate_limited', 'Too many names are being looked up for this agent.', {
            retryAfterSeconds: 5,
            cause: error,
          })
        }
        if (deadline.aborted) throw unreachable(`did not answer in full within ${totalTimeoutMs / 1_000} s`)
        // One answer for all: whether a name exists in a private network is not the agent's to learn.
        throw new AppError(
          'skill_unreachable',
          'skill_url could not be read: no public https server answered.',
          {
            cause: error,
          },
        )
      }
    },
  }
}

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
): Promise<{ readonly text: string } | { readonly location: string }> {
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
    return await readAnswer(response)
  } finally {
    await client.destroy()
  }
}

async function readAnswer(
  response: Dispatcher.ResponseData,
): Promise<{ text: string } | { location: string }> {
  // The body of an answer that is not read is dropped with the connection.
  response.body.on('error', () => {})
  const { statusCode, headers } = response
  if (REDIRECTS.has(statusCode)) {
    const location = headers.location
    if (typeof location !== 'string') throw unreachable('redirects to nowhere')
    return { location }
  }
  if (statusCode !== 200) throw unreachable(`answered with status ${statusCode}`)
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw unreachable('answered with compressed content')
  assertText(headers['content-type'])
  return { text: decode(await readBody(response.body)) }
}

function assertText(header: string | string[] | undefined): void {
  const type =
    String(header ?? 'text/plain')
      .split(';')[0]
      ?.trim()
      .toLowerCase() ?? ''
  if (type === 'text/html' || type === 'application/xhtml+xml') {
    throw unreachable('is a web page, not code; use the link to the raw text')
  }
  if (!TEXT_TYPES.test(type)) throw unreachable('is not text')
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > MAX_CODE_BYTES) throw unreachable(`is larger than ${MAX_CODE_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, bytes)
}

function decode(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // Said below.
  }
  throw unreachable('is not UTF-8 text')
}

const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')
const unreachable = (reason: string): AppError => new AppError('skill_unreachable', `skill_url ${reason}.`)
const refusedUrl = (message: string): AppError => new AppError('skill_url_refused', message)
