import type { Manifest } from './manifest.ts'
import { manifestName, numberOf, packName, prefixOf } from './object-names.ts'
import type { FilesKey, Snapshot } from './ports.ts'
import type { ObjectStore } from './stores/index.ts'

/**
 * Removes what no kept snapshot names: packs, manifests, and what attempts left that never ended. Objects of attempts after the last
 * one that was kept are left, since one of them may be under way; a removal that comes late meets a name that is never used again.
 * Resolves to how many.
 */
export async function collectGarbage(of: {
  readonly store: ObjectStore
  readonly key: FilesKey
  readonly kept: readonly { readonly snapshot: Snapshot; readonly manifest: Manifest }[]
  readonly signal: AbortSignal
}): Promise<number> {
  const { store, key, kept, signal } = of
  const named = new Set<string>()
  let last = 0
  for (const { snapshot, manifest } of kept) {
    last = Math.max(last, snapshot.number)
    named.add(manifestName(key, snapshot.attempt))
    for (const { attempt, index } of manifest.packs) named.add(packName(key, attempt, index))
  }
  let removed = 0
  for await (const name of store.list(prefixOf(key), signal)) {
    const number = numberOf(key, name)
    if (number === undefined || number > last || named.has(name)) continue
    await store.remove(name, signal)
    removed += 1
  }
  return removed
}
