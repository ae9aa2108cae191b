import type { IncomingMessage } from 'node:http'
import { plainAddress } from '../../kernel/index.ts'
import { forwardedFor } from '../index.ts'

/** Where a request came in, by its Host (DNS rebinding: a page of another name has another origin, whatever address that name has). */
export type Place =
  | {
      readonly kind: 'console'
      /** As browsers write it. */
      readonly origin: string
      readonly isSecure: boolean
      /** Of the browser, as far as a trusted proxy tells it. */
      readonly address: string
    }
  /** The console by a name at which passkeys and cookies do not work. */
  | { readonly kind: 'elsewhere'; readonly origin: string }
  | { readonly kind: 'refused'; readonly why: string }

export interface OriginsDeps {
  /** The one that the daemon listens on. */
  readonly port: () => number
  /** The console's address from outside; null: there is none. */
  readonly publicUrl: string | null
  readonly isTrustedProxy: (address: string) => boolean
}

export interface Origins {
  /** For links. */
  main(): string
  placeOf(request: IncomingMessage): Place
}

export function createOrigins({ port, publicUrl, isTrustedProxy }: OriginsDeps): Origins {
  const outside = publicUrl === null ? undefined : new URL(publicUrl)
  const local = (): URL => new URL(`http://localhost:${port()}`)

  return {
    main: (): string => (outside ?? local()).origin,

    placeOf(request: IncomingMessage): Place {
      const host = onlyValue(request, 'host')?.toLowerCase()
      const peer = plainAddress(request.socket.remoteAddress)
      const proxy = isTrustedProxy(peer)
      if (host === undefined) return refused('The request names no Host, or several.')
      if (host === outside?.host) {
        const { origin } = outside
        if (outside.protocol === 'http:') return { kind: 'console', origin, isSecure: false, address: peer }
        if (!proxy)
          return refused(
            'This name is served through its proxy alone; OAUTH3_TRUSTED_PROXIES names the proxy.',
          )
        const proto = onlyValue(request, 'x-forwarded-proto')?.trim().toLowerCase()
        if (proto !== 'https') return { kind: 'elsewhere', origin }
        return {
          kind: 'console',
          origin,
          isSecure: true,
          address: forwardedFor(request, peer, isTrustedProxy),
        }
      }
      // What a proxy brings in under this machine's own name would have the wrong origin, and a cookie without TLS.
      if (proxy && 'x-forwarded-for' in request.headers)
        return refused(
          'The proxy has to pass on the Host that the browser sent, which OAUTH3_PUBLIC_URL names.',
        )
      const { origin, host: own } = local()
      if (host === own) return { kind: 'console', origin, isSecure: false, address: peer }
      const suffix = own.slice('localhost'.length)
      if (host === `127.0.0.1${suffix}` || host === `[::1]${suffix}`) return { kind: 'elsewhere', origin }
      return refused(
        `The console is not served under this name; open ${(outside ?? local()).origin}/console/.`,
      )
    },
  }
}

const refused = (why: string): Place => ({ kind: 'refused', why })

/** Undefined where it is not there once. */
function onlyValue({ rawHeaders }: IncomingMessage, name: string): string | undefined {
  const found: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() === name) found.push(rawHeaders[at + 1] ?? '')
  return found.length === 1 ? found[0] : undefined
}
