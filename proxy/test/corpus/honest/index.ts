import type { HonestCase, HonestSeed } from './case.ts'
import { flowCases } from './flows.ts'
import { googleAndAwsCases } from './google-and-aws.ts'
import { graphqlCases } from './graphql.ts'
import { languageCases } from './languages.ts'
import { largeCases } from './large.ts'
import { llmCases } from './llm.ts'
import { localAndPublicCases } from './local-and-public.ts'
import { messagingCases } from './messaging.ts'
import { moneyCases } from './money.ts'
import { nameCases } from './names.ts'
import { ordinaryCases } from './ordinary.ts'
import { pythonCases } from './python-more.ts'
import { styledCases } from './styled.ts'

export type { HonestCase } from './case.ts'

const seeds = (): HonestSeed[] => [
  ...styledCases(),
  ...moneyCases(),
  ...llmCases(),
  ...googleAndAwsCases(),
  ...graphqlCases(),
  ...messagingCases(),
  ...localAndPublicCases(),
  ...languageCases(),
  ...flowCases(),
  ...ordinaryCases(),
  ...nameCases(),
  ...pythonCases(),
  ...largeCases(),
]

/** All honest requests, in a fixed order; ids are `family#n`, counted within the family. */
export const honestCases = (): HonestCase[] => {
  const counts = new Map<string, number>()
  return seeds().map((seed) => {
    const n = (counts.get(seed.family) ?? 0) + 1
    counts.set(seed.family, n)
    return { id: `${seed.family}#${n}`, ...seed }
  })
}
