import { existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type Docker from 'dockerode'
import { nextKeyPath } from './adapters/crypto/index.ts'
import { type EngineThings, findEngineThings, removeEngineThings } from './adapters/sandbox/index.ts'
import { isArchiveFile, lockDatabase, readMeta } from './adapters/storage/index.ts'
import type { Config } from './config/index.ts'
import { isEndpointName } from './surfaces/gateway/index.ts'

type Place = Pick<Config, 'dbPath' | 'masterKey' | 'socketDirectory' | 'adminSocketPath'> & {
  readonly storage: Pick<Config['storage'], 'auditArchiveDirectory'>
}

interface UninstallPlan {
  readonly containers: readonly string[]
  readonly images: readonly string[]
  /** Files and folders, the master key's among them. */
  readonly state: readonly string[]
  /** Why nothing of the engine is in it; null where the engine answers. */
  readonly engine_problem: string | null
}

export interface Uninstall extends Disposable {
  readonly plan: UninstallPlan
  /** Resolves to what stayed, a line each. */
  remove(options: { readonly state: boolean }): Promise<readonly string[]>
}

const NOTHING: EngineThings = { containers: [], images: [] }

/**
 * What this daemon has made, and its removal. AppError `conflict` while a daemon runs; until disposal none can start.
 * A passphrase's file is the owner's own and stays.
 */
export async function openUninstall(place: Place, docker: Docker): Promise<Uninstall> {
  const hadFolder = existsSync(dirname(place.dbPath))
  const lock = hadFolder ? lockDatabase(place.dbPath) : undefined
  try {
    const found = await findEngineThings(docker, readMeta(place.dbPath, 'instance_id') ?? null).catch(
      (error: unknown) => error as Error,
    )
    const things = found instanceof Error ? NOTHING : found
    const state = stateOf(place)
    return {
      plan: {
        containers: things.containers.map(({ name }) => name),
        images: things.images.map(({ name }) => name),
        state,
        engine_problem: found instanceof Error ? found.message : null,
      },
      async remove(options) {
        const unreached = 'containers and images: the engine does not answer'
        const stayed = found instanceof Error ? [unreached] : await removeEngineThings(docker, things)
        if (options.state) for (const path of state) rmSync(path, { recursive: true, force: true })
        return stayed
      },
      [Symbol.dispose]: () => lock?.[Symbol.dispose](),
    }
  } catch (error) {
    lock?.[Symbol.dispose]()
    throw error
  }
}

function stateOf({ dbPath, masterKey, adminSocketPath, socketDirectory, storage }: Place): string[] {
  const folder = dirname(dbPath)
  const aside = `${basename(dbPath)}.before-restore-`
  const kept = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.startsWith(aside))
        .map((name) => join(folder, name))
    : []
  return [
    ...['', '-wal', '-shm', '.lock'].map((end) => dbPath + end),
    ...kept,
    join(folder, 'reserve'),
    adminSocketPath,
    ...madeIn(socketDirectory, isEndpointName),
    ...madeIn(storage.auditArchiveDirectory, isArchiveFile),
    ...(masterKey.kind === 'file' ? [masterKey.path, nextKeyPath(masterKey.path)] : []),
  ].filter((path) => existsSync(path))
}

/** A folder that a setting names may be shared with others: it goes as a whole only where nothing else is in it. */
function madeIn(folder: string, isOurs: (name: string) => boolean): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names.every(isOurs) ? [folder] : names.filter(isOurs).map((name) => join(folder, name))
}
