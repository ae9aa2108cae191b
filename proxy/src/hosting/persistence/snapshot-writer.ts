import { loopTurns, sha256Hex } from '../../kernel/index.ts'
import { type ChunkSizes, cutChunks } from './chunker.ts'
import { type ChunkRef, encodeManifest, type Manifest, type Pack } from './manifest.ts'
import { manifestName, packName } from './object-names.ts'
import type { FilesKey } from './ports.ts'
import type { Sealing } from './sealing.ts'
import type { ObjectStore } from './stores/index.ts'

export interface WriteOptions {
  readonly store: ObjectStore
  /** The store honours conditions. */
  readonly conditional: boolean
  readonly sealing: Sealing
  readonly key: FilesKey
  readonly attempt: string
  /** What the new one shares chunks with. */
  readonly base: Manifest | undefined
  readonly signal: AbortSignal
  readonly sizes?: ChunkSizes | undefined
}

export interface Written {
  readonly manifest: Manifest
  readonly manifestBytes: number
  readonly manifestHash: string
  readonly sentBytes: number
}

/** Of sealed chunks: what one request sends, and what is held of it. */
const PACK_BYTES = 4 * 1_048_576
const UPLOADS_AT_ONCE = 3
const LOOKS_AT_ONCE = 8
/** A pack of which less is used is not used any more, and goes when the last snapshot does that needs it. */
const WORTH_KEEPING = 0.5

/** Sends what the base lacks, in packs, and the manifest last: until that is named by a row nothing of it counts. */
export async function writeSnapshot(
  source: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<Written> {
  const { store, sealing, key, attempt, base, conditional } = options
  const failing = new AbortController()
  const signal = AbortSignal.any([options.signal, failing.signal])
  const known = knownChunks(base, await missingPacks(base, options))
  const packs: Pack[] = []
  const packAt = new Map<string, number>()
  const chunks: ChunkRef[] = []
  const uploads = createUploads(failing)
  let sentBytes = 0

  let pieces: Buffer[] = []
  let filled = 0
  let open: number | undefined

  const indexOf = (pack: Pack): number => {
    const name = `${pack.attempt}/${pack.index}`
    const at = packAt.get(name) ?? packs.push(pack) - 1
    packAt.set(name, at)
    return at
  }
  const flush = async (): Promise<void> => {
    if (open === undefined) return
    const pack = { attempt, index: packs[open]?.index ?? 0, bytes: filled }
    packs[open] = pack
    const body = Buffer.concat(pieces)
    sentBytes += body.length
    ;[pieces, filled, open] = [[], 0, undefined]
    const name = packName(key, attempt, pack.index)
    await uploads.add(() => store.put(name, body, { ifAbsent: conditional, signal }))
  }
  let ownPacks = 0
  const add = async (name: string, content: Buffer): Promise<ChunkRef> => {
    if (open === undefined) {
      open = indexOf({ attempt, index: ownPacks, bytes: 0 })
      ownPacks += 1
    }
    const place = `${packName(key, attempt, packs[open]?.index ?? 0)}#${filled}`
    const sealed = sealing.seal(place, content)
    const ref = { name, pack: open, offset: filled, sealedBytes: sealed.length, plainBytes: content.length }
    pieces.push(sealed)
    filled += sealed.length
    if (filled >= PACK_BYTES) await flush()
    return ref
  }

  try {
    for await (const content of cutChunks(source, sealing.gear, options.sizes)) {
      signal.throwIfAborted()
      // Compressing and sealing take the event loop's time.
      await loopTurns.wait(key.tenant)
      const name = sealing.nameOf(content)
      const before = known.get(name)
      const ref =
        before === undefined ? await add(name, content) : { ...before.ref, pack: indexOf(before.pack) }
      if (before === undefined) known.set(name, { ref, pack: packs[ref.pack] as Pack })
      chunks.push(ref)
    }
    await flush()
    await uploads.settled()
  } catch (error) {
    failing.abort(error)
    await uploads.settled().catch(() => {})
    throw failing.signal.reason
  }
  const manifest = { packs, chunks }
  const name = manifestName(key, attempt)
  const sealed = sealing.seal(name, encodeManifest(manifest))
  await store.put(name, sealed, { ifAbsent: conditional, signal })
  return {
    manifest,
    manifestBytes: sealed.length,
    manifestHash: sha256Hex(sealed),
    sentBytes: sentBytes + sealed.length,
  }
}

interface Known {
  readonly ref: ChunkRef
  readonly pack: Pack
}

/** Packs of the base that the store has not whole any more: what it was trusted with before is not taken for kept. */
export async function missingPacks(
  base: Manifest | undefined,
  of: Pick<WriteOptions, 'store' | 'key' | 'signal'>,
): Promise<ReadonlySet<number>> {
  const missing = new Set<number>()
  const left = [...(base?.packs ?? []).entries()]
  const look = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [at, { attempt, index, bytes }] = next
      const part = { offset: bytes - 1, bytes: 1 }
      const last = await of.store.get(packName(of.key, attempt, index), part, of.signal)
      if (last?.length !== 1) missing.add(at)
    }
  }
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, look))
  return missing
}

/** Chunks of the base that are worth sharing, by their names. */
function knownChunks(base: Manifest | undefined, missing: ReadonlySet<number>): Map<string, Known> {
  const known = new Map<string, Known>()
  if (base === undefined) return known
  const used = new Map<number, number>()
  const unique = new Map(base.chunks.map((ref) => [`${ref.pack}#${ref.offset}`, ref]))
  for (const { pack, sealedBytes } of unique.values()) used.set(pack, (used.get(pack) ?? 0) + sealedBytes)
  for (const ref of unique.values()) {
    const pack = base.packs[ref.pack] as Pack
    const isWorth = (used.get(ref.pack) ?? 0) >= pack.bytes * WORTH_KEEPING
    if (isWorth && !missing.has(ref.pack)) known.set(ref.name, { ref, pack })
  }
  return known
}

/** Some at once; the first that fails ends the others, and is told. */
function createUploads(failing: AbortController) {
  const running = new Set<Promise<unknown>>()
  return {
    async add(begin: () => Promise<unknown>): Promise<void> {
      while (running.size >= UPLOADS_AT_ONCE) await Promise.race(running)
      failing.signal.throwIfAborted()
      const upload: Promise<unknown> = begin()
        .catch((error: unknown) => failing.abort(error))
        .finally(() => running.delete(upload))
      running.add(upload)
    },
    async settled(): Promise<void> {
      await Promise.all(running)
      failing.signal.throwIfAborted()
    },
  }
}
