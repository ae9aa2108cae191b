import type { BodyProblem, BodyScan } from './body-scan.ts'
import type { Splice } from './splice.ts'

/**
 * A streamed chat completion tells its tokens only when it was asked to. The wish is put in by bytes, so that
 * everything else goes out as the client wrote it, large numbers included.
 */

const WISH = '"include_usage":true'

/** Null when there is nothing to add: no stream, asked for already, or a body that should not be touched. */
export function usageWish(scan: BodyScan | BodyProblem): Splice | null {
  if ('problem' in scan || !scan.stream || scan.includeUsage) return null
  const { streamOptions, insideOptions, usageWishAt } = scan
  // `stream` stands behind it, so a comma must.
  if (streamOptions === null) return inserted(scan.objectStart + 1, `"stream_options":{${WISH}},`)
  if (insideOptions === null) return { ...streamOptions, text: `{${WISH}}` }
  if (usageWishAt !== null) return { ...usageWishAt, text: 'true' }
  return inserted(insideOptions.at, insideOptions.isEmpty ? WISH : `${WISH},`)
}

const inserted = (at: number, text: string): Splice => ({ start: at, end: at, text })
