import { loopTurns, sha256Hex } from '../../kernel/index.ts'
import { type ChunkRef, decodeManifest, type Manifest, type Pack } from './manifest.ts'
import { manifestName, packName } from './object-names.ts'
import type { FilesKey, Snapshot } from './ports.ts'
import { altered, type Sealing } from './sealing.ts'
import type { ObjectStore } from './stores/index.ts'

export interface ReadOptions {
  readonly store: ObjectStore
  readonly sealing: Sealing
  readonly key: FilesKey
  readonly signal: AbortSignal
}

/** Far more than one of the largest machine has. */
const MAX_MANIFEST_BYTES = 256 * 1_048_576
/** What one request asks for, and how many are ahead: what is held at once. */
const PART_BYTES = 2 * 1_048_576
const PARTS_AHEAD = 4
const TRIES = 3

/** Throws `internal` where it is not what the row says that was stored. */
export async function readManifest(snapshot: Snapshot, options: ReadOptions): Promise<Manifest> {
  const { store, sealing, key, signal } = options
  const name = manifestName(key, snapshot.attempt)
  const sealed = await store.get(name, { offset: 0, bytes: snapshot.manifestBytes }, signal)
  if (sealed === undefined || sha256Hex(sealed) !== snapshot.manifestHash) throw altered()
  return decodeManifest(sealing.open(name, sealed, MAX_MANIFEST_BYTES))
}

/** Chunks that stand side by side in one pack. */
interface Run {
  readonly pack: Pack
  readonly offset: number
  bytes: number
  readonly chunks: ChunkRef[]
}

/** The stream as it was cut, each chunk verified before it is passed on. */
export async function* readSnapshot(manifest: Manifest, options: ReadOptions): AsyncGenerator<Buffer> {
  const { store, sealing, key } = options
  const leaving = new AbortController()
  const signal = AbortSignal.any([options.signal, leaving.signal])
  const fetchRun = async ({ pack, offset, bytes }: Run): Promise<Buffer> => {
    const name = packName(key, pack.attempt, pack.index)
    for (let tries = 1; ; tries += 1) {
      const part = await store.get(name, { offset, bytes }, signal)
      if (part?.length === bytes) return part
      // Half an answer may be whole the next time; what is not there is not.
      if (part === undefined || tries === TRIES) throw altered()
    }
  }
  const ahead: { readonly run: Run; readonly part: Promise<Buffer> }[] = []
  const runs = runsOf(manifest)
  const fill = (): void => {
    while (ahead.length < PARTS_AHEAD) {
      const next = runs.next()
      if (next.done === true) return
      const part = fetchRun(next.value)
      // It is told when its turn comes.
      part.catch(() => {})
      ahead.push({ run: next.value, part })
    }
  }
  try {
    for (fill(); ahead.length > 0; fill()) {
      const { run, part } = ahead.shift() as (typeof ahead)[number]
      const bytes = await part
      for (const ref of run.chunks) {
        await loopTurns.wait(key.tenant)
        const at = ref.offset - run.offset
        const place = `${packName(key, run.pack.attempt, run.pack.index)}#${ref.offset}`
        const content = sealing.open(place, bytes.subarray(at, at + ref.sealedBytes), ref.plainBytes)
        if (content.length !== ref.plainBytes || sealing.nameOf(content) !== ref.name) throw altered()
        yield content
      }
    }
  } finally {
    leaving.abort()
  }
}

function* runsOf({ packs, chunks }: Manifest): Generator<Run> {
  let run: Run | undefined
  for (const ref of chunks) {
    const pack = packs[ref.pack] as Pack
    if (
      run !== undefined &&
      run.pack === pack &&
      run.offset + run.bytes === ref.offset &&
      run.bytes < PART_BYTES
    ) {
      run.bytes += ref.sealedBytes
      run.chunks.push(ref)
      continue
    }
    if (run !== undefined) yield run
    run = { pack, offset: ref.offset, bytes: ref.sealedBytes, chunks: [ref] }
  }
  if (run !== undefined) yield run
}
