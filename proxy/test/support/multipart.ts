/** Reads a multipart/form-data body; enough for what a bot uploads. */
export interface MultipartPart {
  readonly name: string
  readonly fileName: string | undefined
  readonly bytes: Buffer
}

export function parseMultipart(body: Buffer, contentType: string): readonly MultipartPart[] {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1]
  if (!boundary) throw new Error('multipart without a boundary')
  const delimiter = Buffer.from(`--${boundary}`)
  const parts: MultipartPart[] = []
  let at = body.indexOf(delimiter)
  while (at >= 0) {
    const start = at + delimiter.length
    if (body.subarray(start, start + 2).toString() === '--') break
    const next = body.indexOf(Buffer.from(`\r\n--${boundary}`), start)
    if (next < 0) throw new Error('multipart without an end')
    const part = body.subarray(start + 2, next)
    const split = part.indexOf('\r\n\r\n')
    const header = part.subarray(0, split).toString('utf8')
    const name = /name="([^"]*)"/.exec(header)?.[1]
    if (name === undefined) throw new Error('a part without a name')
    parts.push({
      name,
      fileName: /filename="([^"]*)"/.exec(header)?.[1],
      bytes: Buffer.from(part.subarray(split + 4)),
    })
    at = body.indexOf(delimiter, next)
  }
  return parts
}
