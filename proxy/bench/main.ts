import { benchExecute } from './execute.ts'
import { benchFootprint } from './footprint.ts'
import { benchGateway } from './gateway.ts'
import { benchScrub } from './scrub.ts'
import { benchStorage } from './storage.ts'

/**
 * `npm run bench [-- name…]`: each benchmark prints its figures beside a baseline measured in the same run. Quick
 * forms for a look: `npm run bench -- execute --quick`.
 */
const quick = process.argv.includes('--quick')
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))

const BENCHES: Record<string, () => Promise<unknown>> = {
  execute: () =>
    benchExecute(quick ? { paced: 10, cold: 6, unpaced: 8 } : { paced: 60, cold: 30, unpaced: 32 }),
  storage: () => benchStorage({ small: 1_000, large: quick ? 50_000 : 1_000_000 }),
  footprint: () => benchFootprint(quick ? 3 : 10),
  scrub: () => benchScrub(),
  gateway: () =>
    benchGateway(
      quick
        ? { small: 3, large: 3, largeBytes: 200_000_000, posts: 8 }
        : { small: 9, large: 9, largeBytes: 200_000_000, posts: 40 },
    ),
}

for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  if (!bench) {
    console.error(`There is no benchmark "${name}"; there are ${Object.keys(BENCHES).join(', ')}.`)
    process.exitCode = 2
    break
  }
  console.log(`\n== ${name}`)
  await bench()
}
