// Keeps the code from running text that nobody was shown. V8's flag --disallow-code-generation-from-strings refuses eval
// and the Function constructors. This refuses the other ways in which Node makes code out of text (contexts, modules at
// data: addresses and in files that the code wrote, WebAssembly) and whatever could bring one of them back. Threads,
// programs, add-ons, WASI and the inspector are refused by Node's permissions.
import module from 'node:module'
import v8 from 'node:v8'

/** They run text by themselves. */
const REFUSED = ['node:vm', 'node:repl']

// The code may replace what it finds: kept from before.
const { apply, defineProperty } = Reflect
const { compare, from } = Buffer
const { startsWith } = String.prototype
const isRefused = Array.prototype.includes.bind(REFUSED)

function refuse(what) {
  throw new EvalError(`${what} can make code from text: ask with "dynamic_code": true`)
}

function replace(object, name, value) {
  defineProperty(object, name, { value, writable: false, configurable: false, enumerable: true })
}

function refuseCalls(object, called, names) {
  for (const name of names) replace(object, name, () => refuse(`${called}.${name}`))
}

/** Whether V8 was started with the flag. */
export function refusesCodeFromText() {
  try {
    return typeof new Function('') !== 'function'
  } catch {
    return true
  }
}

/**
 * Called when everything of the runner's own is loaded, right before the code is. `main`: file URL of the code, whose text
 * stands there already. All it costs the code is a call for each module that it imports.
 */
export function raiseCodeWall(main) {
  const check = (url) => {
    if (url === main) return
    if (typeof url !== 'string' || !apply(startsWith, url, ['node:']) || isRefused(url))
      refuse(`Importing ${url}`)
  }
  const allowCompile = wallCompile(module.prototype)
  let shown
  module.registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      check(found.url)
      return found
    },
    load(url, context, next) {
      check(url)
      const loaded = next(url, context)
      if (url !== main) return loaded
      // The code can write its own file: whatever loads it again finds the text that was there at first.
      const text = from(loaded.source)
      if (shown === undefined) {
        shown = text
        if (apply(startsWith, loaded.format, ['commonjs'])) allowCompile()
      } else if (compare(text, shown) !== 0) refuse('Loading the changed main program')
      return loaded
    },
  })
  refuseCalls(module, 'module', [
    'enableCompileCache',
    'register',
    'registerHooks',
    'runMain',
    '_preloadModules',
  ])
  refuseCalls(process, 'process', ['getBuiltinModule', 'binding', '_linkedBinding', 'execve'])
  refuseCalls(v8, 'v8', ['setFlagsFromString'])
  module.syncBuiltinESMExports()
  delete globalThis.WebAssembly
}

/** A program without `import` and `export` is compiled by this method; no other text ever is. */
function wallCompile(prototype) {
  const compile = prototype._compile
  let allowed = false
  replace(prototype, '_compile', function _compile(...given) {
    if (!allowed) refuse('module._compile')
    allowed = false
    return apply(compile, this, given)
  })
  return () => {
    allowed = true
  }
}
