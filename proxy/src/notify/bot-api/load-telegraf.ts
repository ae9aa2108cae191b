import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * Telegraf, without the URL parser of the HTTP client that it brings: Node has had its own since version 10, and the tables of that
 * one are 3 MB of what an idle daemon takes.
 */
export function loadTelegraf(): typeof import('telegraf') {
  const ofTelegraf = createRequire(require.resolve('telegraf'))
  const id = createRequire(ofTelegraf.resolve('node-fetch')).resolve('whatwg-url')
  require.cache[id] ??= {
    id,
    filename: id,
    loaded: true,
    exports: { URL },
    children: [],
    paths: [],
  } as unknown as NodeJS.Module
  return require('telegraf')
}
