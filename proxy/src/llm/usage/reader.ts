import { createEventStreamReader } from './event-stream-reader.ts'
import { createJsonReader } from './json-reader.ts'
import { createLineReader } from './line-reader.ts'
import type { UsageReader } from './ports.ts'
import { createSseReader } from './sse-reader.ts'

/** Of a body that is kept until its end. */
const MAX_BODY_BYTES = 1_048_576
/** Of one event, line or frame of a stream. */
const MAX_EVENT_BYTES = 262_144

/**
 * Reads the tokens out of an answer while it passes, in the way of its content type; null where there is nothing to
 * read. The bytes must be as the vendor wrote them: not compressed. However they are cut into chunks, the same bytes
 * come out and the same tokens are read.
 */
export function createUsageReader(options: {
  /** The header as it came; null when there is none. */
  readonly contentType: string | null
  /** The proxy put `stream_options.include_usage` into the request, so the answer to that is left out. */
  readonly dropUsageChunk: boolean
  /** A longer body, event, line or frame goes through unread, or with its end alone looked at. */
  readonly maxBytes?: number
}): UsageReader | null {
  const { contentType, dropUsageChunk, maxBytes } = options
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const maxEventBytes = maxBytes ?? MAX_EVENT_BYTES
  switch (type) {
    case 'text/event-stream':
      return createSseReader({ dropUsageChunk, maxEventBytes })
    case 'application/x-ndjson':
    case 'application/ndjson':
    case 'application/jsonl':
    case 'application/x-jsonlines':
    case 'application/stream+json':
      return createLineReader(maxEventBytes)
    case 'application/vnd.amazon.eventstream':
      return createEventStreamReader(maxEventBytes)
    default:
      return type === 'application/json' || type.endsWith('+json')
        ? createJsonReader(maxBytes ?? MAX_BODY_BYTES)
        : null
  }
}
