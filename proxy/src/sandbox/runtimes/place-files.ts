/** Writes files that a sandbox is to read into its endpoint's directory, and nothing outside it (path traversal). */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isPlainPath } from '../imports/index.ts'

/** Where locked modules stand below the endpoint's directory. */
export const IMPORTS_FOLDER = 'imports'

/** Not left to the umask: the sandbox's user is another one. */
const FOLDER_MODE = 0o755
const FILE_MODE = 0o444

/** Paths are relative with `/` between plain names; each is written once, readable by all and writable by nobody. */
export async function placeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const path of files.keys()) {
    if (!isPlainPath(path)) throw new TypeError(`not a plain relative path: ${JSON.stringify(path)}`)
  }
  const made = new Set<string>()
  const makeFolder = async (path: string): Promise<void> => {
    if (made.has(path)) return
    if (path !== folder) await makeFolder(dirname(path))
    await mkdir(path, { recursive: true })
    await chmod(path, FOLDER_MODE)
    made.add(path)
  }
  await makeFolder(folder)
  // The folder is fresh and the owner's alone, so no link can stand in the way; `wx` takes nothing that is there.
  for (const [path, bytes] of files) {
    const target = join(folder, path)
    await makeFolder(dirname(target))
    await writeFile(target, bytes, { flag: 'wx' })
    await chmod(target, FILE_MODE)
  }
}
