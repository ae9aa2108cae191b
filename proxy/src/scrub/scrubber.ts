/**
 * Takes secrets out of a stream of bytes: what comes out never holds one, in any rendering that is known here.
 *
 * The stream gives on every byte as soon as no match under way can still claim it, so it holds back less than
 * the longest rendering whatever it reads. It knows renderings, not intentions: a program that reverses, encrypts
 * or spells out a value it was given in raw mode is not stopped by this.
 */

import type { Turn } from '../kernel/index.ts'
import { type Automaton, createAutomaton } from './automaton.ts'
import { addMatch, markerOf, type Region } from './regions.ts'
import { type CompiledRenderings, compileRenderings, compilingRenderings } from './renderings.ts'
import { Scan } from './scan.ts'
import { doneInTurns, ENDLESS_TURN, laterTurn, loopTurn } from './turn.ts'

/** Shorter beginnings of a secret at the end of a cut text are left: they would be found by chance. */
export const MIN_FRAGMENT_BYTES = 4
/** Stands in place of output that could not be read through within the bound on work. */
export const WITHHELD = '[output withheld: too many secrets in it]'

export interface ScrubStream {
  /** Bytes that are safe to give on; the rest is held back until more is known. May be a view of the chunk. */
  push(chunk: Uint8Array): Uint8Array
  /**
   * The same without a copy, in pieces that are added to `out`, and no longer than the turn allows: false when bytes are left
   * that were not read. Nothing of those is given on; it goes on in another turn, with no more bytes or with some.
   */
  read(chunk: Uint8Array, out: Uint8Array[], turn: Turn): boolean
  /** The bytes still held back. `truncated`: the text was cut, so a secret that had begun is taken out too. */
  end(options?: { readonly truncated?: boolean }): Uint8Array
  /** How often each secret was taken out, by name; grows as the stream is read. */
  readonly hits: ReadonlyMap<string, number>
  /** Bytes read so far, and those of matches read again to find where they began. */
  readonly steps: number
}

interface StreamOptions {
  /** What stands in place of a secret is as long as it was, so that every other byte keeps its position. */
  readonly keepLength?: boolean
}

export interface Scrubber {
  stream(options?: StreamOptions): ScrubStream
  /**
   * Whether the bytes, read for themselves, hold no secret: a stream would leave them as they are. False too where the turn
   * was over before that was known.
   */
  isClean(bytes: Uint8Array, turn?: Turn): boolean
  /** Names in the order of the indexes that `automaton` reports. */
  readonly names: readonly string[]
  /** Names of values too short to be recognised as they stand: callers should warn. */
  readonly tooShort: readonly string[]
  /** A stream holds back fewer bytes than this. */
  readonly longestMatchBytes: number
  readonly automaton: Automaton
}

/** Of a large chunk, what is joined with bytes held back. */
const BRIDGE_BYTES = 256

/** As if so much had been read. */
const PREPARED_BYTES = 16 * 1_024

const NOTHING = new Uint8Array(0)

/** `maxStates`: how many states the automaton may remember; fewer cost time and save memory, and change no answer. */
export function createScrubber(
  secrets: ReadonlyMap<string, string>,
  options: { readonly maxStates?: number } = {},
): Scrubber {
  return scrubberFrom(compileRenderings(secrets), options.maxStates)
}

/** The same as the turns of the event loop allow, with all that a text needs to begin with. */
export async function prepareScrubber(secrets: ReadonlyMap<string, string>): Promise<Scrubber> {
  const compiled = await doneInTurns(compilingRenderings(secrets))
  await doneInTurns(compiled.graph.prepare())
  const scrubber = scrubberFrom(compiled)
  while (scrubber.automaton.skipFor(PREPARED_BYTES, loopTurn) === undefined) await laterTurn()
  return scrubber
}

function scrubberFrom({ graph, names, tooShort }: CompiledRenderings, maxStates?: number): Scrubber {
  const automaton = createAutomaton(graph, maxStates)
  return {
    stream: (options = {}) =>
      graph.renderings.length === 0
        ? createIdleStream()
        : createStream(automaton, names, options.keepLength === true),
    isClean: (bytes, turn) => graph.renderings.length === 0 || isClean(automaton, bytes, turn),
    names,
    tooShort,
    longestMatchBytes: graph.longestMatch,
    automaton,
  }
}

function isClean(automaton: Automaton, bytes: Uint8Array, turn?: Turn): boolean {
  let found = false
  const scan = new Scan(automaton, () => {
    found = true
  })
  return scan.read(bytes, 0, turn) && !found && !scan.exhausted
}

/** For bytes of any length: as the turns of the event loop allow. */
export async function isCleanInTurns(scrubber: Scrubber, bytes: Uint8Array): Promise<boolean> {
  let isClean = true
  const scan = new Scan(scrubber.automaton, () => {
    isClean = false
  })
  while (!scan.read(bytes, 0, loopTurn)) await laterTurn()
  return isClean && !scan.exhausted
}

