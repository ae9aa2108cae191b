// What `deno info --json` says of a program, evaluated: either every import of it can be locked, and this is what has to be kept
// for that; or one cannot, and this is the line. Only what code loads counts; types are left out.

const REMOTE = /^(?:https?|jsr|npm):/i
const JSR_FILE = /^https:\/\/jsr\.io\/(@[^/]+\/[^/]+)\/([^/]+)\//
const MAX_REASON = 200

/** `info`: the parsed JSON. `main`: specifier of the program. */
export function evaluateGraph(info, main) {
  const modules = new Map(info.modules.map((module) => [module.specifier, module]))
  const redirects = new Map(Object.entries(info.redirects ?? {}))
  const kept = { urls: new Set(), jsr: new Map(), npm: new Map(), tags: new Map(), modules: new Set() }
  const program = modules.get(main)
  if (program === undefined || program.error !== undefined) {
    return { refused: unreadable(program?.error ?? 'it is not there') }
  }
  const seen = new Set()
  const waiting = []
  for (const dependency of program.dependencies ?? []) {
    const { specifier, code } = dependency
    if (code === undefined) continue
    const origin = { line: code.span.start.line + 1, specifier }
    if (code.error !== undefined) {
      // Names that mean nothing at all fail in the run, as they do without imports from elsewhere.
      if (REMOTE.test(specifier)) return { refused: refusal(origin, specifier, code.error) }
    } else waiting.push({ target: code.specifier, origin })
  }
  while (waiting.length > 0) {
    const { target, origin } = waiting.shift()
    if (seen.has(target)) continue
    seen.add(target)
    if (redirects.has(target)) {
      if (target.startsWith('https:')) kept.urls.add(target)
      if (target.startsWith('npm:')) keepTag(target, redirects.get(target), kept)
      waiting.push({ target: redirects.get(target), origin })
      continue
    }
    const isData = target.startsWith('data:')
    if (!isData && !REMOTE.test(target)) continue
    const module = modules.get(target)
    if (module === undefined || module.error !== undefined) {
      return { refused: refusal(origin, target, module?.error ?? 'it is not a module') }
    }
    if (module.kind === 'npm') {
      keepPackages(module.npmPackage, info.npmPackages ?? {}, kept)
      continue
    }
    if (!isData) {
      if (typeof module.local !== 'string' || !target.startsWith('https:')) {
        return { refused: refusal(origin, target, 'it is not a module that can be kept') }
      }
      keepUrl(target, kept)
    }
    for (const { specifier, code, isDynamic } of module.dependencies ?? []) {
      if (code === undefined) continue
      const local = code.error === undefined && /^(?:file|blob):/i.test(code.specifier)
      if (code.error !== undefined || local) {
        // Behind a condition that may never hold; if it does, it fails in the run.
        if (isDynamic && !REMOTE.test(specifier)) continue
        return { refused: refusal(origin, specifier, code.error ?? 'it is not from elsewhere') }
      }
      waiting.push({ target: code.specifier, origin })
    }
  }
  return {
    urls: kept.urls,
    jsr: kept.jsr,
    npm: kept.npm,
    tags: kept.tags,
    modules: [...kept.modules].sort(),
  }
}

function keepUrl(url, kept) {
  kept.urls.add(url)
  const file = JSR_FILE.exec(url)
  if (file === null) {
    kept.modules.add(url)
    return
  }
  const [, name, version] = file
  kept.modules.add(`jsr:${name}@${version}`)
  kept.urls.add(`https://jsr.io/${name}/meta.json`)
  kept.urls.add(`https://jsr.io/${name}/${version}_meta.json`)
  addVersion(kept.jsr, name, version)
}

function keepPackages(first, packages, kept) {
  const waiting = [first]
  const seen = new Set()
  while (waiting.length > 0) {
    const id = waiting.shift()
    if (id === undefined || seen.has(id) || !Object.hasOwn(packages, id)) continue
    seen.add(id)
    const { name, version, dependencies } = packages[id]
    kept.modules.add(`npm:${name}@${version}`)
    addVersion(kept.npm, name, version)
    waiting.push(...dependencies)
  }
}

/** `npm:name`, `npm:name@next`: what the tag meant is what it goes on to mean. */
function keepTag(asked, found, kept) {
  const [, name, tag = 'latest'] = /^npm:\/?((?:@[^/]+\/)?[^@/]+)(?:@([^/]+))?/.exec(asked) ?? []
  const version = /@([^@/_]+)(?:_.*)?$/.exec(found)?.[1]
  if (name === undefined || version === undefined) return
  if (!kept.tags.has(name)) kept.tags.set(name, new Map())
  kept.tags.get(name).set(tag, version)
}

function addVersion(versions, name, version) {
  if (!versions.has(name)) versions.set(name, new Set())
  versions.get(name).add(version)
}

function refusal({ line, specifier }, culprit, error) {
  const said = oneLine(error)
  const host = /^Requires import access to "([^"]+)"/.exec(said)?.[1]
  const which = culprit === specifier ? '' : `${cut(culprit)}: `
  if (/^http:/i.test(culprit)) return { line, specifier, reason: 'plain_http', why: `${which}plain http` }
  if (host !== undefined)
    return { line, specifier, reason: 'host_not_allowed', why: `${which}${host} is not an import host` }
  const missing = /not found|does not exist|Could not find/i.test(said)
  return { line, specifier, reason: missing ? 'not_found' : 'unreadable', why: which + said }
}

function unreadable(error) {
  const line = Number(/main\.ts:(\d+)/.exec(error)?.[1] ?? 1)
  return { line, specifier: 'main.ts', reason: 'unreadable', why: oneLine(error) }
}

const cut = (text) => (text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}…` : text)
const oneLine = (error) => cut(String(error).split('\n')[0].trim())
