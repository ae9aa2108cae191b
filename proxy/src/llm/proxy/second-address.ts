import { originOf } from '../../egress/index.ts'
import type { Provider } from '../providers/index.ts'
import type { LlmRequest } from './client.ts'
import { UPLOAD_PARAMETER, type UploadSession } from './upload-sessions.ts'

/**
 * Addresses of the vendor's in the head of its answer: a client that goes there itself has left the proxy, and takes its token to the
 * vendor. They become addresses of the daemon's.
 */
export interface SecondAddresses {
  readonly provider: Provider
  /** As the client called the daemon: scheme and authority; null where it did not say. */
  base(): string | null
  open(session: Pick<UploadSession, 'path'>): string
}

/** Google's uploads (ai.google.dev/api/files); `location` is theirs of old (`uploadType=resumable`), and of every redirect. */
const UPLOAD_HEADERS: ReadonlySet<string> = new Set(['x-goog-upload-url', 'x-goog-upload-control-url'])

const LENGTHS: ReadonlySet<number> = new Set([...UPLOAD_HEADERS, 'location'].map(({ length }) => length))

export function behindProxy(headers: string[], addresses: SecondAddresses): string[] {
  let changed: string[] | null = null
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const raw = headers[at] as string
    if (!LENGTHS.has(raw.length)) continue
    const name = raw.toLowerCase()
    const isUpload = UPLOAD_HEADERS.has(name)
    if (!isUpload && name !== 'location') continue
    const given = ours(headers[at + 1] as string, addresses)
    changed ??= [...headers]
    // One that leads elsewhere is never followed with a key; an upload that would go there is none of the proxy's.
    if (given !== null) changed[at + 1] = given
    else if (isUpload) changed[at + 1] = ''
  }
  return changed ?? headers
}

/** Null for an address of somebody else's. */
function ours(value: string, addresses: SecondAddresses): string | null {
  const { provider } = addresses
  const base = addresses.base()
  const origin = originOf(provider)
  const url = URL.canParse(value, origin) ? new URL(value, origin) : null
  if (url === null || base === null || url.origin !== new URL(origin).origin) return null
  const kept = url.search
    .slice(1)
    .split('&')
    // The vendor's key, or what the scrubber left of it.
    .filter((part) => part !== '' && !/^key(?:=|$)/i.test(part))
  if (kept.some((part) => part.startsWith('upload_id='))) {
    kept.push(`${UPLOAD_PARAMETER}=${addresses.open({ path: url.pathname })}`)
  }
  return `${base}/llm/${provider.name}${url.pathname}${kept.length === 0 ? '' : `?${kept.join('&')}`}`
}

/** A proxy in front of the daemon may have taken TLS off. */
export function baseOf({ headers }: LlmRequest): string | null {
  const { host = '' } = headers
  if (!/^[A-Za-z0-9._-]+(?::[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?$/.test(host)) return null
  return `${headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'}://${host}`
}
