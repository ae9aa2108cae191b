import type { Providers } from '../providers/index.ts'
import type { LlmRequest } from './client.ts'
import type { Addressing } from './entrance.ts'
import { type Reading, readRequest, type Unread } from './read-head.ts'
import { UPLOAD_PARAMETER, type UploadSessions } from './upload-sessions.ts'

interface Known {
  readonly reading: Reading
  /** Of the providers, which say what a path means. */
  readonly revision: number
}

export type HeadReading = (request: LlmRequest, options: { readonly websocket: boolean }) => Reading | Unread

/**
 * `readRequest` for one entrance. Of a request whose head is that of one before it on its connection, but for the length of the body,
 * the same is found: it is looked up, while providers stand as they did. An address that stands for an upload is read each time.
 */
export function createHeadReading(
  providers: Providers,
  uploads: Pick<UploadSessions, 'find'>,
  addressing: Addressing,
): HeadReading {
  const known = new WeakMap<object, Known>()
  return (request, options) => {
    const { like } = request
    if (like === undefined || options.websocket)
      return readRequest(request, providers, options, uploads, addressing)
    const before = known.get(like)
    if (before?.revision === providers.revision) return copyOf(before.reading, request.declaredBytes ?? 0)
    const { revision } = providers
    const reading = readRequest(request, providers, options, uploads, addressing)
    if (!('refusal' in reading) && request.url?.includes(UPLOAD_PARAMETER) !== true)
      known.set(like, { reading: copyOf(reading, request.declaredBytes ?? 0), revision })
    return reading
  }
}

/** Whoever sends the request on changes the list of its headers. */
function copyOf(reading: Reading, declaredBytes: number): Reading {
  const { head } = reading
  const bodyBytes = head.bodyBytes === null ? null : declaredBytes
  return { ...reading, head: { ...head, headers: head.headers.slice(), bodyBytes } }
}
