import { lstatSync } from 'node:fs'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { dirname, join } from 'node:path'
import { makeFolder } from '../storage/folder.ts'

/** Below the folder of the database, or of a checkout's cache. */
export const COMPILE_CACHE = 'compile-cache'

/**
 * V8's compile cache: what is loaded from here on is read as it was compiled the last time. Whoever can write there decides what the
 * daemon runs, so it is used only where the folder is this user's alone, and the one that it is in this user's alone to write. Node makes
 * folders below it, with the modes that the umask leaves. A process has one: the first. Returns why it is not used; null where it is.
 */
export function enableOwnCompileCache(dataFolder: string): string | null {
  if (getCompileCacheDir() !== undefined) return null
  const folder = join(dataFolder, COMPILE_CACHE)
  try {
    makeFolder(folder)
  } catch (error) {
    // Where a daemon cannot work at all, its lock says so in more words.
    return `${folder} cannot be made (${(error as NodeJS.ErrnoException).code})`
  }
  const problem = problemOf(folder, 0o077) ?? problemOf(dirname(folder), 0o022)
  if (problem !== null) return problem
  enableCompileCache(folder)
  return null
}

/**
 * The same for the sources of a checkout, the commands' with them: their types are taken out once. It lies with what npm has installed, so
 * not where that is another user's: they could not remove it.
 */
export function enableCheckoutCompileCache(nodeModules: string): void {
  const isOwn = lstatSync(nodeModules, { throwIfNoEntry: false })?.uid === process.getuid?.()
  if (isOwn) enableOwnCompileCache(join(nodeModules, '.cache/oauth3'))
}

function problemOf(path: string, forbidden: number): string | null {
  const stats = lstatSync(path)
  // Not followed where it is a link: who can change that chooses the folder.
  if (!stats.isDirectory()) return `${path} is no folder`
  if (stats.uid !== process.getuid?.()) return `${path} belongs to another user`
  if ((stats.mode & forbidden) === 0) return null
  // What stands in the cache by now may be theirs, and no other mode makes that good again.
  return forbidden === 0o022
    ? `others can write in ${path}; run: chmod go-w ${path}`
    : `others can reach what is in ${path}; run: rm -r ${path}`
}
