/**
 * Reads bytes and reports every occurrence of a secret with its place.
 *
 * The automaton tells where a secret is complete, not where it began; that is found by walking the graph back
 * over bytes just read. Reading stops for good when it has cost more than any plausible text does, so that no
 * text can hold up the process: what was not read must then be withheld.
 */

import type { Turn } from '../kernel/index.ts'
import { type Automaton, type Kept, NOTHING_KEPT } from './automaton.ts'
import { createMatchStarts } from './match-starts.ts'
import { ENDLESS_TURN } from './turn.ts'
import { createWalks, MAX_NULS, type Walks } from './walks.ts'

/** `start` of a match that overlaps the ones before it may be any position inside what they cover. */
export type OnMatch = (start: number, end: number, secret: number) => void

/** The state of an automaton that is on no path; the first that it has. */
const NOTHING_UNDER_WAY = 0
/** So little is looked through at each chunk. */
const SOUGHT_ALWAYS = 512
const STEPS_PER_BYTE = 64
/** Building the automaton costs most at the beginning, whatever the length of the text. */
const FREE_STEPS = 4_000_000
/**
 * Nodes that are looked at for where what is under way began: so many for each byte of it, and a few in any case. It takes more of a
 * value that repeats itself, which may have begun at many places at once: of that, all that may be it is held back.
 */
const SOUGHT_STEPS = { perByte: 4, least: 2_048 }
/** Of a candidate that the first four bytes did not rule out, as many are read in any case. */
const CANDIDATE_BYTES = 4
/** Where so many candidates follow each other that closely, reading on is cheaper than looking for the next. */
const MAX_NEAR = 8
const NEAR_BYTES = 64
/** So much is read on then, and each time twice as much, until as much is passed over at once. */
const UNSKIPPED_BYTES = 2 * 1_024
/** Bytes that are looked through between two questions whether the turn is over. */
const PIECE_BYTES = 128 * 1_024
/** The same in nodes and edges. */
const PIECE_STEPS = 1_024
const STEPS_PER_CANDIDATE = 4

/** A class, for there is one for each header and body that is looked at: accessors in a literal are made anew each time. */
export class Scan {
  readonly #automaton: Automaton
  readonly #onMatch: OnMatch | undefined
  #walks: Walks | undefined = undefined
  #starts: ReturnType<typeof createMatchStarts> | undefined = undefined
  #position = 0
  /** Bytes that `read` was given, those it has not come to among them. */
  #offered = 0
  #building = 0
  #exhausted = false
  // Not a state, since another stream may make the automaton forget its states meanwhile.
  #kept: Kept = NOTHING_KEPT
  /** No match under way began before this position. */
  #safe = 0
  /** Bytes under way when the beginning was last looked for. */
  #sought = 0

  /** Without `onMatch` only what is under way at the end is of interest. */
  constructor(automaton: Automaton, onMatch?: OnMatch) {
    this.#automaton = automaton
    this.#onMatch = onMatch
  }

