import { countOf, readCommandLine, refuse } from '../../scripts/command-line.ts'
import { fuzzMessages } from './http1/main.ts'
import { FUZZ_PROPERTIES } from './properties.ts'
import { tryProperty } from './property.ts'

/** Exits 1 when a property was broken. What was found belongs into an ordinary test. */
const USAGE = {
  command: 'npm run fuzz',
  does: 'Tries each property for a while with inputs that are made up.',
  options: {
    seconds: { type: 'string', default: '60', takes: 'N', says: 'how long each is tried' },
    only: { type: 'string', default: '', takes: 'TEXT', says: 'the properties with this in their name' },
    seed: { type: 'string', takes: 'N', says: 'repeats a run' },
    messages: { type: 'string', takes: 'N', says: 'N inputs to our HTTP/1.1 reader and to llhttp instead' },
    nginx: { type: 'string', takes: 'N', says: 'of these, at most N of a new shape to nginx as well (all)' },
  },
} as const
const { values } = readCommandLine(USAGE)

const timeMs = countOf(USAGE, 'seconds', values.seconds) * 1_000
const { only } = values
const seed = values.seed === undefined ? undefined : countOf(USAGE, 'seed', values.seed)
if (values.messages !== undefined) {
  const messages = countOf(USAGE, 'messages', values.messages)
  const maxByNginx = values.nginx === undefined ? messages : countOf(USAGE, 'nginx', values.nginx)
  process.exit((await fuzzMessages(messages, maxByNginx, seed ?? Date.now() % 1_000_000)) ? 0 : 1)
}
const properties = FUZZ_PROPERTIES.filter(({ name }) => name.includes(only))
if (properties.length === 0) refuse(USAGE, `no property has "${only}" in its name`)
let broken = 0
for (const one of properties) {
  const {
    runs,
    seed: used,
    found,
  } = await tryProperty(one, {
    timeMs,
    ...(seed === undefined ? {} : { seed }),
  })
  console.log(`${found === undefined ? 'held  ' : 'BROKEN'} ${one.name} (${runs} cases, seed ${used})`)
  if (found === undefined) continue
  broken += 1
  console.error(found)
}
console.log(broken === 0 ? 'every property held' : `${broken} properties broken`)
process.exitCode = broken === 0 ? 0 : 1
