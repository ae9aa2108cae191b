import { capabilityProperties } from './capabilities.fuzz.ts'
import { cardProperties } from './card.fuzz.ts'
import { factsProperties } from './facts.fuzz.ts'
import { hostProperties } from './host.fuzz.ts'
import { http1Properties } from './http1.fuzz.ts'
import { llmPathProperties } from './llm-path.fuzz.ts'
import type { FuzzProperty } from './property.ts'
import { requestProperties } from './request.fuzz.ts'
import { responseProperties } from './response.fuzz.ts'
import { scrubberProperties } from './scrubber.fuzz.ts'
import { usageProperties } from './usage.fuzz.ts'

export const FUZZ_PROPERTIES: readonly FuzzProperty[] = [
  ...hostProperties,
  ...http1Properties,
  ...llmPathProperties,
  ...requestProperties,
  ...responseProperties,
  ...scrubberProperties,
  ...cardProperties,
  ...usageProperties,
  ...capabilityProperties,
  ...factsProperties,
]
