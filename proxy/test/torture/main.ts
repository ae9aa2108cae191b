import { tortureWithKills } from './kill-torture.ts'

/** `npm run torture [-- --kills 200] [--sandbox docker|embedded]`: exits 1 when a promise was broken. */
const value = (name: string, fallback: string): string => {
  const index = process.argv.indexOf(`--${name}`)
  return index === -1 ? fallback : (process.argv[index + 1] ?? fallback)
}

const report = await tortureWithKills({
  kills: Number(value('kills', '200')),
  sandbox: value('sandbox', 'docker') === 'embedded' ? 'embedded' : 'docker',
  log: (line) => console.log(line),
})
console.log(`${report.kills} kills, ${report.requests} requests: ${JSON.stringify(report.byStatus)}`)
for (const line of report.broken) console.error(`broken: ${line}`)
console.log(report.broken.length === 0 ? 'every promise held' : `${report.broken.length} promises broken`)
process.exitCode = report.broken.length === 0 ? 0 : 1
