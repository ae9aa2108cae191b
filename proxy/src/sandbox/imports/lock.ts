import { canonicalJson, sha256Hex } from '../../kernel/index.ts'
import type { ImportFile, LockedImports } from './ports.ts'

/** What may be locked for one program; more is a program of another kind. */
export const IMPORT_LIMITS = { files: 2_000, bytes: 32 * 1_048_576, modules: 300 } as const

/** The canonical text whose SHA-256 is the lock's hash. */
interface Manifest {
  readonly v: 1
  readonly runtime: string
  readonly image: string
  readonly files: readonly ImportFile[]
  readonly modules: readonly string[]
}

const PLAIN_NAME = /^(?!\.{1,2}$)[^/\\\0]{1,255}$/

/** Relative, `/` between plain names: it stays below whatever folder it is put in. */
export const isPlainPath = (path: string): boolean =>
  path.length <= 1_000 && path.split('/').every((name) => PLAIN_NAME.test(name))

/** Fixes modules by content. Equal contents at equal paths give an equal hash. */
export function sealLock(input: {
  readonly runtime: { readonly name: string; readonly image: string }
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly modules: readonly string[]
}): LockedImports {
  const contents = new Map<string, Uint8Array>()
  const files = [...input.files].map(([path, bytes]): ImportFile => {
    if (!isPlainPath(path)) throw new TypeError(`not a plain relative path: ${JSON.stringify(path)}`)
    const sha256 = sha256Hex(bytes)
    contents.set(sha256, bytes)
    return { path, sha256, bytes: bytes.length }
  })
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  const modules = [...new Set(input.modules)].sort()
  const manifest: Manifest = { v: 1, runtime: input.runtime.name, image: input.runtime.image, files, modules }
  return opened(sha256Hex(canonicalJson(manifest)), manifest, contents)
}

/** The text that a lock's hash is the hash of. */
export const manifestOf = ({ lock, runtime }: LockedImports): string =>
  canonicalJson({
    v: 1,
    runtime: runtime.name,
    image: runtime.image,
    files: lock.files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes })),
    modules: [...lock.modules],
  })

/** A stored lock, or undefined when text or contents are not those that the hash names. */
export function openLock(
  hash: string,
  text: string,
  read: (sha256: string) => Uint8Array | undefined,
): LockedImports | undefined {
  if (sha256Hex(text) !== hash) return undefined
  const manifest = JSON.parse(text) as Manifest
  const contents = new Map<string, Uint8Array>()
  for (const { sha256 } of manifest.files) {
    const bytes = contents.get(sha256) ?? read(sha256)
    if (bytes === undefined) return undefined
    if (!contents.has(sha256) && sha256Hex(bytes) !== sha256) return undefined
    contents.set(sha256, bytes)
  }
  return opened(hash, manifest, contents)
}

function opened(hash: string, manifest: Manifest, contents: ReadonlyMap<string, Uint8Array>): LockedImports {
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
  return {
    lock: { hash, files: manifest.files, bytes, modules: manifest.modules },
    runtime: { name: manifest.runtime, image: manifest.image },
    contents,
  }
}
