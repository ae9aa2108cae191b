// Lines as JSON has them: ended by a line feed and nothing else. The module readline also ends them at U+2028, U+2029 and a
// carriage return, the first two of which may stand in JSON as they are.

/** `onLine` gets each line without its end; what is left at the end of the stream is none. */
export function eachLine(stream, onLine) {
  let parts = []
  stream.on('data', (bytes) => {
    let from = 0
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, from)) {
      parts.push(bytes.subarray(from, at))
      const line = Buffer.concat(parts).toString('utf8')
      parts = []
      from = at + 1
      onLine(line)
    }
    if (from < bytes.length) parts.push(bytes.subarray(from))
  })
}
