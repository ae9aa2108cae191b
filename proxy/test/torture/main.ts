import { freshDatabase, setup } from '../support/postgres-server.ts'
import { type TortureOptions, tortureWithKills } from './kill-torture.ts'

/** `npm run torture [-- --kills 200] [--engine sqlite|postgres] [--sandbox docker|embedded]`: exits 1 when a promise was broken. */
const value = (name: string, fallback: string): string => {
  const index = process.argv.indexOf(`--${name}`)
  return index === -1 ? fallback : (process.argv[index + 1] ?? fallback)
}

const options: TortureOptions = {
  kills: Number(value('kills', '200')),
  sandbox: value('sandbox', 'docker') === 'embedded' ? 'embedded' : 'docker',
  log: (line) => console.log(line),
}
const engine = value('engine', 'sqlite')
if (engine !== 'sqlite' && engine !== 'postgres')
  throw new Error(`--engine takes sqlite or postgres, not ${engine}`)

const report = engine === 'sqlite' ? await tortureWithKills(options) : await onPostgres()
console.log(
  `${report.kills} kills on ${engine}, ${report.requests} requests: ${JSON.stringify(report.byStatus)}`,
)
for (const line of report.broken) console.error(`broken: ${line}`)
console.log(report.broken.length === 0 ? 'every promise held' : `${report.broken.length} promises broken`)
process.exitCode = report.broken.length === 0 ? 0 : 1

async function onPostgres(): ReturnType<typeof tortureWithKills> {
  const end = setup()
  try {
    const { url } = await freshDatabase()
    return await tortureWithKills({ ...options, databaseUrl: url })
  } finally {
    end()
  }
}
