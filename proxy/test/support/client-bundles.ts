/**
 * Real client libraries as code for the sandbox: installed by their own lock file (proxy/test/clients), and bundled with a
 * small program that uses them the way their documentation does.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('../clients/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/oauth3-test-clients/', import.meta.url))
const FILES = ['package.json', 'package-lock.json']
const INSTALL_TIMEOUT_MS = 300_000

/** What esbuild's API has of what is used here. */
interface Esbuild {
  build(
    options: Record<string, unknown>,
  ): Promise<{ readonly outputFiles: readonly { readonly text: string }[] }>
  stop(): Promise<void>
}

const BUILT_IN = (
  'assert async_hooks buffer child_process console crypto diagnostics_channel dns events fs fs/promises http http2 https ' +
  'net os path perf_hooks process querystring readline stream stream/promises stream/web string_decoder timers tls tty url util ' +
  'util/types worker_threads zlib'
).split(' ')

/** Libraries of the older kind ask for Node's modules by a call, which makers of bundles turn into imports. */
const BUILT_IN_BY_CALL = [
  ...BUILT_IN.map((name, at) => `import builtIn${at} from 'node:${name}';`),
  `const builtIn = { ${BUILT_IN.map((name, at) => `'${name}': builtIn${at}`).join(', ')} };`,
  `const require = (name) => builtIn[name.replace(/^node:/, '')];`,
].join('\n')

interface EsbuildPlugins {
  onResolve(
    options: { readonly filter: RegExp },
    resolve: (asked: { readonly path: string; readonly kind: string }) => unknown,
  ): void
}

const BUILT_IN_BY_FULL_NAME = {
  name: 'built-in modules by their full names',
  setup({ onResolve }: EsbuildPlugins) {
    onResolve({ filter: new RegExp(`^(?:${BUILT_IN.join('|')})/?$`) }, ({ path, kind }) =>
      kind === 'import-statement' ? { path: `node:${path}`, external: true } : undefined,
    )
  },
}

/** Installs them once for each lock file; undefined, with the reason told, where no registry is reached. */
export function installClients(tell: (reason: string) => void): ClientBundler | undefined {
  const lock = createHash('sha256')
  for (const file of FILES) lock.update(readFileSync(join(SOURCE, file)))
  const folder = join(CACHE, lock.digest('hex').slice(0, 16))
  const isDone = join(folder, 'node_modules', '.package-lock.json')
  if (!existsSync(isDone)) {
    mkdirSync(folder, { recursive: true })
    for (const file of FILES) copyFileSync(join(SOURCE, file), join(folder, file))
    const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: folder,
      timeout: INSTALL_TIMEOUT_MS,
      encoding: 'utf8',
    })
    if (npm.status !== 0) {
      rmSync(folder, { recursive: true, force: true })
      tell(`the client libraries cannot be installed: ${npm.stderr?.slice(0, 300) ?? npm.error?.message}`)
      return undefined
    }
  }
  const esbuild = createRequire(join(folder, 'package.json'))('esbuild') as Esbuild
  return {
    async bundle(program) {
      const { outputFiles } = await esbuild.build({
        stdin: { contents: program, resolveDir: folder, loader: 'js' },
        bundle: true,
        write: false,
        platform: 'node',
        format: 'esm',
        target: 'es2022',
        minify: true,
        banner: { js: BUILT_IN_BY_CALL },
        plugins: [BUILT_IN_BY_FULL_NAME],
        logLevel: 'silent',
      })
      return outputFiles[0]?.text ?? ''
    },
    [Symbol.asyncDispose]: () => esbuild.stop(),
  }
}

export interface ClientBundler extends AsyncDisposable {
  /** One module without imports but Node's own. */
  bundle(program: string): Promise<string>
}
