/** A part of a multipart body: its name, and how its content begins. */
export interface Part {
  readonly name: string
  readonly begins: string
}

const MAX_PARTS = 10_000
const CONTENT_CHARS = 64
const BOUNDARY = /boundary\s*=\s*("?)([^";,\s]{1,70})\1/gi
const NAME = /(?:^|[;\s])name\s*=\s*(?:"([^"]*)"|([^;\s]*))/gi
/** Names that readers undo differently: quoted letters, RFC 8187. */
const ODD_NAME = /(?:^|[;\s])name(?:\*|\s*=\s*(?:"[^"]*\\|'))/i

/**
 * Every part that some reader could see, for whatever stands behind the boundary counts as the head of one. Null where readers
 * could see other parts than these.
 */
export function partsOf(contentType: string, body: Buffer): Part[] | null {
  const [boundary, ...others] = [...contentType.matchAll(BOUNDARY)]
  if (boundary === undefined || others.length > 0 || /boundary\*/i.test(contentType)) return null
  const text = body.toString('latin1')
  const mark = `--${boundary[2]}`
  const parts: Part[] = []
  let start = text.indexOf(mark)
  for (let marks = 0; start !== -1; marks += 1) {
    if (marks >= MAX_PARTS) return null
    const next = text.indexOf(mark, start + mark.length)
    const part = text.slice(start + mark.length, next === -1 ? text.length : next)
    const end = /\r?\n\r?\n/.exec(part)
    const head = part.slice(0, end?.index ?? part.length)
    if (ODD_NAME.test(head)) return null
    const begins = end === null ? '' : part.slice(end.index + end[0].length).slice(0, CONTENT_CHARS)
    for (const [, quoted, plain] of head.matchAll(NAME)) parts.push({ name: quoted ?? plain ?? '', begins })
    start = next
  }
  return parts
}
