/** The Deno that npm installed: where it is, and its digest. */
import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const fromHere = createRequire(import.meta.url)

/** Path of a file inside an npm package; undefined when the package is not installed. */
export function packageFile(packageName: string, file: string): string | undefined {
  for (const folder of fromHere.resolve.paths(packageName) ?? []) {
    const path = join(folder, packageName, file)
    if (existsSync(path)) return path
  }
  return undefined
}

/** The binary for the machine this process runs on. */
export function hostDenoBinary(): string | undefined {
  const libc = process.platform === 'linux' ? '-glibc' : ''
  const file = process.platform === 'win32' ? 'deno.exe' : 'deno'
  return (
    packageFile(`@deno/${process.platform}-${process.arch}${libc}`, file) ??
    siblingPackageFile(`${process.platform}-${process.arch}${libc}`, file)
  )
}

/** Where npm nests the platform's package under `deno` itself. */
function siblingPackageFile(platform: string, file: string): string | undefined {
  const main = packageFile('deno', 'package.json')
  if (main === undefined) return undefined
  const path = join(dirname(main), 'node_modules', '@deno', platform, file)
  return existsSync(path) ? path : undefined
}

const PIECE_BYTES = 1_048_576
const digests = new Map<string, Promise<string>>()

/** `sha256:…` of a file; read again only when its size or time changed. */
export function fileDigest(path: string): Promise<string> {
  const { size, mtimeMs, ino } = statSync(path)
  const key = `${path}\0${size}\0${mtimeMs}\0${ino}`
  const known = digests.get(key)
  if (known !== undefined) return known
  const digest = digestOf(path)
  digests.set(key, digest)
  digest.catch(() => digests.delete(key))
  return digest
}

/** In one piece of memory: a stream takes a new one for each read, and as much processor time again as the hash. */
async function digestOf(path: string): Promise<string> {
  await using file = await open(path)
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null)
    if (bytesRead === 0) return `sha256:${hash.digest('hex')}`
    hash.update(piece.subarray(0, bytesRead))
  }
}
