import { cardProperties } from './card.fuzz.ts'
import { hostProperties } from './host.fuzz.ts'
import type { FuzzProperty } from './property.ts'
import { requestProperties } from './request.fuzz.ts'
import { responseProperties } from './response.fuzz.ts'
import { scrubberProperties } from './scrubber.fuzz.ts'

export const FUZZ_PROPERTIES: readonly FuzzProperty[] = [
  ...hostProperties,
  ...requestProperties,
  ...responseProperties,
  ...scrubberProperties,
  ...cardProperties,
]
