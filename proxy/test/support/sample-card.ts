import type { CardModel } from '../../src/approvals/index.ts'
import { buildCard, type CardInput } from '../../src/executions/card/index.ts'
import { languageOf } from '../../src/executions/facts/index.ts'
import { readProgram } from '../../src/executions/reading/index.ts'

/** The card of a consent and its code, read as the daemon reads it; what is left out is of no matter to a test. */
export const sampleCard = (input: Pick<CardInput, 'consent' | 'code'> & Partial<CardInput>): CardModel =>
  buildCard({
    requestId: 'req_1',
    facts: readProgram(input.code ?? '', languageOf(input.consent.runtime.name)),
    known: { storedSecrets: [], trustedSkills: [], hosts: [] },
    changes: [],
    missing: [],
    expiresAt: 0,
    ...input,
  })
