import { type ConsentHash, canonicalJson, isNestedWithin, sha256Hex } from '../../kernel/index.ts'
import type { ToolCall } from './ports.ts'

/** More than that nobody reads on a card. */
const MAX_INPUT_BYTES = 32_768
/** Nesting; what is deeper is no call of a tool, and would exhaust the stack of whoever walks it. */
const MAX_DEPTH = 32

/** Canonical JSON of a call's arguments; the problem completes a sentence that begins with `The arguments`. */
export function readInput(input: Readonly<Record<string, unknown>>): string | { readonly problem: string } {
  if (!isNestedWithin(input, MAX_DEPTH)) return { problem: `are nested more than ${MAX_DEPTH} deep` }
  let text: string
  try {
    text = canonicalJson(input)
  } catch {
    return { problem: 'hold what JSON cannot hold' }
  }
  const bytes = Buffer.byteLength(text)
  return bytes > MAX_INPUT_BYTES
    ? { problem: `take ${bytes} bytes, and a person is shown at most ${MAX_INPUT_BYTES}` }
    : text
}

/** The arguments to read: whole, a member a line. Strings stay JSON's, so that a line feed in one makes no line. */
export const shownInput = (input: string): string => JSON.stringify(JSON.parse(input), null, 2)

/**
 * What a decision is bound to (a TOCTOU between looking and answering): whose call of which run, what it is called with, byte for
 * byte, and what a yes lets happen. Read from the row each time, so that an altered row is decided by nobody.
 */
export const callHash = ({
  id,
  appId,
  runId,
  promptSha256,
  tool,
  input,
  effect,
}: Pick<ToolCall, 'id' | 'appId' | 'runId' | 'promptSha256' | 'tool' | 'input' | 'effect'>): ConsentHash =>
  sha256Hex(
    canonicalJson({
      ...{ v: 1, call: id, app: appId, run: runId, prompt_sha256: promptSha256 },
      ...{ tool, input, effect: { ...effect } },
    }),
  ) as ConsentHash

/** The same call, whichever question it came by: what a yes for the rest of the run covers. */
export const sameCall = ({ tool, input, effect }: Pick<ToolCall, 'tool' | 'input' | 'effect'>): string =>
  sha256Hex(canonicalJson({ tool, input, effect: { ...effect } }))
