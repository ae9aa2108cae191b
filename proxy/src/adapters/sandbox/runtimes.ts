/**
 * The runtimes there are: one row here and one folder in sandbox-images/ each. Everything else about a runtime
 * (how it boots, how it takes its message) is in its folder.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Runtime {
  readonly name: string
  /** Folder under sandbox-images/. */
  readonly folder: string
  /** Files of the folder that go into the image, besides its Dockerfile and the binary. */
  readonly files: readonly string[]
  /** npm package and file that hold the Linux binary, by the engine's architecture. */
  readonly binary: { readonly name: string; readonly packages: Readonly<Record<string, string>> }
  /** Where the code stands inside the container. */
  readonly mainModule: string
}

const packageFile = new URL('../../../package.json', import.meta.url)
const imagesFolder = new URL('../../../../sandbox-images/', import.meta.url)

export const PROXY_VERSION = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version

export const DENO: Runtime = {
  name: 'deno',
  folder: 'deno',
  files: ['runner.js'],
  binary: {
    name: 'deno',
    packages: { amd64: '@deno/linux-x64-glibc', arm64: '@deno/linux-arm64-glibc' },
  },
  mainModule: '/tmp/main.ts',
}

export const RUNTIMES: readonly Runtime[] = [DENO]

export const imageTag = (runtime: Runtime): string => `oauth3-sandbox-${runtime.name}:${PROXY_VERSION}`

export const runtimeFile = (runtime: Runtime, file: string): string =>
  fileURLToPath(new URL(`${runtime.folder}/${file}`, imagesFolder))
