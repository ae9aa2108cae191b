import { CARD_LINES } from '../src/notify/telegram/card-message.ts'
import { allDeceptive, allHonest } from '../test/corpus/index.ts'
import { assessDeceptive, falseAlarms } from '../test/corpus/verdict.ts'
import { readCommandLine } from './command-line.ts'

/** Exits 1 above 0 silent, 0 lost, 3 % false. */
const MAX_FALSE = 0.03
const { values } = readCommandLine({
  command: 'npm run corpus',
  does: `Puts every request of the corpus to the card and prints, by family, what deceived without a word (silent), what the card
knew and a phone does not show (lost), and honest programs with a warning that they do not deserve (false).`,
  options: {
    all: { type: 'boolean', default: false, says: 'names each request that fails' },
    show: { type: 'string', takes: 'ID', says: 'one request and its card' },
  },
})
const { show: one, all: isVerbose } = values

if (one !== undefined) await showOne(one)
else await measure()

async function showOne(id: string): Promise<void> {
  const deceptive = allDeceptive().find((item) => item.id === id)
  const honest = allHonest().find((item) => item.id === id)
  if (deceptive) {
    const { verdict, shown } = await assessDeceptive(deceptive)
    console.log(deceptive.request.code, '\n', JSON.stringify({ ...deceptive.request, code: undefined }), '\n')
    console.log(verdict, JSON.stringify(deceptive.tells), '\n', shown.refused ?? shown.phone)
  } else if (honest) {
    const { alarms, shown } = await falseAlarms(honest)
    console.log(honest.request.code, '\n', JSON.stringify({ ...honest.request, code: undefined }), '\n')
    console.log(alarms, honest.deserves, '\n', shown.refused ?? shown.phone)
  } else console.log(`no case ${id}`)
}

async function measure(): Promise<void> {
  const families = new Map<string, { told: number; lost: string[]; silent: string[] }>()
  let tooLong = 0
  for (const item of allDeceptive()) {
    const row = families.get(item.family) ?? { told: 0, lost: [], silent: [] }
    families.set(item.family, row)
    const { verdict, shown } = await assessDeceptive(item)
    if (shown.refused === null && shown.phoneLines > CARD_LINES) tooLong += 1
    if (verdict === 'told') row.told += 1
    else row[verdict].push(item.id)
  }
  for (const [family, { told, lost, silent }] of [...families].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!isVerbose && lost.length + silent.length === 0) continue
    console.log(
      `${family.padEnd(40)} told ${told}  lost ${lost.length}  silent ${silent.length}  ${[...silent, ...lost].slice(0, 4).join(' ')}`,
    )
  }
  const rows = [...families.values()]
  const sum = (count: (row: (typeof rows)[number]) => number): number =>
    rows.reduce((total, row) => total + count(row), 0)
  const silent = sum((row) => row.silent.length)
  const lost = sum((row) => row.lost.length)
  const cases = sum((row) => row.told) + silent + lost
  const honest = allHonest()
  const evaluated = []
  for (const item of honest) evaluated.push({ item, ...(await falseAlarms(item)) })
  const alarmed = evaluated.filter(({ alarms }) => alarms.length > 0)
  const long = evaluated.filter(({ shown }) => shown.refused === null && shown.phoneLines > CARD_LINES).length
  for (const { item, alarms } of alarmed)
    console.log(`false  ${item.id.padEnd(44)} ${alarms.join(' | ').slice(0, 200)}`)
  console.log(
    `deceptive: ${cases} in ${families.size} families, silent ${silent}, lost ${lost}; ` +
      `honest: ${honest.length}, with false alarms ${alarmed.length} (${((100 * alarmed.length) / honest.length).toFixed(1)} %); ` +
      `cards above ${CARD_LINES} lines: ${tooLong + long}`,
  )
  if (silent > 0 || lost > 0 || alarmed.length > MAX_FALSE * honest.length || tooLong + long > 0)
    process.exitCode = 1
}
