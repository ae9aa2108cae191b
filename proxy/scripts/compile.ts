/**
 * `npm run build`: writes what an installation and the container run, proxy/dist: the daemon, the command line and the packages
 * that they load, in a few files. Types are taken out by the bundler; nothing but the packages that the daemon itself runs on
 * is needed, so an image is built without compiler and tests. A checkout runs its sources as they are.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { type Plugin, rolldown } from 'rolldown'
import { licencesOf } from './bundle-licences.ts'

const from = join(import.meta.dirname, '../src')
const to = resolve(process.argv[2] ?? join(import.meta.dirname, '../dist'))

/** What threads and processes are started with, beside what is started by hand. Names are paths below `src`. */
const WORKERS = [
  'workers/background/worker',
  'workers/background/database',
  'workers/background/parser',
  'executions/program-reader/worker',
  'claude-runs/schema/worker',
]

/** Native, or asked for by where it is installed. */
const INSTALLED = [/^better-sqlite3$/, /^pg-native$/]

/**
 * A source finds its neighbours by its own place. In the bundle it has none, so it is told the place that it would have: all
 * files stand in `dist` itself.
 */
const placesOfSources: Plugin = {
  name: 'places-of-sources',
  transform: {
    filter: { id: /\.ts$/, code: /\bimport\.meta\.(?:url|dirname)\b/ },
    handler(code, id) {
      const place = JSON.stringify(`./${relative(from, id).replace(/ts$/, 'js')}`)
      return {
        code: code.replaceAll(/\bimport\.meta\.url\b/g, `new URL(${place}, import.meta.url).href`),
        map: null,
      }
    },
  },
}

/**
 * An `import` of a module of Node's own reads all that it exports, and some of that loads more (node:http has a whole undici, for
 * `WebSocket`): 35 ms and 14 MB. What is asked for by name loads what is named.
 */
const builtins: Plugin = {
  name: 'builtins-by-name',
  resolveId: (source) =>
    isBuiltin(source) && source !== 'node:module' ? `\0builtin:${source.replace(/^node:/, '')}` : null,
  load: {
    filter: { id: /^\0builtin:/ },
    handler: (id) => `module.exports = process.getBuiltinModule('node:${id.slice('\0builtin:'.length)}')`,
  },
}

const flat = (name: string): string => name.replaceAll('/', '-')

async function bundle(): Promise<readonly string[]> {
  const entries = WORKERS.map((name) => [flat(name), join(from, `${name}.ts`)] as const)
  await using build = await rolldown({
    input: { main: join(from, 'bundled.ts'), ...Object.fromEntries(entries) },
    platform: 'node',
    external: INSTALLED,
    plugins: [placesOfSources, builtins],
    onLog(level, log) {
      if (level === 'warn') throw new Error(log.message)
    },
  })
  const { output } = await build.write({
    dir: to,
    format: 'esm',
    entryFileNames: '[name].js',
    // Without a hash: the next version's takes the place of this one's in the compile cache.
    chunkFileNames: 'chunk-[name].js',
    sourcemap: true,
    comments: false,
    // Lines stay: a character that is escaped behind the map's back shifts no other line's places.
    minify: { compress: false, mangle: { keepNames: true }, codegen: { removeWhitespace: false } },
    codeSplitting: { groups: [{ name: 'builtins', test: /^\0builtin:/ }] },
  })
  for (const { fileName } of output) rewrite(join(to, fileName))
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
}

/**
 * V8 keeps the text of what runs. Node reads a file into two bytes a character if any of it is not ASCII: so nothing is. A map names
 * sources and does not hold them.
 */
function rewrite(file: string): void {
  const text = readFileSync(file, 'utf8')
  if (file.endsWith('.map')) {
    const { sourcesContent: _, ...map } = JSON.parse(text) as { sourcesContent?: unknown }
    writeFileSync(file, JSON.stringify(map))
    return
  }
  if (/\braw`[^`]*[^\0-\x7f]/.test(text)) throw new Error(`${file}: a raw template cannot be escaped`)
  writeFileSync(
    file,
    text.replaceAll(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}

rmSync(to, { recursive: true, force: true })
const modules = await bundle()
// The licences of what the files hold go where they go.
writeFileSync(join(to, 'THIRD-PARTY-LICENCES.txt'), licencesOf(modules))
for (const name of WORKERS) {
  const file = join(to, `${name}.js`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `import '${relative(dirname(file), join(to, flat(name)))}.js'\n`)
}
