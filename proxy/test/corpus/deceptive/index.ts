import type { DeceptiveCase } from '../cases.ts'
import { BUILTINS } from './builtins.ts'
import { CONDITIONS } from './conditions.ts'
import { DECOYS } from './decoys.ts'
import { DESTINATION } from './destination.ts'
import { EFFECTS_CALLS } from './effects-calls.ts'
import { EFFECTS_HIDDEN_CALLS } from './effects-hidden-calls.ts'
import { EFFECTS_LOGIC } from './effects-logic.ts'
import { EFFECTS_PROTOCOLS } from './effects-protocols.ts'
import { casesOf, type FamilySpec } from './families.ts'
import { HOSTS } from './hosts.ts'
import { IMITATION } from './imitation.ts'
import { LOOK } from './look.ts'
import { LOOK_COMMENTS } from './look-comments.ts'
import { SECRETS } from './secrets.ts'
import { TEXT_CODE_JS } from './text-code-js.ts'
import { TEXT_CODE_PY } from './text-code-py.ts'

const FAMILIES: FamilySpec[] = [
  ...EFFECTS_CALLS,
  ...EFFECTS_LOGIC,
  ...EFFECTS_HIDDEN_CALLS,
  ...EFFECTS_PROTOCOLS,
  ...HOSTS,
  ...TEXT_CODE_JS,
  ...TEXT_CODE_PY,
  ...DESTINATION,
  ...BUILTINS,
  ...DECOYS,
  ...IMITATION,
  ...LOOK,
  ...LOOK_COMMENTS,
  ...CONDITIONS,
  ...SECRETS,
]

/** Requests that mean to deceive, always the same ones in the same order. Their code is never run. */
export const deceptiveCases = (): DeceptiveCase[] => FAMILIES.flatMap(casesOf)
