import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, formatBytes, randomToken, SecretValue, type Tx } from '../../kernel/index.ts'
import type { SecretStreams } from '../../vault/crypto/index.ts'
import type { Vault } from '../../vault/index.ts'

/** A body on the disk, as a row names it. */
export interface Blob {
  readonly id: string
  /** Its key, sealed by the vault: without the tenant's data key the file is noise. */
  readonly key: string
  /** Of plaintext. */
  readonly bytes: number
}

/**
 * Bodies of any size beside the database, each sealed under a key of its own. A blob is whole and on disk before its row is
 * written, and its row is gone before it is removed: what a crash leaves between the two is a file that no row names, and `sweep` removes.
 */
export interface Blobs {
  /** Throws `too_large` beyond `maxBytes`, what the source throws, and the signal's reason; then nothing is left of it. */
  write(
    source: AsyncIterable<Uint8Array>,
    of: { readonly maxBytes: number; readonly signal?: AbortSignal },
  ): Promise<Blob>
  /** Opened as it is read. Throws `locked` during a lockdown, `internal` for a file that is not what was stored. */
  read(blob: Pick<Blob, 'id' | 'key'>): AsyncGenerator<Uint8Array>
  /** All of a small one. */
  readWhole(blob: Pick<Blob, 'id' | 'key'>): Promise<Buffer>
  remove(id: string): Promise<void>
  /** Removes what no row names; how many. Only while nothing is written. */
  sweep(named: ReadonlySet<string>): Promise<number>
}

const BLOB_NAME = /^[A-Za-z0-9_-]{22}$/
const DRAFT = '.draft'

/** What the vault seals a blob's key for. */
const blobKeyPurpose = (id: string): string => `claude-blob:${id}`

/** In the unit that replaces the data key: bodies stay as they are, their keys are sealed anew. */
export async function resealBlobKeys(
  tx: Tx,
  reseal: (purpose: string, sealed: string) => string,
): Promise<void> {
  const anew = ({ blob, blobKey }: { readonly blob: string; readonly blobKey: string }): string =>
    reseal(blobKeyPurpose(blob), blobKey)
  for (const row of await tx.appFiles.blobs()) await tx.appFiles.setBlobKey(row.id, anew(row))
  for (const row of await tx.runSessions.blobs()) await tx.runSessions.setBlobKey(row.id, anew(row))
  for (const row of await tx.claudeRuns.blobs()) await tx.claudeRuns.setBlobKey(row.id, anew(row))
}

export function createBlobs(deps: {
  /** Of one tenant. */
  readonly directory: string
  readonly streams: SecretStreams
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>
}): Blobs {
  const { directory, streams, vault } = deps
  const pathOf = (id: string): string => join(directory, id)

  /** Resolves to how many bytes of plaintext there were. */
  const writeSealed = async (
    path: string,
    id: string,
    key: Uint8Array,
    source: AsyncIterable<Uint8Array>,
  ): Promise<void> => {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const file = await open(path, 'wx', 0o600)
    try {
      for await (const piece of streams.seal(key, source, id)) await file.writeFile(piece)
      await file.sync()
    } finally {
      await file.close()
    }
  }
  const syncFolder = async (): Promise<void> => {
    const folder = await open(directory, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  const blobs: Blobs = {
    async write(source, { maxBytes, signal }) {
      const id = randomToken(128)
      const key = streams.newKey()
      const counted = counting(source, maxBytes, signal)
      const draft = `${pathOf(id)}${DRAFT}`
      try {
        await writeSealed(draft, id, key, counted.source)
        signal?.throwIfAborted()
        await rename(draft, pathOf(id))
        await syncFolder()
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
      const sealed = vault.sealFor(
        blobKeyPurpose(id),
        new SecretValue(Buffer.from(key).toString('base64url')),
      )
      key.fill(0)
      return { id, key: sealed, bytes: counted.bytes() }
    },

    async *read({ id, key }) {
      const opened = Buffer.from(vault.openFor(blobKeyPurpose(id), key).open(), 'base64url')
      try {
        yield* streams.open(opened, createReadStream(pathOf(id)), id)
      } catch (error) {
        // A database that was restored without the folder beside it names bodies that are not there.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        throw new AppError('gone', 'What it held is not there any more.')
      } finally {
        opened.fill(0)
      }
    },

    async readWhole(blob) {
      const pieces: Uint8Array[] = []
      for await (const piece of blobs.read(blob)) pieces.push(piece)
      return Buffer.concat(pieces)
    },

    remove: (id) => rm(pathOf(id), { force: true }),

    async sweep(named) {
      let removed = 0
      for (const name of await readdir(directory).catch(() => [])) {
        const id = name.endsWith(DRAFT) ? name.slice(0, -DRAFT.length) : name
        if (!BLOB_NAME.test(id) || (id === name && named.has(id))) continue
        await rm(pathOf(name), { force: true })
        removed += 1
      }
      return removed
    },
  }
  return blobs
}

function counting(source: AsyncIterable<Uint8Array>, maxBytes: number, signal: AbortSignal | undefined) {
  let bytes = 0
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      signal?.throwIfAborted()
      bytes += chunk.length
      if (bytes > maxBytes) throw new AppError('too_large', `It is larger than ${formatBytes(maxBytes)}.`)
      yield chunk
    }
  }
  return { source: counted(), bytes: () => bytes }
}
