import { AppError, hasHiddenCharacters } from '../../kernel/index.ts'
import type { ProviderGrant, Use } from './ports.ts'

/** What a grant is for: the part of it that says which requests it covers. */
export type Scope = Pick<ProviderGrant, 'groups' | 'models' | 'paths'>

const MAX_PATTERNS = 64
const MAX_PATTERN_LENGTH = 256

/** The longest name of a model that is asked about. */
export const MAX_MODEL_LENGTH = 256

/** An exact name, or a beginning that ends in `*`. */
export const modelMatches = (pattern: string, model: string): boolean =>
  pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : model === pattern

/** `/chat` is the beginning of `/chat` and `/chat/completions`, not of `/chatter`. */
export const pathMatches = (beginning: string, path: string): boolean =>
  path === beginning || path.startsWith(`${beginning}/`)

/** A grant for some models covers no request whose model is not known. */
export const scopeCovers = (
  { groups, models, paths }: Scope,
  { group, model, path }: Pick<Use, 'group' | 'model' | 'path'>,
): boolean =>
  groups.includes(group) &&
  (models === null || (model !== null && models.some((pattern) => modelMatches(pattern, model)))) &&
  (paths === null || paths.some((beginning) => pathMatches(beginning, path)))

/** Whether every request that `inner` covers is covered by `outer`. Says no where it takes more than one pattern to cover one. */
export function scopeIncludes(outer: Scope, inner: Scope): boolean {
  return (
    inner.groups.every((group) => outer.groups.includes(group)) &&
    listIncludes(outer.models, inner.models, (pattern, other) =>
      other.endsWith('*')
        ? pattern.endsWith('*') && other.startsWith(pattern.slice(0, -1))
        : modelMatches(pattern, other),
    ) &&
    listIncludes(outer.paths, inner.paths, pathMatches)
  )
}

function listIncludes(
  outer: readonly string[] | null,
  inner: readonly string[] | null,
  includes: (pattern: string, other: string) => boolean,
): boolean {
  if (outer === null) return true
  return inner?.every((other) => outer.some((pattern) => includes(pattern, other))) ?? false
}

/** A name that can be granted as it is: nothing in it is hidden or would be read as a pattern. */
export const isPlainModel = (model: string): boolean =>
  /^\S+$/u.test(model) && !model.includes('*') && !hasHiddenCharacters(model)

/** The patterns as stored; `*` alone is every model, which is null. Throws invalid_request. */
export function readModels(models: readonly string[] | null): readonly string[] | null {
  if (models === null || models.includes('*')) return null
  return readList('model', models, (pattern) => {
    if (!isPlainModel(pattern.replace(/\*$/, ''))) {
      throw new AppError('invalid_request', 'A model is an exact name, or a beginning that ends in *.')
    }
    return pattern
  })
}

/** The beginnings as stored; `/` alone is every path, which is null. Throws invalid_request. */
export function readPaths(paths: readonly string[] | null): readonly string[] | null {
  if (paths === null) return null
  const read = readList('path', paths, (path) => {
    const beginning = path.replace(/\/\*?$/, '')
    const segments = beginning.split('/').slice(1)
    const plain = segments.every(
      (segment) => /^[\w.~:@!$&'()+,;=-]+$/.test(segment) && !/^\.{1,2}$/.test(segment),
    )
    if ((beginning !== '' && !beginning.startsWith('/')) || !plain) {
      throw new AppError(
        'invalid_request',
        'A path is a beginning by whole segments, such as /chat/completions.',
      )
    }
    return beginning
  })
  return read.includes('') ? null : read
}

function readList(what: string, items: readonly string[], read: (item: string) => string): readonly string[] {
  if (items.length === 0 || items.length > MAX_PATTERNS) {
    throw new AppError(
      'invalid_request',
      `Name 1–${MAX_PATTERNS} ${what}s, or leave them out for every ${what}.`,
    )
  }
  for (const item of items) {
    if (item.length === 0 || item.length > MAX_PATTERN_LENGTH) {
      throw new AppError('invalid_request', `A ${what} has 1–${MAX_PATTERN_LENGTH} characters.`)
    }
  }
  return [...new Set(items.map(read))].toSorted()
}
