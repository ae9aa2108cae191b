import { type EgressPolicy, type EgressTarget, reaches, type Surface } from './policy.ts'
import { messageRendering } from './renderings.ts'

/** Puts secrets in place of their placeholders in a stream of bytes; one for each request. */
export interface BodyRewriter {
  /** Bytes to send on; may be empty, and may be a view of the chunk. Only what may begin a placeholder is held back. */
  push(chunk: Uint8Array): Uint8Array
  /** The bytes still held back. */
  end(): Uint8Array
}

/** A placeholder in a body, and what stands there instead; null where it is only reported. */
export interface BodyPlacement {
  readonly name: string
  readonly placeholder: Buffer
  readonly replacement: Buffer | null
}

export function bodyPlacements(
  policy: EgressPolicy,
  target: EgressTarget,
  /** Null when no value can be put in, as into a compressed body. */
  render: ((value: string) => string) | null,
  surfaces: readonly Surface[],
): BodyPlacement[] {
  return policy.secrets.map((secret) => {
    const isApproved =
      surfaces.some((surface) => secret.surfaces.has(surface)) && reaches(secret.hosts, target)
    return {
      name: secret.name,
      placeholder: Buffer.from(secret.stem),
      replacement: isApproved && render !== null ? Buffer.from(render(secret.replacement.open())) : null,
    }
  })
}

const NOTHING = new Uint8Array(0)

/** Output does not depend on how the input is cut into chunks. Names are added to the sets as they are met. */
export function createBodyRewriter(
  placements: readonly BodyPlacement[],
  used: Set<string>,
  rejected: Set<string>,
): BodyRewriter {
  let held: Buffer = Buffer.alloc(0)
  // What is only reported changes nothing, so it need not be held back: who waits for an answer to it would wait for ever.
  const isChanged = placements.some(({ replacement }) => replacement !== null)

  const rewrite = (bytes: Buffer, out: Uint8Array[]): number => {
    let done = 0
    const next = placements.map(({ placeholder }) => bytes.indexOf(placeholder))
    for (;;) {
      const first = indexOfFirst(next)
      const placement = placements[first]
      const start = next[first]
      if (placement === undefined || start === undefined) return done
      const end = start + placement.placeholder.length
      if (placement.replacement === null) {
        rejected.add(placement.name)
        out.push(bytes.subarray(done, end))
      } else {
        used.add(placement.name)
        out.push(bytes.subarray(done, start), placement.replacement)
      }
      done = end
      placements.forEach(({ placeholder }, index) => {
        const at = next[index] as number
        if (at !== -1 && at < end) next[index] = bytes.indexOf(placeholder, end)
      })
    }
  }

  return {
    push(chunk) {
      const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      const bytes = held.length === 0 ? fresh : Buffer.concat([held, fresh])
      const out: Uint8Array[] = []
      const done = rewrite(bytes, out)
      const open = openPlaceholderAt(bytes, done, placements)
      out.push(bytes.subarray(done, open))
      held = Buffer.from(bytes.subarray(open))
      if (!isChanged) return chunk
      return out.length === 1 ? (out[0] as Uint8Array) : Buffer.concat(out)
    },
    end() {
      const rest = isChanged ? held : NOTHING
      held = Buffer.alloc(0)
      return rest.length === 0 ? NOTHING : rest
    },
  }
}

/** For one message of a WebSocket; how a value stands in it is told by its beginning. */
export function createMessageRewriter(
  policy: EgressPolicy,
  target: EgressTarget,
  used: Set<string>,
  rejected: Set<string>,
): BodyRewriter {
  let rewriter: BodyRewriter | null = null
  return {
    push(chunk) {
      if (rewriter === null) {
        const beginning = Buffer.from(chunk.subarray(0, BEGINNING_BYTES)).toString('latin1')
        // Blanks say nothing, and begin no placeholder.
        if (beginning.trim() === '' && chunk.length <= BEGINNING_BYTES) return chunk
        const placements = bodyPlacements(policy, target, messageRendering(beginning), ['body'])
        rewriter = createBodyRewriter(placements, used, rejected)
      }
      return rewriter.push(chunk)
    },
    end: () => rewriter?.end() ?? NOTHING,
  }
}

const BEGINNING_BYTES = 64

/** Index of the smallest position that is one; -1 without any. */
function indexOfFirst(positions: readonly number[]): number {
  let first = -1
  positions.forEach((position, index) => {
    if (position !== -1 && (first === -1 || position < (positions[first] as number))) first = index
  })
  return first
}

/** Where a placeholder begins that the bytes end in the middle of; the end of the bytes without one. */
function openPlaceholderAt(bytes: Buffer, from: number, placements: readonly BodyPlacement[]): number {
  const longest = Math.max(0, ...placements.map(({ placeholder }) => placeholder.length))
  for (let at = Math.max(from, bytes.length - longest + 1); at < bytes.length; at++) {
    const tail = bytes.subarray(at)
    const isOpen = placements.some(
      ({ placeholder }) =>
        placeholder.length > tail.length && placeholder.subarray(0, tail.length).equals(tail),
    )
    if (isOpen) return at
  }
  return bytes.length
}
