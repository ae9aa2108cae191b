import type { DeceptiveCase } from './cases.ts'
import { deceptiveCases } from './deceptive/index.ts'
import type { HonestCase } from './honest/case.ts'
import { honestCases } from './honest/index.ts'
import { secondDeceptive, secondHonest } from './second/index.ts'

/** Both sets together. Each was written without sight of the rules, the second without sight of the first too. */
export const allDeceptive = (): DeceptiveCase[] => [...deceptiveCases(), ...secondDeceptive()]

export const allHonest = (): HonestCase[] => [...honestCases(), ...secondHonest()]
