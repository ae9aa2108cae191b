/** What a machine says of itself, for a person: without secrets, keys and tokens, and with nothing in it that a screen would not show. */
import { type SecretValue, visibleText, withoutTokens } from '../../kernel/index.ts'
import { createOutputCollector, type Scrubber, scrubText } from '../../scrub/index.ts'
import type { MachineLog } from './machine-log.ts'

const MAX_SHOWN_CHARS = 32_768

export async function createTextScrubber(secrets: ReadonlyMap<string, SecretValue>) {
  const collector = createOutputCollector(secrets)
  await collector.preparedFirst()
  const scrubber = collector.prepare()
  return {
    /** A whole one. */
    text: (text: string): string => cleaned(scrubber, text, false),
    /** One line, cut somewhere. */
    line: (text: string): string => cleaned(scrubber, text, true),
    /** The newest of a log, whole lines. */
    log({ parts, isCut }: MachineLog): { readonly text: string; readonly isCut: boolean } {
      // Each line of a secret of several is one by itself: what is left of one whose beginning was dropped is known too.
      const all = parts.map((part, at) => cleaned(scrubber, part, at < parts.length - 1)).join('')
      const shown = all.length <= MAX_SHOWN_CHARS ? 0 : lineBehind(all, all.length - MAX_SHOWN_CHARS)
      return { text: all.slice(shown), isCut: isCut || shown > 0 }
    },
  }
}

/** Where the first line begins that is whole behind a place. */
function lineBehind(text: string, at: number): number {
  const end = text.indexOf('\n', at - 1)
  return end < 0 ? text.length : end + 1
}

/** `isCut`: at its end, maybe in the middle of a secret. */
function cleaned(scrubber: Scrubber, text: string, isCut: boolean): string {
  return visibleText(withoutTokens(scrubText(scrubber, text, { truncated: isCut }), { isCut }))
}
