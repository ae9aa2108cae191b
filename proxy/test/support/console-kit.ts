import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { DaemonKit } from './daemon-kit.ts'

/** What the console answered. */
export interface ConsoleAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
  readonly body: any
}

interface Sent {
  readonly method?: string
  /** As JSON; text is sent as it is. */
  readonly body?: unknown
  /** Undefined: the header is left out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
}

/** A browser at the console, as far as HTTP goes: it keeps the cookie, and sends what Chromium does with a script's own calls. */
export interface Browser {
  cookie: string | undefined
  send(path: string, sent?: Sent): Promise<ConsoleAnswer>
  /** By a link of `oauth3 console`. */
  signIn(): Promise<ConsoleAnswer>
  /** The event stream, once its first event is there. */
  follow(headers?: Readonly<Record<string, string>>): Promise<FollowedStream>
}

interface FollowedStream {
  readonly status: number
  /** All that came so far. */
  text(): string
  /** Resolves to it once it fits. */
  until(pattern: RegExp): Promise<string>
  readonly ended: Promise<void>
  close(): void
}

export const portOf = (kit: Pick<DaemonKit, 'daemon'>): number => Number(new URL(kit.daemon.url).port)

export async function linkOf(kit: Pick<DaemonKit, 'admin'>): Promise<string> {
  return (await kit.admin('POST', '/v1/console/link')).body.url
}

export const codeOf = (link: string): string => new URL(link).hash.replace(/^#code=/, '')

export function createBrowser(kit: Pick<DaemonKit, 'daemon' | 'admin'>): Browser {
  const headersOf = (method: string, given: Sent['headers'] = {}): Record<string, string> => {
    const origin = `http://localhost:${portOf(kit)}`
    const all = {
      host: new URL(origin).host,
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'cors',
      'sec-fetch-dest': 'empty',
      ...(method === 'GET' ? {} : { origin }),
      ...(browser.cookie === undefined ? {} : { cookie: browser.cookie }),
      ...given,
    }
    return Object.fromEntries(
      Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined),
    )
  }
  const open = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const call = request(
        { ...{ host: '127.0.0.1', port: portOf(kit), method, path, headers, agent: false } },
        resolve,
      )
      call.once('error', reject)
      call.end(body)
    })

  const browser: Browser = {
    cookie: undefined,
    async send(path, { method = 'GET', body, headers } = {}) {
      const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
      const response = await open(
        method,
        path,
        headersOf(method, { ...(sent !== undefined && { 'content-type': 'application/json' }), ...headers }),
        sent as string | undefined,
      )
      const [set] = response.headers['set-cookie'] ?? []
      if (set !== undefined) browser.cookie = set.split(';')[0]?.endsWith('=') ? undefined : set.split(';')[0]
      const answer = await text(response)
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: answer,
        body: String(response.headers['content-type']).startsWith('application/json')
          ? JSON.parse(answer)
          : undefined,
      }
    },
    signIn: async () =>
      browser.send('/console/api/session/code', {
        method: 'POST',
        body: { code: codeOf(await linkOf(kit)) },
      }),
    async follow(headers) {
      const response = await open('GET', '/console/api/events', headersOf('GET', headers))
      let got = ''
      const waiting = new Set<() => void>()
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        got += piece
        for (const look of waiting) look()
      })
      const ended = new Promise<void>((resolve) => {
        response.once('close', resolve)
        response.once('error', () => resolve())
      })
      const until = (pattern: RegExp): Promise<string> =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if (!pattern.test(got)) return
            waiting.delete(look)
            resolve(got)
          }
          waiting.add(look)
          void ended.then(() => reject(new Error(`the stream ended before ${pattern}: ${got}`)))
          look()
        })
      if (response.statusCode === 200) await until(/\n\n/)
      return {
        status: response.statusCode ?? 0,
        text: () => got,
        until,
        ended,
        close: () => void response.destroy(),
      }
    },
  }
  return browser
}
