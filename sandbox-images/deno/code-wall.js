// Keeps the code from running text that nobody was shown. V8's flag --disallow-code-generation-from-strings refuses eval
// and the Function constructors. This refuses the other ways in which Deno makes code out of text (contexts, modules at
// data: and blob: addresses and in files that the code wrote, workers, WebAssembly) and whatever could bring one of them
// back: Deno's own internals, which compile text, hang on `Deno` for everybody.
import module from 'node:module'
import process from 'node:process'
import { standInFor } from './stand-in.js'

/** They run text by themselves, or give out the loader. */
const REFUSED = ['vm', 'module', 'repl', 'inspector', 'inspector/promises', 'wasi', 'test'].map(nodeUrl)

/** Of modules that are good for more: what makes code from text, or leads there. Loaded when the code asks for one. */
const PARTS = new Map([
  ['node:process', ['getBuiltinModule', 'binding']],
  ['node:v8', ['setFlagsFromString']],
  ['node:worker_threads', ['Worker']],
])

/** Deno itself refuses what was not locked. */
const REMOTE = ['https:', 'http:', 'npm:', 'jsr:']

/** Read-only: locked modules are below it. */
const LOCKED = 'file:///run/oauth3/'

// The code may replace what it finds: kept from before.
const { apply, defineProperty } = Reflect
const { startsWith, includes } = String.prototype
const begins = (text, start) => apply(startsWith, text, [start])
const holds = (text, part) => apply(includes, text, [part])
const { some } = Array.prototype
const isOneOf = (list, test) => apply(some, list, [test])
const { stringify } = JSON
const encode = encodeURIComponent

const REFUSING = Symbol('a module that says that it was refused')

function nodeUrl(name) {
  return `node:${name}`
}

const saying = (what) => `${what} can make code from text: ask with "dynamic_code": true`

/** Not an arrow function: some of what it stands for is called with `new`. */
const refusal = (what) =>
  function refused() {
    throw new EvalError(saying(what))
  }

function replace(object, name, value) {
  defineProperty(object, name, { value, writable: false, configurable: false, enumerable: false })
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
 * Called when everything of the runner's own is loaded, before the code is. `main`: URL of the code. `answered`: module →
 * names of exports that the runner has replaced in it (see machine.js), some of them when `answerOf` is told that it is asked for.
 * The function that it returns takes the URL of a module of the runner's own, made of text, and lets that through with what
 * it imports itself. Given null, it ends that, and returns what was refused meanwhile as an Error, or null.
 */
export function raiseCodeWall(main, answered, answerOf) {
  const shims = new Map(
    [...new Set([...PARTS.keys(), ...answered.keys()])].map((url) => {
      const refused = (PARTS.get(url) ?? []).map((part) => [part, saying(`${url} ${part}`)])
      return [url, standInFor(url, { answered: answered.get(url), refused })]
    }),
  )
  const shimOf = shims.get.bind(shims)
  const own = new Set(shims.values())
  const isOwnShim = own.has.bind(own)
  const partsOf = PARTS.get.bind(PARTS)
  const builtIn = process.getBuiltinModule
  const patched = new Set()
  const isPatched = patched.has.bind(patched)
  const addPatched = patched.add.bind(patched)
  function patch(url) {
    if (isPatched(url)) return
    addPatched(url)
    const parts = partsOf(url) ?? []
    const whole = builtIn(url)
    for (let i = 0; i < parts.length; i += 1) replace(whole, parts[i], refusal(`${url} ${parts[i]}`))
  }
  patch('node:process')
  let gate = null
  let said = null

  /** What stands in for the module at `url`; undefined where that itself is loaded. */
  function standIn(url, parent) {
    if (gate !== null && (url === gate || parent === gate)) return undefined
    if (begins(url, 'node:')) {
      if (isOneOf(REFUSED, (refused) => refused === url)) return REFUSING
      return isOwnShim(parent) ? undefined : shimOf(url)
    }
    if (url === main || isOneOf(REMOTE, (scheme) => begins(url, scheme)) || isOwnShim(url)) return undefined
    // An escaped slash is none to the parser of URLs, and one to the reader of files.
    if (begins(url, LOCKED) && !holds(url, '%2f') && !holds(url, '%2F')) return undefined
    return REFUSING
  }

  module.registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      answerOf(found.url)
      const instead = standIn(found.url, context.parentURL)
      if (instead === undefined) return found
      const required = isOneOf(context.conditions, (one) => one === 'require')
      if (instead !== REFUSING) {
        if (!required) return { url: instead, shortCircuit: true }
        patch(found.url)
        return found
      }
      said ??= saying(`Importing ${found.url}`)
      if (required) throw new EvalError(said)
      // Deno passes over an error that is thrown here where a built-in module is imported by a statement.
      const text = `throw new EvalError(${stringify(saying(`Importing ${found.url}`))})`
      return { url: `data:text/javascript,${encode(text)}`, shortCircuit: true }
    },
  })
  replace(module, 'registerHooks', refusal('module.registerHooks'))
  wallCompile(module.prototype)
  delete Deno[Deno.internal]
  delete Deno.internal
  replace(globalThis, 'Worker', refusal('Worker'))
  delete globalThis.WebAssembly
  return (url) => {
    const before = said
    gate = url
    said = null
    return before === null ? null : new EvalError(before)
  }
}

/** A package of CommonJS is compiled by this method, and reaches it: it compiles files of locked packages as they are. */
function wallCompile(prototype) {
  const compile = prototype._compile
  const { readTextFileSync } = Deno
  replace(prototype, '_compile', function _compile(...given) {
    const content = given[0]
    const filename = given[1]
    const locked =
      typeof filename === 'string' && begins(`file://${filename}`, LOCKED) && !holds(filename, '/..')
    if (!locked || content !== readTextFileSync(filename)) throw new EvalError(saying('module._compile'))
    return apply(compile, this, given)
  })
}
