// Statements that import a built-in module by name see what that exported when it was made: what was replaced in it, and
// what is refused of it, is exported by a module that stands in its place.
import module from 'node:module'
import process from 'node:process'

const { stringify } = JSON

/**
 * The address of the text of such a module. `answered`: names that the module's own object has anew. `refused`: name → what
 * the error says.
 */
export function standInFor(url, { answered = [], refused = [] }) {
  const names = refused.map(([name]) => name)
  // Whoever changes the object of the process means the process.
  const isShared = names.length === 0 || url === 'node:process'
  const text = [
    `import whole from '${url}'`,
    `export * from '${url}'`,
    `export const { ${answered.join(', ')} } = whole`,
    ...refused.map(([name, said]) => `export function ${name}() { throw new EvalError(${stringify(said)}) }`),
    `export default ${isShared ? 'whole' : `{ ...whole, ${names.join(', ')} }`}`,
  ].join('\n')
  return `data:text/javascript,${encodeURIComponent(text)}`
}

/**
 * Where no wall does it: has statements that import these modules find what was replaced in them. `answerOf`: replaces what is
 * replaced only when a module is asked for.
 */
export function standIn(answered, answerOf) {
  const builtIn = process.getBuiltinModule
  process.getBuiltinModule = function getBuiltinModule(name) {
    const url = String(name)
    answerOf(url.startsWith('node:') ? url : `node:${url}`)
    return builtIn(name)
  }
  const named = (url, names) => (url === 'node:process' ? [...names, 'getBuiltinModule'] : names)
  const texts = new Map(
    [...answered].map(([url, names]) => [url, standInFor(url, { answered: named(url, names) })]),
  )
  const own = new Set(texts.values())
  module.registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      answerOf(found.url)
      const instead = own.has(context.parentURL) ? undefined : texts.get(found.url)
      if (instead === undefined || context.conditions.includes('require')) return found
      return { url: instead, shortCircuit: true }
    },
  })
}
