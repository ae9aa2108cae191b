import { skeleton } from '../facts/index.ts'
import { createNeighbourIndex, isOneEditApart } from './edit-distance.ts'
import { HONEST_NEIGHBOURS, HONEST_SCOPES } from './lists/package-neighbours.ts'
import { POPULAR_PACKAGES, POPULAR_SCOPES, STD_MODULES } from './lists/packages.ts'

/** Names of this length and more are compared by one edit. */
const LONG_NAME = 5

const plain = POPULAR_PACKAGES.filter((name) => !name.startsWith('@'))
const KNOWN: ReadonlySet<string> = new Set([...POPULAR_PACKAGES, ...HONEST_NEIGHBOURS])
const SCOPES: ReadonlySet<string> = new Set([...POPULAR_SCOPES, ...HONEST_SCOPES])
/** Without separators and the scope's mark: `@types/node` is imitated as `types-node`. */
const bare = (name: string): string => name.replace(/[@/._-]/g, '')

const indexOfPopular = () => ({
  neighbours: createNeighbourIndex(plain.filter((name) => name.length >= LONG_NAME)),
  scopeNeighbours: createNeighbourIndex(POPULAR_SCOPES.filter((scope) => scope.length >= LONG_NAME)),
  bySkeleton: new Map(plain.filter((name) => name.length >= 4).map((name) => [skeleton(name), name])),
  scopeBySkeleton: new Map(
    POPULAR_SCOPES.filter((scope) => scope.length >= 4).map((scope) => [skeleton(scope), scope]),
  ),
  byBare: new Map(
    POPULAR_PACKAGES.filter((name) => bare(name).length >= 4).map((name) => [bare(name), name]),
  ),
})

/** Made for the first package that is asked about: it is a hundredth of what an idle daemon takes. */
let popularIndex: ReturnType<typeof indexOfPopular> | undefined
const popular = (): ReturnType<typeof indexOfPopular> => {
  popularIndex ??= indexOfPopular()
  return popularIndex
}

/** A package that a module comes from: its registry and its name with the scope. */
interface PackageName {
  readonly registry: 'npm' | 'jsr'
  readonly name: string
}

const NAME = /^(@[a-z0-9~._-]{1,214}\/[a-z0-9~._-]{1,214}|[a-z0-9~._-]{1,214})(?=$|[@/?#])/i
const CDN =
  /^https:\/\/(?:esm\.sh|cdn\.skypack\.dev|unpkg\.com|cdn\.jsdelivr\.net\/npm|esm\.run|ga\.jspm\.io\/npm:|dev\.jspm\.io\/npm:|deno\.bundlejs\.com)\/?(?:v\d{1,4}\/|stable\/|pin\/v\d{1,4}\/)?\*?/

/** The package of a module as it is named in code or in a lock; undefined for what comes from no registry. */
function packageOf(module: string): PackageName | undefined {
  const text = module.slice(0, 600)
  const registry =
    text.startsWith('jsr:') || /^https:\/\/(?:esm\.sh\/jsr\/|jsr\.io\/)/.test(text) ? 'jsr' : 'npm'
  const rest = text
    .replace(/^(?:npm|jsr):\/?/, '')
    .replace(/^https:\/\/(?:esm\.sh\/jsr|jsr\.io)\//, '')
    .replace(CDN, '')
  if (rest.includes('://') || /^(?:node|data|blob|file):|^[./]|^gh\//.test(rest)) return undefined
  const name = NAME.exec(rest)?.[1]
  return name === undefined ? undefined : { registry, name: name.toLowerCase() }
}

/**
 * Typosquatting of packages: the popular package that a module's package could be taken for; undefined when it is one or
 * resembles none.
 */
export function imitatedPackage(
  module: string,
): { readonly name: string; readonly like: string } | undefined {
  const found = packageOf(module)
  if (found === undefined) return undefined
  const { registry, name } = found
  const like = registry === 'jsr' ? imitatedJsr(name) : imitatedNpm(name)
  return like === undefined ? undefined : { name: `${registry}:${name}`, like }
}

function imitatedJsr(name: string): string | undefined {
  const [scope = '', module = ''] = name.replace(/^@/, '').split('/')
  if (scope === 'std') return undefined
  const isLookalike =
    isOneEditApart(scope, 'std') || /^(?:deno-?std|std-?deno|std-?lib|stdlib|deno-?land)$/.test(scope)
  return isLookalike && STD_MODULES.has(module) ? `@std/${module}` : undefined
}

function imitatedNpm(name: string): string | undefined {
  if (KNOWN.has(name)) return undefined
  return name.startsWith('@') ? imitatedScope(name) : imitatedPlain(name)
}

function imitatedScope(name: string): string | undefined {
  const [scope = '', module = ''] = name.slice(1).split('/')
  if (SCOPES.has(scope)) return undefined
  const like = popular().scopeBySkeleton.get(skeleton(scope)) ?? popular().scopeNeighbours.find(scope)
  if (like !== undefined) return `@${like}/${module}`
  const joined = POPULAR_SCOPES.find((known) => known.length >= 5 && bare(known) === bare(scope))
  return joined === undefined ? undefined : `@${joined}/${module}`
}

function imitatedPlain(name: string): string | undefined {
  const imitated = popular().bySkeleton.get(skeleton(name)) ?? popular().byBare.get(bare(name))
  if (imitated !== undefined) return imitated
  const stem =
    /^(.{3,}?)[._-]?(?:js|ts|node|nodejs|npm)$/.exec(name)?.[1] ??
    /^(?:node|npm|js)[._-]?(.{4,})$/.exec(name)?.[1]
  if (stem !== undefined && plain.includes(stem) && stem.length >= 4) return stem
  const undoubled = name.replace(/(.)\1/, '$1')
  if (name.length === 4 && undoubled.length === 3 && plain.includes(undoubled)) return undoubled
  if (name.length < LONG_NAME - 1) return undefined
  return popular().neighbours.find(name, (known) => known.length > LONG_NAME || known[0] === name[0])
}
