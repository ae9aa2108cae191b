import { dirname, join } from 'node:path'
import type { Config } from '../config/index.ts'

/** Where bodies of runs of apps lie, those of each tenant in a folder of its own. */
export const runBodiesFolder = ({ dbPath }: Pick<Config, 'dbPath'>): string =>
  join(dirname(dbPath), 'claude-runs')
