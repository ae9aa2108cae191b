/**
 * Writes proxy/console/dist, which the daemon serves: hashed files, each with a brotli and a gzip of it beside it. Run by `npm ci`, so
 * that a checkout has it, by `npm run build` and by the image; takes a second and no network.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { licencesOf } from './bundle-licences.ts'

const CONSOLE = join(import.meta.dirname, '../console')
const dist = resolve(process.argv[2] ?? join(CONSOLE, 'dist'))

/** What gets smaller. */
const TEXTS = /\.(?:html|js|css|svg)$/

// Of whoever installs it may be another, which Vite takes for a page under development.
process.env.NODE_ENV = 'production'
const { output } = (await build({
  configFile: join(CONSOLE, 'vite.config.ts'),
  logLevel: 'warn',
  build: { outDir: dist, emptyOutDir: true },
})) as Rolldown.RolldownOutput
const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
writeFileSync(join(dist, 'THIRD-PARTY-LICENCES.txt'), licencesOf(modules))
for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (!TEXTS.test(name)) continue
  const file = join(dist, name)
  const content = readFileSync(file)
  const params = {
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  }
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params }))
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
}
