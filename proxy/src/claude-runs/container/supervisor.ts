/** The supervisor in the image, seen from the daemon: sandbox-images/claude/supervisor.mjs has the other half of this protocol. */
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { isObject } from '../cli/index.ts'

/** Of what follows `<`: a line of the CLI. */
export type SupervisorLine =
  | { readonly kind: 'cli'; readonly line: string }
  | { readonly kind: 'stderr'; readonly text: string }
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: 'session'; readonly bytes: Buffer }
  | { readonly kind: 'kept'; readonly isKept: boolean }
  | { readonly kind: 'failed'; readonly message: string }

export function parseSupervisorLine(line: string): SupervisorLine {
  if (line.startsWith('<')) return { kind: 'cli', line: line.slice(1) }
  const value = parsed(line)
  if (isObject(value)) {
    if (typeof value.stderr === 'string') return { kind: 'stderr', text: value.stderr }
    if (typeof value.session === 'string')
      return { kind: 'session', bytes: Buffer.from(value.session, 'base64') }
    if (typeof value.kept === 'boolean') return { kind: 'kept', isKept: value.kept }
    if (typeof value.failed === 'string') return { kind: 'failed', message: value.failed }
    if ('exit' in value)
      return {
        kind: 'exit',
        code: typeof value.exit === 'number' ? value.exit : null,
        signal: typeof value.signal === 'string' ? value.signal : null,
      }
  }
  return { kind: 'failed', message: 'the supervisor said what nobody understands' }
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return undefined
  }
}

/** Of base64, three quarters of a line. */
const PIECE_BYTES = 48 * 1_024

export interface Supervisor {
  /** A line for the CLI. */
  say(line: string): void
  /** The CLI that waits is ended; one with these arguments takes its place. */
  launch(parameters: readonly string[]): void
  placeFile(name: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>
  placeSession(id: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>
  /** The CLI's input ends, so that it writes down what it has and goes. */
  endInput(): void
  /** Asks for the conversation: `session` lines, then `kept`. */
  keep(sessionId: string): void
}

export function speakTo(input: Writable): Supervisor {
  const tell = (message: object): boolean => input.write(`${JSON.stringify(message)}\n`)
  const place = async (
    message: object,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> => {
    for await (const bytes of content) {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        signal.throwIfAborted()
        const data = Buffer.from(bytes.subarray(at, at + PIECE_BYTES)).toString('base64')
        if (!tell({ ...message, data })) await once(input, 'drain', { signal })
      }
    }
  }
  return {
    say: (line) => void input.write(`>${line}\n`),
    launch: (parameters) => void tell({ do: 'launch', arguments: parameters }),
    placeFile: async (name, content, signal) => {
      // A file without any bytes is one too.
      tell({ do: 'file', name, data: '' })
      await place({ do: 'file', name }, content, signal)
    },
    placeSession: (id, content, signal) => place({ do: 'session', id }, content, signal),
    endInput: () => void tell({ do: 'end' }),
    keep: (id) => void tell({ do: 'keep', id }),
  }
}
