/** The one credential that a machine has: whoever reads what its agent says is not to have its gateway. */
import { createScrubber, type ScrubStream, scrubText } from '../../scrub/index.ts'

/** Takes it out of whole texts. */
export function cleanerOf(gatewayToken: string): (text: string) => string {
  const scrubber = scrubberOf(gatewayToken)
  return (text) => (scrubber.isClean(Buffer.from(text)) ? text : scrubText(scrubber, text))
}

/** Takes it out of a text that comes in pieces: holds back what may be a beginning of it. */
export function pieceCleanerOf(gatewayToken: string) {
  const stream: ScrubStream = scrubberOf(gatewayToken).stream()
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  /** Of a character that a piece was cut in. */
  let half = ''
  return {
    push(piece: string): string {
      const text = half + piece
      half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? ''
      const whole = text.slice(0, text.length - half.length)
      return decoder.decode(stream.push(Buffer.from(whole)), { stream: true })
    },
    end: (): string =>
      decoder.decode(stream.push(Buffer.from(half)), { stream: true }) + decoder.decode(stream.end()),
  }
}

const scrubberOf = (gatewayToken: string) => createScrubber(new Map([['gateway token', gatewayToken]]))
