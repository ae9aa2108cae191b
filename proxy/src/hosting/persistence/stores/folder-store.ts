import { type FileHandle, link, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { randomToken } from '../../../kernel/index.ts'
import { assertObjectName, type ObjectStore } from './object-store.ts'

/** Names with a dot are no object's. */
const DRAFT = '.draft'
const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** A folder of this host, or one that it mounts: each object a file, whole and on the disk before its name is there. */
export function createFolderStore(folder: string): ObjectStore {
  const pathOf = (name: string): string => {
    assertObjectName(name)
    return join(folder, name)
  }
  return {
    kind: 'folder',
    where: folder,
    async put(name, bytes, { ifAbsent = false, signal }) {
      signal.throwIfAborted()
      const path = pathOf(name)
      const draft = join(folder, `${randomToken(128)}${DRAFT}`)
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 })
        await writeSynced(draft, bytes, signal)
        await inPlace(ifAbsent ? link : rename, draft, path)
        await syncFolder(dirname(path))
        return 'stored'
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return 'exists'
        throw error
      } finally {
        await rm(draft, { force: true })
      }
    },

    async get(name, { offset, bytes }, signal) {
      signal.throwIfAborted()
      let file: FileHandle
      try {
        file = await open(pathOf(name), 'r')
      } catch (error) {
        if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
        throw error
      }
      try {
        const part = Buffer.alloc(bytes)
        const { bytesRead } = await file.read(part, 0, bytes, offset)
        return part.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    },

    async *list(prefix, signal) {
      assertObjectName(`${prefix}x`)
      yield* below(folder, prefix, signal)
    },

    async remove(name, signal) {
      signal.throwIfAborted()
      const path = pathOf(name)
      await rm(path, { force: true })
      // Folders of nothing are of no use; one that just gets something is not empty.
      for (
        let parent = dirname(path);
        parent !== folder && parent.startsWith(folder);
        parent = dirname(parent)
      )
        if (
          !(await rmdir(parent).then(
            () => true,
            () => false,
          ))
        )
          return
    },
    async [Symbol.asyncDispose]() {},
  }
}

async function writeSynced(path: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(bytes, { signal })
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Its folder may be removed as empty meanwhile. */
async function inPlace(move: typeof link, draft: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await move(draft, path)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || attempt === 5) throw error
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    }
  }
}

async function* below(folder: string, prefix: string, signal: AbortSignal): AsyncGenerator<string> {
  signal.throwIfAborted()
  const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  for (const entry of entries) {
    if (entry.name.includes('.')) continue
    if (entry.isDirectory()) yield* below(folder, `${prefix}${entry.name}/`, signal)
    else yield prefix + entry.name
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
