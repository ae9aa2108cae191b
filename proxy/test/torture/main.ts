import { countOf, readCommandLine, refuse } from '../../scripts/command-line.ts'
import { freshDatabase, setup } from '../support/postgres-server.ts'
import { tortureClaudeRuns } from './claude-torture.ts'
import { type TortureOptions, type TortureReport, tortureWithKills } from './kill-torture.ts'
import { tortureSleeps } from './sleep-torture.ts'

/** Exits 1 when a promise was broken. */
const USAGE = {
  command: 'npm run torture',
  does: 'Kills the daemon under load, over and over, and checks that nothing is lost and nothing happens twice.',
  options: {
    of: {
      type: 'string',
      default: 'executions',
      takes: 'executions|claude-runs',
      says: 'what it is busy with',
    },
    kills: { type: 'string', default: '200', takes: 'N', says: 'how often it is killed' },
    engine: { type: 'string', default: 'sqlite', takes: 'sqlite|postgres', says: 'its database' },
    sandbox: { type: 'string', default: 'docker', takes: 'docker|embedded', says: 'where executions run' },
    sleeps: { type: 'string', takes: 'N', says: 'files of machines through N sleeps and wakes instead' },
    seed: { type: 'string', takes: 'N', says: 'repeats such a walk' },
  },
} as const
const { values } = readCommandLine(USAGE)

if (values.sleeps !== undefined) await torturePersistence(values.sleeps)
else await tortureDaemon()

async function torturePersistence(cycles: string): Promise<void> {
  const report = await tortureSleeps({
    cycles: countOf(USAGE, 'sleeps', cycles),
    seed: values.seed === undefined ? Date.now() % 1_000_000 : countOf(USAGE, 'seed', values.seed),
    percent: 12,
    log: (line) => console.log(line),
  })
  console.log(`${report.saves} sleeps, ${report.refusals} refusals, ${report.kills} kills`)
  conclude(report.broken)
}

async function tortureDaemon(): Promise<void> {
  const { of, engine, sandbox } = values
  if (sandbox !== 'docker' && sandbox !== 'embedded')
    refuse(USAGE, `--sandbox takes docker or embedded, not ${sandbox}`)
  if (engine !== 'sqlite' && engine !== 'postgres')
    refuse(USAGE, `--engine takes sqlite or postgres, not ${engine}`)
  if (of !== 'executions' && of !== 'claude-runs')
    refuse(USAGE, `--of takes executions or claude-runs, not ${of}`)
  const options: TortureOptions = {
    kills: countOf(USAGE, 'kills', values.kills),
    sandbox,
    log: (line) => console.log(line),
  }
  // Runs of Claude Code take Docker and its image; they have no other sandbox.
  const torture = (on: TortureOptions): Promise<TortureReport> =>
    of === 'claude-runs' ? tortureClaudeRuns(on) : tortureWithKills(on)
  const report = engine === 'sqlite' ? await torture(options) : await onPostgres(torture, options)
  console.log(
    `${report.kills} kills of ${of} on ${engine}, ${report.requests} requests: ${JSON.stringify(report.byStatus)}`,
  )
  conclude(report.broken)
}

function conclude(broken: readonly string[]): void {
  for (const line of broken) console.error(`broken: ${line}`)
  console.log(broken.length === 0 ? 'every promise held' : `${broken.length} promises broken`)
  process.exitCode = broken.length === 0 ? 0 : 1
}

async function onPostgres(
  torture: (options: TortureOptions) => Promise<TortureReport>,
  options: TortureOptions,
): Promise<TortureReport> {
  const end = setup()
  try {
    const { url } = await freshDatabase()
    return await torture({ ...options, databaseUrl: url })
  } finally {
    end()
  }
}
