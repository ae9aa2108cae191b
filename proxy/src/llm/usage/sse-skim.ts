import { JsonSkim } from './json-skim.ts'

/** The JSON of one server-sent event of any length, read as it passes: of its lines those count that are data. */
export interface SseSkim {
  push(bytes: Buffer): void
  /** What the data told; undefined when it was no JSON object. */
  end(): unknown
}

const LF = 0x0a
const CR = 0x0d
const DATA = Buffer.from('data:')

export function createSseSkim(): SseSkim {
  let value: unknown
  const skim = new JsonSkim((told) => {
    value ??= told
  })
  /** Of the line that has begun: how much of `data:` it has so far; -1: it is another field. */
  let matched = 0

  return {
    push(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const byte = bytes[at] as number
        if (byte === LF || byte === CR) {
          matched = 0
          at += 1
        } else if (matched >= 0 && matched < DATA.length) {
          matched = byte === DATA[matched] ? matched + 1 : -1
          at += 1
        } else {
          const end = endOfLine(bytes, at)
          if (matched === DATA.length) skim.push(bytes.subarray(at, end))
          at = end
        }
      }
    },
    end() {
      skim.end()
      return value
    },
  }
}

function endOfLine(bytes: Buffer, from: number): number {
  const lf = bytes.indexOf(LF, from)
  const until = lf === -1 ? bytes.length : lf
  const cr = bytes.subarray(from, until).indexOf(CR)
  return cr === -1 ? until : from + cr
}
