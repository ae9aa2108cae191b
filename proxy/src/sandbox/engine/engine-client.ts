import { createRequire } from 'node:module'
import type Dockerode from 'dockerode'
import type { DockerOptions } from 'dockerode'

/**
 * dockerode, without what it loads for uses that are rare here: gRPC for sessions of BuildKit, which are never begun, and ssh2 for
 * an engine behind `DOCKER_HOST=ssh://…`, which is loaded when such an engine is first asked. Together they are 1.6 MB of
 * code, a tenth of what an idle daemon takes and of its start.
 */
const require = createRequire(import.meta.url)

type Loaded = (...values: unknown[]) => unknown

/** Puts a function in the place of a module that exports one, which loads the module when it is called. */
function deferred(from: NodeJS.Require, specifier: string): void {
  const id = from.resolve(specifier)
  if (from.cache[id] !== undefined) return
  const load = (): Loaded => {
    delete from.cache[id]
    return from(id) as Loaded
  }
  let loaded: Loaded | undefined
  const exports: Loaded = (...values) => {
    loaded ??= load()
    return loaded(...values)
  }
  from.cache[id] = {
    id,
    filename: id,
    loaded: true,
    exports,
    children: [],
    paths: [],
  } as unknown as NodeJS.Module
}

let Docker: typeof Dockerode | undefined

function loadDockerode(): typeof Dockerode {
  const ofDockerode = createRequire(require.resolve('dockerode'))
  deferred(ofDockerode, './session')
  deferred(ofDockerode, 'docker-modem/lib/ssh')
  return require('dockerode')
}

/** A client of the container engine of the environment. */
export function createEngineClient(options?: DockerOptions): Dockerode {
  Docker ??= loadDockerode()
  return new Docker(options)
}
