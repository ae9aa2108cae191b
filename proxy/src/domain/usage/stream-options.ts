import type { BodyProblem, BodyScan, ByteRange } from './body-scan.ts'
import { keyOf, visitMembers } from './json-members.ts'
import type { Splice } from './splice.ts'

/**
 * A streamed chat completion tells its tokens only when it was asked to. The wish is put in by bytes, so that
 * everything else goes out as the client wrote it, large numbers included.
 */

const WISH = '"include_usage":true'

/** Null when there is nothing to add: no stream, asked for already, or a body that should not be touched. */
export function usageWish(body: Buffer, scan: BodyScan | BodyProblem): Splice | null {
  if ('problem' in scan || !scan.stream || scan.includeUsage) return null
  const at = scan.streamOptions
  if (at === null) {
    // `stream` stands behind it, so a comma must.
    return inserted(scan.objectStart + 1, `"stream_options":{${WISH}},`)
  }
  const options = body.subarray(at.start, at.end)
  if (options.toString('latin1', 0, 4) === 'null') return { ...at, text: `{${WISH}}` }
  const found: ByteRange[] = []
  let members = 0
  let unreadable = false
  const open = visitMembers(options, (member) => {
    members += 1
    const key = keyOf(options, member)
    if (key === null) unreadable = true
    if (key === 'include_usage') found.push(member)
  })
  if (open === -1 || unreadable || found.length > 1) return null
  const value = found[0]
  if (value !== undefined) return { start: at.start + value.start, end: at.start + value.end, text: 'true' }
  return inserted(at.start + open + 1, members === 0 ? WISH : `${WISH},`)
}

const inserted = (at: number, text: string): Splice => ({ start: at, end: at, text })
