import { fuzzMessages } from './http1/main.ts'
import { FUZZ_PROPERTIES } from './properties.ts'
import { tryProperty } from './property.ts'

/**
 * `npm run fuzz [-- --seconds 60] [--only part-of-a-name] [--seed n]`: tries each property for so long and exits 1
 * when one was broken. What was found belongs into an ordinary test. `-- --messages 10000000 [--seed n]
 * [--nginx n]` puts so many inputs to our HTTP/1.1 reader and to llhttp instead, and those of a new shape (so many at most) to nginx.
 */
const value = (name: string): string | undefined => {
  const index = process.argv.indexOf(`--${name}`)
  return index === -1 ? undefined : process.argv[index + 1]
}

const timeMs = Number(value('seconds') ?? '60') * 1_000
const only = value('only') ?? ''
const seed = value('seed')
const messages = Number(value('messages') ?? '0')
if (messages > 0) {
  const maxByNginx = Number(value('nginx') ?? messages)
  process.exit((await fuzzMessages(messages, maxByNginx, Number(seed ?? Date.now() % 1_000_000))) ? 0 : 1)
}
let broken = 0
for (const one of FUZZ_PROPERTIES.filter(({ name }) => name.includes(only))) {
  const {
    runs,
    seed: used,
    found,
  } = await tryProperty(one, {
    timeMs,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  })
  console.log(`${found === undefined ? 'held  ' : 'BROKEN'} ${one.name} (${runs} cases, seed ${used})`)
  if (found === undefined) continue
  broken += 1
  console.error(found)
}
console.log(broken === 0 ? 'every property held' : `${broken} properties broken`)
process.exitCode = broken === 0 ? 0 : 1
