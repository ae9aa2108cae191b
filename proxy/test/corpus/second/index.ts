/** A second, independent set of cases: written without sight of the rules or of the first set. */

import type { DeceptiveCase } from '../cases.ts'
import type { HonestCase, HonestSeed } from '../honest/case.ts'
import { APIS, type Api, describe } from './honest-apis.ts'
import { longPrograms } from './honest-long.ts'
import { longProgramsMore } from './honest-long-more.ts'
import { shortPrograms } from './honest-short.ts'
import { shortProgramsMore } from './honest-short-more.ts'
import { jsStyles } from './honest-styles-js.ts'
import { jsStylesMore } from './honest-styles-js-more.ts'
import { pythonStyles } from './honest-styles-py.ts'
import { workPrograms } from './honest-work.ts'
import { workProgramsMore } from './honest-work-more.ts'
import { workProgramsRest } from './honest-work-rest.ts'
import { jsEffects } from './js-effects.ts'
import { jsObjects } from './js-objects.ts'
import { jsObjectsMore } from './js-objects-more.ts'
import { jsOptions } from './js-options.ts'
import { jsOptionsMore } from './js-options-more.ts'
import { jsRequests } from './js-requests.ts'
import { jsRequestsMore } from './js-requests-more.ts'
import { jsValues } from './js-values.ts'
import { jsValuesMore } from './js-values-more.ts'
import { places } from './places.ts'
import { placesMore } from './places-more.ts'
import { pyObjects } from './py-objects.ts'
import { pyObjectsMore } from './py-objects-more.ts'
import { pyValues } from './py-values.ts'
import { pyValuesMore } from './py-values-more.ts'
import { signs } from './signs.ts'
import { signsMore } from './signs-more.ts'
import { textCode } from './text-code.ts'
import { textCodeMore } from './text-code-more.ts'

const PROGRAMS_PER_STYLE = 5

const numbered = <Seed extends { family: string; request: { runtime: string } }>(
  seeds: Seed[],
  prefix: string,
): (Seed & { id: string })[] => {
  const counts = new Map<string, number>()
  return seeds.map((seed) => {
    const stem = `${prefix}-${seed.family}-${seed.request.runtime}`
    const count = (counts.get(stem) ?? 0) + 1
    counts.set(stem, count)
    return { ...seed, id: `${stem}-${count}` }
  })
}

/** Every style for a few of the APIs, in turn, so that no pair of the two comes twice. */
const styledPrograms = (): HonestSeed[] =>
  [...jsStyles, ...jsStylesMore, ...pythonStyles].flatMap((style, row) =>
    Array.from({ length: PROGRAMS_PER_STYLE }, (_, column): HonestSeed => {
      const turn = row * PROGRAMS_PER_STYLE + column
      const api = APIS[(turn * 7) % APIS.length] as Api
      return {
        family: style.family,
        request: {
          skillId: `${api.id}/${style.kind === 'read' ? 'list' : 'add'}-${api.noun}`,
          description: describe(api, style.kind, turn),
          runtime: style.runtime,
          secrets: [api.token],
          network: [api.host],
          code: style.code(api),
          ...(style.kind === 'write' ? { args: { name: 'Sample', title: 'Sample' } } : {}),
        },
        ...(style.deserves ? { deserves: style.deserves } : {}),
      }
    }),
  )

/** What deceives, each with what would tell the person. */
export const secondDeceptive = (): DeceptiveCase[] =>
  numbered(
    [
      ...jsOptions,
      ...jsOptionsMore,
      ...jsObjects,
      ...jsObjectsMore,
      ...jsValues,
      ...jsValuesMore,
      ...jsRequests,
      ...jsRequestsMore,
      ...jsEffects,
      ...pyObjects,
      ...pyObjectsMore,
      ...pyValues,
      ...pyValuesMore,
      ...textCode,
      ...textCodeMore,
      ...places,
      ...placesMore,
      ...signs,
      ...signsMore,
    ],
    'second',
  )

/** What is honest, each with the warnings that it earns all the same. */
export const secondHonest = (): HonestCase[] =>
  numbered(
    [
      ...styledPrograms(),
      ...shortPrograms,
      ...shortProgramsMore,
      ...workPrograms,
      ...workProgramsMore,
      ...workProgramsRest,
      ...longPrograms,
      ...longProgramsMore,
    ],
    'second-honest',
  )
