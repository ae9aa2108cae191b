/**
 * The finished output of a run, both streams at once: a secret whose parts were printed to different streams is
 * whole in none of them, but whoever reads both puts it together again.
 *
 * Looked at one behind the other, in both orders, and in the order of arrival. Parts that stand apart in
 * all three readings are not joined: nothing tells them from other text.
 */
import { addMatch, markerOf, type Region } from './regions.ts'
import { Scan } from './scan.ts'
import { MIN_FRAGMENT_BYTES, type Scrubber, WITHHELD } from './scrubber.ts'
import { laterTurn, loopTurn } from './turn.ts'

export type OutputName = 'stdout' | 'stderr'

export interface RunOutput {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** The pieces in order of arrival. Bytes of a stream beyond what is named here are taken as arrived last. */
  readonly order?: readonly { readonly stream: OutputName; readonly bytes: number }[]
  /** Streams that were cut, so that a secret may have begun at their end. */
  readonly truncated?: { readonly stdout?: boolean; readonly stderr?: boolean }
}

export interface ScrubbedOutput {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** Places where each secret was taken out, by name; a secret split over both streams has one in each. */
  readonly hits: ReadonlyMap<string, number>
}

interface Piece {
  readonly stream: OutputName
  readonly from: number
  readonly to: number
}

interface Found {
  readonly start: number
  readonly end: number
  readonly secret: number
}

interface Matches {
  readonly found: readonly Found[]
  readonly exhausted: boolean
}

export async function scrubTogether(scrubber: Scrubber, output: RunOutput): Promise<ScrubbedOutput> {
  const found: Record<OutputName, Found[]> = { stdout: [], stderr: [] }
  const stdout: Piece = { stream: 'stdout', from: 0, to: output.stdout.length }
  const stderr: Piece = { stream: 'stderr', from: 0, to: output.stderr.length }
  // With one stream empty, the three readings are one.
  const isOne = stdout.to === 0 || stderr.to === 0
  const readings = isOne ? [[stdout, stderr]] : [[stdout, stderr], [stderr, stdout], arrivalOf(output)]
  let exhausted = false
  for (const pieces of readings) {
    const placed = placePieces(pieces)
    const matches = await matchesIn(scrubber, output, pieces)
    for (const match of matches.found) spread(match, placed, found)
    exhausted ||= matches.exhausted
    if (exhausted) break
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const bytes = output[stream]
    if (output.truncated?.[stream] !== true || exhausted) continue
    const scan = new Scan(scrubber.automaton)
    await readInTurns(scan, bytes)
    exhausted ||= scan.exhausted
    const cut = scan.underWay(bytes, 0)
    if (cut !== undefined && bytes.length - cut.start >= MIN_FRAGMENT_BYTES) {
      found[stream].push({ ...cut, end: bytes.length })
    }
  }
  const hits = new Map<string, number>()
  if (exhausted) {
    const withheld = (bytes: Uint8Array): Uint8Array => (bytes.length === 0 ? bytes : Buffer.from(WITHHELD))
    return { stdout: withheld(output.stdout), stderr: withheld(output.stderr), hits }
  }
  return {
    stdout: render(output.stdout, found.stdout, scrubber.names, hits),
    stderr: render(output.stderr, found.stderr, scrubber.names, hits),
    hits,
  }
}

async function readInTurns(scan: Scan, bytes: Uint8Array): Promise<void> {
  while (!scan.read(bytes, 0, loopTurn)) await laterTurn()
}

function arrivalOf(output: RunOutput): Piece[] {
  const pieces: Piece[] = []
  const at: Record<OutputName, number> = { stdout: 0, stderr: 0 }
  const take = (stream: OutputName, bytes: number): void => {
    const from = at[stream]
    const to = Math.min(output[stream].length, from + bytes)
    at[stream] = to
    if (to > from) pieces.push({ stream, from, to })
  }
  for (const { stream, bytes } of output.order ?? []) take(stream, bytes)
  take('stdout', output.stdout.length)
  take('stderr', output.stderr.length)
  return pieces
}

async function matchesIn(scrubber: Scrubber, output: RunOutput, pieces: readonly Piece[]): Promise<Matches> {
  const text = Buffer.concat(pieces.map(({ stream, from, to }) => output[stream].subarray(from, to)))
  const found: Found[] = []
  const scan = new Scan(scrubber.automaton, (start, end, secret) => {
    // Where a secret overlaps itself at every byte, one entry stands for all of them.
    const last = found.at(-1)
    const isLonger = last?.secret === secret && start >= last.start && start < last.end
    if (isLonger) found.pop()
    found.push({ start: isLonger ? last.start : start, end, secret })
  })
  await readInTurns(scan, text)
  return { found, exhausted: scan.exhausted }
}

/** A piece with its place in the joined text. */
interface PlacedPiece extends Piece {
  readonly at: number
}

function placePieces(pieces: readonly Piece[]): PlacedPiece[] {
  let at = 0
  return pieces.map((piece) => {
    const placed = { ...piece, at }
    at += piece.to - piece.from
    return placed
  })
}

/** Finds the bytes of a match in the streams they came from. */
function spread(match: Found, pieces: readonly PlacedPiece[], found: Record<OutputName, Found[]>): void {
  const parts: Partial<Record<OutputName, Found>> = {}
  for (let index = pieceAt(pieces, match.start); index < pieces.length; index++) {
    const { stream, from, to, at } = pieces[index] as PlacedPiece
    if (at >= match.end) break
    const start = from + Math.max(match.start - at, 0)
    const end = Math.min(to, from + match.end - at)
    // Pieces of one stream that a match takes part in follow each other there, so they are one part.
    if (start < end) parts[stream] = { start: parts[stream]?.start ?? start, end, secret: match.secret }
  }
  if (parts.stdout !== undefined) found.stdout.push(parts.stdout)
  if (parts.stderr !== undefined) found.stderr.push(parts.stderr)
}

/** The last piece that begins at or before the position. */
function pieceAt(pieces: readonly PlacedPiece[], position: number): number {
  let low = 0
  let high = pieces.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((pieces[middle] as PlacedPiece).at <= position) low = middle
    else high = middle - 1
  }
  return low
}

function render(
  bytes: Uint8Array,
  found: readonly Found[],
  names: readonly string[],
  hits: Map<string, number>,
): Uint8Array {
  const regions: Region[] = []
  const inOrder = found.toSorted((a, b) => a.end - b.end || a.start - b.start)
  for (const { start, end, secret } of inOrder) addMatch(regions, start, end, secret)
  const out: Uint8Array[] = []
  let position = 0
  for (const region of regions) {
    out.push(bytes.subarray(position, region.start), Buffer.from(markerOf(region, names)))
    for (const secret of region.secrets) {
      const name = names[secret] ?? ''
      hits.set(name, (hits.get(name) ?? 0) + 1)
    }
    position = region.end
  }
  out.push(bytes.subarray(position))
  return Buffer.concat(out)
}
