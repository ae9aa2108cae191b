import { freshDatabase, setup } from '../support/postgres-server.ts'
import { tortureClaudeRuns } from './claude-torture.ts'
import { type TortureOptions, type TortureReport, tortureWithKills } from './kill-torture.ts'
import { tortureSleeps } from './sleep-torture.ts'

/** `npm run torture [-- --of executions|claude-runs] [--kills 200] [--engine sqlite|postgres] [--sandbox docker|embedded]`: exits 1 when a promise was broken. `--sleeps 1000 [--seed 1]`: machines that sleep and wake instead. */
const value = (name: string, fallback: string): string => {
  const index = process.argv.indexOf(`--${name}`)
  return index === -1 ? fallback : (process.argv[index + 1] ?? fallback)
}

const sleeps = Number(value('sleeps', '0'))
if (sleeps > 0) await torturePersistence()
else await tortureDaemon()

async function torturePersistence(): Promise<void> {
  const report = await tortureSleeps({
    cycles: sleeps,
    seed: Number(value('seed', String(Date.now() % 1_000_000))),
    percent: 12,
    log: (line) => console.log(line),
  })
  console.log(`${report.saves} sleeps, ${report.refusals} refusals, ${report.kills} kills`)
  conclude(report.broken)
}

async function tortureDaemon(): Promise<void> {
  const options: TortureOptions = {
    kills: Number(value('kills', '200')),
    sandbox: value('sandbox', 'docker') === 'embedded' ? 'embedded' : 'docker',
    log: (line) => console.log(line),
  }
  const engine = value('engine', 'sqlite')
  if (engine !== 'sqlite' && engine !== 'postgres')
    throw new Error(`--engine takes sqlite or postgres, not ${engine}`)
  const of = value('of', 'executions')
  if (of !== 'executions' && of !== 'claude-runs')
    throw new Error(`--of takes executions or claude-runs, not ${of}`)
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
