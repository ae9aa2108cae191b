// The files of a Deno cache that an offline run needs, in a form that depends on nothing but what the modules hold: no times,
// no headers of one answer, no versions that nobody took.

const MARK = '\n// denoCacheMetadata='
const KEPT_HEADERS = ['content-type', 'location']
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Path → bytes. `kept` is what judgeGraph gave; `limits` ends a cache that grows without end. */
export function collectFiles(cache, kept, limits) {
  const files = new Map()
  let bytes = 0
  const add = (path, content) => {
    files.set(path, content)
    bytes += content.length
    if (files.size > limits.files || bytes > limits.bytes) throw new RangeError('too_large')
  }
  for (const path of walk(cache, 'remote')) {
    const file = remoteFile(Deno.readFileSync(`${cache}/${path}`), kept)
    if (file !== null) add(path, file)
  }
  const packuments = new Map()
  for (const name of kept.npm.keys()) {
    packuments.set(
      name,
      JSON.parse(Deno.readTextFileSync(`${cache}/npm/registry.npmjs.org/${name}/registry.json`)),
    )
  }
  const tags = usedTags(kept, packuments)
  for (const [name, versions] of kept.npm) {
    const folder = `npm/registry.npmjs.org/${name}`
    add(`${folder}/registry.json`, registryFile(packuments.get(name), versions, tags.get(name)))
    for (const version of versions) {
      for (const path of walk(cache, `${folder}/${version}`)) {
        if (!/\/\.(?:scripts-warned|scripts-run|initialized)[^/]*$/.test(path))
          add(path, Deno.readFileSync(`${cache}/${path}`))
      }
    }
  }
  return files
}

function* walk(cache, folder) {
  let entries
  try {
    entries = [...Deno.readDirSync(`${cache}/${folder}`)]
  } catch (error) {
    // A package for another kind of machine was never fetched.
    if (error instanceof Deno.errors.NotFound) return
    throw error
  }
  for (const { name, isFile, isDirectory } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (isDirectory) yield* walk(cache, `${folder}/${name}`)
    else if (isFile) yield `${folder}/${name}`
  }
}

/** Null when nobody needs it. */
function remoteFile(bytes, kept) {
  const { body, meta } = split(bytes)
  if (meta === null || !kept.urls.has(meta.url)) return null
  const headers = Object.fromEntries(
    KEPT_HEADERS.filter((name) => Object.hasOwn(meta.headers, name)).map((name) => [
      name,
      meta.headers[name],
    ]),
  )
  const name = /^https:\/\/jsr\.io\/(@[^/]+\/[^/]+)\/meta\.json$/.exec(meta.url)?.[1]
  const versions = name === undefined ? undefined : kept.jsr.get(name)
  const content = versions === undefined ? body : jsrFile(decoder.decode(body), versions)
  return joined(content, encoder.encode(MARK + JSON.stringify({ headers, url: meta.url })))
}

/** The mark is the last line of the file. */
function split(bytes) {
  const end = bytes.lastIndexOf(10)
  const tail = end < 0 ? '' : decoder.decode(bytes.subarray(end))
  if (!tail.startsWith(MARK)) return { body: bytes, meta: null }
  return { body: bytes.subarray(0, end), meta: JSON.parse(tail.slice(MARK.length)) }
}

function jsrFile(text, versions) {
  const { scope, name } = JSON.parse(text)
  return encoder.encode(JSON.stringify({ scope, name, versions: only({}, versions) }))
}

function registryFile({ name, versions: all }, versions, tags = new Map()) {
  const kept = only(all, versions)
  for (const version of Object.values(kept)) {
    delete version.hasInstallScript
    delete version.scripts
  }
  return encoder.encode(
    JSON.stringify(sorted({ name, 'dist-tags': Object.fromEntries(tags), versions: kept })),
  )
}

/** Tags that the program or a package of it asks for by name; others come and go without meaning anything here. */
function usedTags(kept, packuments) {
  const used = new Map(
    [...kept.tags].map(([name, tags]) => [name, new Map([...tags].filter(([tag]) => /^[a-z]/i.test(tag)))]),
  )
  for (const [name, versions] of kept.npm) {
    for (const version of Object.values(only(packuments.get(name).versions, versions))) {
      for (const [dependency, range] of Object.entries({
        ...version.dependencies,
        ...version.optionalDependencies,
      })) {
        const [, alias = dependency, tag = range] = /^npm:((?:@[^/]+\/)?[^@/]+)@?(.*)$/.exec(range) ?? []
        const meant = packuments.get(alias)?.['dist-tags']?.[tag]
        if (meant === undefined || !kept.npm.get(alias).has(meant)) continue
        if (!used.has(alias)) used.set(alias, new Map())
        used.get(alias).set(tag, meant)
      }
    }
  }
  return used
}

const only = (all, names) =>
  Object.fromEntries([...names].sort().map((name) => [name, Object.hasOwn(all, name) ? all[name] : {}]))

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  )
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