/** Without anything to look for, bytes pass untouched. */
function createIdleStream(): ScrubStream {
  return {
    push: (chunk) => chunk,
    read(chunk, out) {
      if (chunk.length > 0) out.push(chunk)
      return true
    },
    end: () => NOTHING,
    hits: new Map(),
    steps: 0,
  }
}

function createStream(automaton: Automaton, names: readonly string[], keepLength: boolean): ScrubStream {
  const hits = new Map<string, number>()
  const regions: Region[] = []
  const scan = new Scan(automaton, (start, end, secret) => addMatch(regions, start, end, secret))
  // Bytes that a match still to come may claim; the first one stands at position `base`.
  let held: Uint8Array = NOTHING
  let base = 0
  // Everything before this position was given on or taken out.
  let given = 0
  let ended = false

  const settle = (region: Region): Buffer => {
    for (const secret of region.secrets) {
      const name = names[secret] ?? ''
      hits.set(name, (hits.get(name) ?? 0) + 1)
    }
    const marker = Buffer.from(markerOf(region, names))
    return keepLength ? masked(region.end - region.start, marker) : marker
  }

  /** Of what is held; all of it is given as it is, since a view costs more than a short piece does. */
  const between = (from: number, until: number): Uint8Array => {
    if (from === until) return NOTHING
    return until - from === held.length ? held : held.subarray(from - base, until - base)
  }

  /** Gives on everything before `until`, where no match that is still to come begins earlier than that. */
  const release = (until: number, out: Uint8Array[]): void => {
    let settled = 0
    for (const region of regions) {
      if (region.end > until) break
      if (region.start > given) out.push(between(given, region.start))
      out.push(settle(region))
      given = region.end
      settled++
    }
    if (settled > 0) regions.splice(0, settled)
    // Bytes of a region that may still grow need not be kept: they are taken out in any case.
    const plainUntil = Math.min(regions[0]?.start ?? until, until)
    if (plainUntil > given) {
      out.push(between(given, plainUntil))
      given = plainUntil
    }
    held = between(until, base + held.length)
    base = until
  }

  /** Whether all that is held was read. */
  const readHeld = (out: Uint8Array[], turn: Turn): boolean => {
    const isRead = scan.read(held, base, turn)
    release(Math.max(base, scan.safeUntil()), out)
    if (!scan.exhausted) return isRead
    // A region that might have grown is no longer held, and not given on either.
    out.push(keepLength ? masked(base + held.length - given) : Buffer.from(WITHHELD))
    held = NOTHING
    return true
  }

  const withheld = ({ length }: Uint8Array, out: Uint8Array[]): boolean => {
    if (keepLength && length > 0) out.push(masked(length))
    return true
  }

  const read = (chunk: Uint8Array, out: Uint8Array[], turn: Turn): boolean => {
    if (ended) throw new Error('the scrub stream has ended')
    if (scan.exhausted) return withheld(chunk, out)
    if (chunk.length === 0) return readHeld(out, turn)
    let rest = chunk
    // What is held is joined with a little of a large chunk only: nearly always nothing is under way behind that.
    if (held.length > 0 && chunk.length > BRIDGE_BYTES) {
      held = Buffer.concat([held, chunk.subarray(0, BRIDGE_BYTES)])
      readHeld(out, turn)
      if (scan.exhausted) return withheld(chunk.subarray(BRIDGE_BYTES), out)
      const isBehind = held.length <= BRIDGE_BYTES
      rest = chunk.subarray(isBehind ? BRIDGE_BYTES - held.length : BRIDGE_BYTES)
      if (isBehind) held = NOTHING
    }
    const isFresh = held.length === 0
    held = isFresh ? rest : Buffer.concat([held, rest])
    const isRead = readHeld(out, turn)
    // The caller may use its buffer again, so what stays here is a copy of its own.
    if (isFresh) held = held.length === 0 ? NOTHING : Uint8Array.from(held)
    return isRead
  }

  return {
    push(chunk) {
      const out: Uint8Array[] = []
      read(chunk, out, ENDLESS_TURN)
      return joined(out)
    },
    read,
    end(options = {}) {
      if (ended || scan.exhausted) return NOTHING
      const out: Uint8Array[] = []
      readHeld(out, ENDLESS_TURN)
      ended = true
      if (scan.exhausted) return joined(out)
      const position = base + held.length
      const cut = options.truncated === true ? scan.underWay(held, base) : undefined
      if (cut !== undefined && position - cut.start >= MIN_FRAGMENT_BYTES) {
        addMatch(regions, cut.start, position, cut.secret)
      }
      release(position, out)
      return joined(out)
    },
    hits,
    get steps() {
      return scan.steps
    },
  }
}

function masked(bytes: number, marker: Buffer = Buffer.alloc(0)): Buffer {
  const mask = Buffer.alloc(bytes, '*')
  if (marker.length <= bytes) marker.copy(mask)
  return mask
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array
  return parts.length === 0 ? NOTHING : Buffer.concat(parts)
}
