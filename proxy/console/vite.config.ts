import { defineConfig, type Plugin } from 'vite'
import { ADMIN_ROUTES } from '../src/contracts/admin/index.ts'
import { CONSOLE_ROUTES } from '../src/contracts/console/index.ts'
import type { RouteTable } from '../src/contracts/index.ts'

/** Methods and paths of the contract without its schemas, which would bring zod into the page. */
const routesOf = (table: RouteTable): unknown =>
  Object.fromEntries(
    Object.entries(table).map(([name, { method, path, isLines, isEvents }]) => [
      name,
      { method, path, ...(isLines && { isLines }), ...(isEvents && { isEvents }) },
    ]),
  )

const ROUTES = 'virtual:routes'

/** The page calls routes by the names of the daemon's own tables, read when it is built. */
const routes: Plugin = {
  name: 'routes',
  resolveId: (source) => (source === ROUTES ? `\0${ROUTES}` : null),
  load: (id) =>
    id === `\0${ROUTES}`
      ? Object.entries({ ADMIN_ROUTES, CONSOLE_ROUTES })
          .map(([name, table]) => `export const ${name} = ${JSON.stringify(routesOf(table))}\n`)
          .join('')
      : null,
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  plugins: [routes],
  build: {
    // What the page itself is written in needs this much: light-dark(), Iterator helpers.
    target: ['chrome125', 'firefox128', 'safari17.5'],
    // It would be an inline script.
    modulePreload: { polyfill: false },
    // A data: URL is no file whose hash can be told; the page has few files.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    sourcemap: false,
  },
})
