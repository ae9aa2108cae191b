import { dirname, join } from 'node:path'
import type { Config } from '../config/index.ts'

/** Files and folders of the daemon's state that no setting names: whoever makes them and whoever removes them have them from here. */
type Place = Pick<Config, 'dbPath'>

/** Where bodies of runs of apps lie, those of each tenant in a folder of its own. */
export const runBodiesFolder = ({ dbPath }: Place): string => join(dirname(dbPath), 'claude-runs')

/** Room on the disk that is given up when it is nearly full. */
export const reserveFile = ({ dbPath }: Place): string => join(dirname(dbPath), 'reserve')

/** Of the authority whose certificate machines trust, in the folder of the sockets. */
export const LASTING_KEY = 'machines.key'
