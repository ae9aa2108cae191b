/**
 * Where the engine finds a path of this process. They are the same unless the daemon runs in a container: there the
 * engine mounts from its host's file system, so only what lies in a volume or a bind mount can be named to it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { posix } from 'node:path'
import type Docker from 'dockerode'
import { answered, CALL_TIMEOUT_MS, engineStatus } from './engine-call.ts'

export interface ContainerMount {
  readonly Type?: string
  readonly Source: string
  readonly Destination: string
}

export function createHostPaths(docker: Docker) {
  let mounts: Promise<readonly ContainerMount[] | null> | undefined
  return {
    /** Null when the path lies in no mount that the engine could take it from. */
    async toEngine(path: string): Promise<string | null> {
      mounts ??= ownMounts(docker)
      // Asked again next time: an engine that was away says nothing about where this process runs.
      mounts.catch(() => {
        mounts = undefined
      })
      const known = await mounts
      return known === null ? path : mapped(path, known)
    },
  }
}

/** The innermost mount decides; what has no source on the host (tmpfs) hides what lies around it. */
export function mapped(path: string, mounts: readonly ContainerMount[]): string | null {
  const within = (folder: string) => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
  const [innermost] = mounts
    .filter(({ Destination }) => within(Destination))
    .sort((a, b) => b.Destination.length - a.Destination.length)
  if (innermost === undefined || innermost.Type === 'tmpfs' || innermost.Source === '') return null
  return posix.join(innermost.Source, posix.relative(innermost.Destination, path))
}

/** Null when this process is in no container of that engine. */
async function ownMounts(docker: Docker): Promise<readonly ContainerMount[] | null> {
  if (!inContainer()) return null
  for (const id of ownNames()) {
    try {
      const info = await answered(CALL_TIMEOUT_MS, (abortSignal) =>
        docker.getContainer(id).inspect({ abortSignal }),
      )
      return info.Mounts
    } catch (error) {
      if (engineStatus(error) !== 404) throw error
    }
  }
  return null
}

const inContainer = (): boolean =>
  existsSync('/.dockerenv') || existsSync('/run/.containerenv') || idsInCgroup().length > 0

/** What the engine may know this process's container by, the surest first. */
const ownNames = (): string[] => [
  ...new Set([...ownIdsIn(textOf('/proc/self/mountinfo')), ...idsInCgroup(), hostname()]),
]

/**
 * Of the files that an engine mounts into each container (proc(5), mountinfo). Where the engine runs beside this process, those of others'
 * containers stand there too, at other places: their shared memory, and all of them while the engine reads an archive of one.
 */
export const ownIdsIn = (mountinfo: string): string[] =>
  idsIn(mountinfo, /containers\/([0-9a-f]{64})\/\S* \/etc\/(?:hostname|hosts|resolv\.conf) /g)

const idsInCgroup = (): string[] => idsIn(textOf('/proc/self/cgroup'), /(?:docker[/-]|:\/)([0-9a-f]{64})\b/g)

const idsIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, id]) => id as string)

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