  /**
   * Reads on from the present position. `bytes[0]` stands at position `base`; every byte from `safeUntil()` of the
   * last call on must still be there. Positions count from the beginning of the input. Matches are reported
   * in order of their ends, and where they end together in order of their beginnings. False when the turn is over
   * before the last byte is read: the same bytes, or more behind them, are to be given again.
   */
  read(bytes: Uint8Array, base: number, turn: Turn = ENDLESS_TURN): boolean {
    if (this.#exhausted) return true
    const automaton = this.#automaton
    const fresh = base + bytes.length - this.#offered
    this.#offered += fresh
    const skip = automaton.skipFor(fresh, turn)
    if (skip === undefined) return false
    const workBefore = automaton.work() - this.#building
    let state = automaton.stateOf(this.#kept)
    let index = this.#position - base
    let spent = this.#spent()
    let candidates = 0
    let near = 0
    let unskipped = UNSKIPPED_BYTES
    reading: while (index < bytes.length) {
      const end = Math.min(index + PIECE_BYTES, bytes.length)
      while (index < end) {
        let until = skip === null ? end : index
        let isCandidate = true
        if (state === NOTHING_UNDER_WAY && skip !== null) {
          const from = index
          index = skip.from(bytes, index, end)
          const passed = index - from
          near = passed < NEAR_BYTES ? near + 1 : 0
          if (passed > unskipped) unskipped = UNSKIPPED_BYTES
          if (near > MAX_NEAR) {
            until = Math.min(index + unskipped, end)
            unskipped *= 2
            near = 0
          } else {
            until = Math.min(index + CANDIDATE_BYTES, end)
            isCandidate = automaton.goesOn(bytes, index, end)
          }
        }
        if (isCandidate) {
          const stop = runUntilEntry(automaton, bytes, state, index, until, end)
          state = stop.state
          index = stop.index
          if (index === end) break
          if (!stop.atRoot) {
            if (this.steps + automaton.work() - workBefore > FREE_STEPS + STEPS_PER_BYTE * this.#offered) {
              this.#exhausted = true
              break reading
            }
            const entry = automaton.next(state, bytes[index] as number)
            index++
            state = entry < 0 ? -2 - entry : entry
            if (entry < 0 && this.#onMatch !== undefined) {
              state = this.#report(state, bytes, base, base + index)
            }
          }
        } else index++
        candidates++
        if (candidates * STEPS_PER_CANDIDATE + this.#spent() - spent < PIECE_STEPS) continue
        if (turn.isOver()) break reading
        spent = this.#spent()
        candidates = 0
      }
      if (index < bytes.length && turn.isOver()) break
    }
    this.#position = base + index
    this.#building = automaton.work() - workBefore
    this.#kept = automaton.keptOf(state)
    this.#safe = Math.max(this.#safe, this.#position - automaton.reach(state) * (1 + MAX_NULS))
    // What is left to read is held back in any case.
    if (index === bytes.length) this.#seekBeginning(bytes, base)
    this.#starts?.catchUp(this.#position, { bytes, base })
    return this.#exhausted || index === bytes.length
  }

  /** Of what is complete at `end`; returns the state to go on from. */
  #report(state: number, bytes: Uint8Array, base: number, end: number): number {
    const automaton = this.#automaton
    const kept = automaton.keptOf(state)
    const complete = automaton.completeIn(state)
    this.#walks ??= createWalks(automaton.graph)
    this.#starts ??= createMatchStarts(automaton, this.#walks)
    const found = this.#starts.of(complete, end, { bytes, base }, automaton.reach(state) * (1 + MAX_NULS))
    for (const { start, secret } of found) this.#onMatch?.(start, end, secret)
    // Finding the beginnings may have made the automaton forget its states.
    return automaton.keptOf(state) === kept ? state : automaton.stateOf(kept)
  }

  /** No match that is still to come begins before this position, nor before an earlier answer. */
  safeUntil(): number {
    return this.#safe
  }

  /**
   * Where what is under way began. The graph only bounds that, and escapes are long: it is looked for, which costs what
   * is under way, so of much only when that has become twice as much.
   */
  #seekBeginning(bytes: Uint8Array, base: number): void {
    const underWay = this.#position - this.#safe
    if (underWay <= 0 || this.#exhausted) return
    if (underWay > SOUGHT_ALWAYS && underWay < 2 * this.#sought) return
    const start = this.underWay(bytes, base)?.start ?? this.#position
    this.#safe = Math.max(this.#safe, start)
    this.#sought = this.#position - this.#safe
  }

  /** The match under way which began first, if any, with the bytes that `read` was given last. */
  underWay(bytes: Uint8Array, base: number): { start: number; secret: number } | undefined {
    const { graph } = this.#automaton
    const { nodes, last, nuls } = this.#kept
    const open = nodes.filter((node) => !graph.isLast(node))
    if (open.length === 0) {
      // What the last byte alone may be the first of began there.
      const begun = last === -1 ? undefined : graph.rootTargets[last]?.[0]
      return begun && { start: this.#position - 1 - nuls, secret: begun.owner }
    }
    this.#walks ??= createWalks(graph)
    const end = this.#position - base
    const floor = Math.max(0, this.#safe - base)
    const most = SOUGHT_STEPS.least + SOUGHT_STEPS.perByte * (end - floor)
    const { start, secret } = this.#walks.back(open, bytes, end, floor, most)
    return { start: base + start, secret }
  }

  /** Bytes read and nodes looked at on the way back so far. */
  get steps(): number {
    return this.#offered + (this.#walks?.looked ?? 0)
  }

  #spent(): number {
    return this.#automaton.work() + (this.#walks?.looked ?? 0)
  }

  /** The work exceeded its bound: bytes from `safeUntil()` on were not read through. */
  get exhausted(): boolean {
    return this.#exhausted
  }
}

/** Where the plain look-ups end. `atRoot`: not at a negative entry; there is nothing under way, or no byte left. */
const stopped = { state: 0, index: 0, atRoot: false }

/** The innermost loops: up to `until` in any case, then to `end` while something is under way. The next call overwrites the answer. */
function runUntilEntry(
  automaton: Automaton,
  bytes: Uint8Array,
  fromState: number,
  fromIndex: number,
  until: number,
  end: number,
): typeof stopped {
  const table = automaton.table()
  const idle = automaton.idle()
  let state = fromState
  let index = fromIndex
  let entry = 0
  while (index < until) {
    entry = table[state + (bytes[index] as number)] as number
    if (entry < 0) break
    state = entry
    index++
  }
  if (entry >= 0 && state !== NOTHING_UNDER_WAY) {
    while (index < end) {
      entry = table[state + (bytes[index] as number)] as number
      if (entry < 0) break
      state = entry
      index++
      if (idle[entry >>> 8] === 1) {
        // The last byte may begin something, so it is looked at once more.
        if (entry !== NOTHING_UNDER_WAY) index--
        state = NOTHING_UNDER_WAY
        break
      }
    }
  }
  stopped.state = state
  stopped.index = index
  stopped.atRoot = entry >= 0
  return stopped
}
