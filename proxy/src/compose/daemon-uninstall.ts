import { existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type Docker from 'dockerode'
import type { Config } from '../config/index.ts'
import { lastingKeyDraft } from '../egress/certificates/index.ts'
import { isEndpointName } from '../egress/gateway/index.ts'
import { isMachineId, isTenantId } from '../kernel/index.ts'
import { type EngineThings, findEngineThings, removeEngineThings } from '../sandbox/images/index.ts'
import { isArchiveFile, readInstanceId } from '../storage/files/index.ts'
import { readServerInstanceId } from '../storage/index.ts'
import { lockFile } from '../storage/lock/index.ts'
import { keyDraftPath, nextKeyPath } from '../vault/crypto/index.ts'
import { COMPILE_CACHE } from './compile-cache.ts'
import { LASTING_KEY, reserveFile, runBodiesFolder } from './state-files.ts'
import { keptMachines, removeKept } from './uninstall-files.ts'

type Place = Pick<
  Config,
  'dbPath' | 'databaseUrl' | 'masterKey' | 'socketDirectory' | 'adminSocketPath' | 'objectStore'
> & {
  readonly hosting: Pick<Config['hosting'], 'ec2'>
  readonly storage: Pick<Config['storage'], 'auditArchiveDirectory'>
}

interface UninstallPlan {
  readonly containers: readonly string[]
  readonly volumes: readonly string[]
  readonly images: readonly string[]
  /** Where files of hosted agents are kept that were put to sleep, and of how many; null: the database does not say. */
  readonly files: { readonly where: string; readonly machines: number } | null
  /** Files and folders, the master key's among them. */
  readonly state: readonly string[]
  /** Why nothing of the engine is in it; null where the engine answers. */
  readonly engine_problem: string | null
}

export interface Uninstall extends Disposable {
  readonly plan: UninstallPlan
  /** Resolves to what stayed, a line each. */
  remove(options: { readonly state: boolean; readonly files: boolean }): Promise<readonly string[]>
}

/** It may be on another machine, and others have a part in it: backups, replicas. */
const SERVER_STAYS =
  'the PostgreSQL database of DATABASE_URL, with all that is in it: who administers the server drops it (DROP DATABASE), and its role'

const FILES_UNTOLD =
  'files of hosted agents in OBJECT_STORE_URL: the database does not say which are this daemon’s'
/** Nobody else knows whose they are, and they are opened by its keys. */
const STATE_STAYS =
  'the state: it says which of those files are this daemon’s. Try again once they can be removed; `--state` without `--files` takes it and leaves them'
/** Only the daemon, and whoever may in AWS, removes what costs money there. */
const EC2_STAYS =
  'instances and volumes on EC2: remove hosted agents before, or end what has the tag oauth3.instance'

const NOTHING: EngineThings = { containers: [], volumes: [], images: [] }

/**
 * What this daemon has made, and its removal. AppError `conflict` while a daemon runs; until disposal none can start.
 * A passphrase's file is the owner's own and stays.
 */
export async function openUninstall(place: Place, docker: Docker): Promise<Uninstall> {
  const hadFolder = existsSync(dirname(place.dbPath))
  const lock = hadFolder ? lockFile(place.dbPath) : undefined
  try {
    const found = await findEngineThings(docker, await instanceIdOf(place)).catch(
      (error: unknown) => error as Error,
    )
    const things = found instanceof Error ? NOTHING : found
    const kept = await keptMachines(place)
    // To look into the database makes files beside it.
    const state = stateOf(place)
    const filesLeft = async (): Promise<readonly string[]> =>
      kept === undefined ? [FILES_UNTOLD] : await removeKept(place.objectStore, kept)
    return {
      plan: {
        containers: things.containers.map(({ name }) => name),
        volumes: things.volumes,
        images: things.images.map(({ name }) => name),
        files: kept === undefined ? null : { where: whereOf(place), machines: kept.length },
        state,
        engine_problem: found instanceof Error ? found.message : null,
      },
      async remove(options) {
        const unreached = 'containers, volumes and images: the engine does not answer'
        const stayed = found instanceof Error ? [unreached] : [...(await removeEngineThings(docker, things))]
        if (place.hosting.ec2 !== null) stayed.push(EC2_STAYS)
        // Before the state, which says whose they are.
        const left = options.files ? await filesLeft() : []
        stayed.push(...left)
        if (options.state && left.length > 0) return [...stayed, STATE_STAYS]
        if (options.state && place.databaseUrl !== null) stayed.push(SERVER_STAYS)
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

async function instanceIdOf({ dbPath, databaseUrl }: Place): Promise<string | null> {
  const found =
    databaseUrl === null
      ? readInstanceId(dbPath)
      : await readServerInstanceId(databaseUrl.open()).catch(() => undefined)
  return found ?? null
}

/** Without what follows the bucket's name: nothing secret, and nothing to read. */
const whereOf = ({ objectStore: { url } }: Place): string => url.split('?')[0] ?? url

/** Behind the name of the database: its own files, what a restore set aside, and drafts of backups, restores and copies that were killed. */
const OF_DATABASE =
  /^(?:-journal|-wal|-shm|\.lock|\.before-restore-.*|\.(?:[0-9]+|restore|copy)\.draft(?:-journal|-wal|-shm)?)?$/

function stateOf({ dbPath, masterKey, adminSocketPath, socketDirectory, storage }: Place): string[] {
  const folder = dirname(dbPath)
  const name = basename(dbPath)
  const ofDatabase = (existsSync(folder) ? readdirSync(folder) : [])
    .filter((one) => one.startsWith(name) && OF_DATABASE.test(one.slice(name.length)))
    .map((one) => join(folder, one))
  const keys = masterKey.kind === 'file' ? [masterKey.path, nextKeyPath(masterKey.path)] : []
  return [
    ...ofDatabase,
    reserveFile({ dbPath }),
    join(folder, COMPILE_CACHE),
    runBodiesFolder({ dbPath }),
    adminSocketPath,
    ...madeIn(
      socketDirectory,
      (one) => isEndpointName(one) || isMachineId(one) || GATEWAY_KEYS.includes(one),
    ),
    ...madeIn(storage.auditArchiveDirectory, (one) => isArchiveFile(one) || isTenantId(one)),
    ...keys.flatMap((path) => [path, keyDraftPath(path)]),
  ].filter((path) => existsSync(path))
}

const GATEWAY_KEYS: readonly string[] = [LASTING_KEY, lastingKeyDraft(LASTING_KEY)]

/** A folder that a setting names may be shared with others: it goes as a whole only where nothing else is in it. */
function madeIn(folder: string, isOurs: (name: string) => boolean): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names.every(isOurs) ? [folder] : names.filter(isOurs).map((name) => join(folder, name))
}
