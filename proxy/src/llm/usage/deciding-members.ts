import { foldedKey } from './folded-key.ts'

/**
 * Members of a request's body that decide what it does or what it may use, with the exact type that each has in the
 * vendors' documents. A vendor that is given another type may take it for yes, for its default, or for no limit at all.
 */
export type MemberKind = 'text' | 'names' | 'flag' | 'object' | 'tier' | 'limit' | 'count'

/** No vendor has a longer name for a model; ARNs of Amazon's are the longest. */
export const MAX_MODEL_BYTES = 1_024

/** What each kind must be, for the one whose request is refused. */
export const KIND_WORDS: Readonly<Record<MemberKind, string>> = {
  text: `a string of at most ${MAX_MODEL_BYTES} bytes`,
  names: 'a list of strings',
  flag: 'true, false or null',
  object: 'an object or null',
  tier: 'a string, an object or null',
  limit: 'a whole number or null',
  count: 'a whole number from 1, or null',
}

export interface DecidingMember {
  readonly kind: MemberKind
  /** Two spellings of one member are that member twice. */
  readonly name: string
  /** The exact one. */
  readonly spelling: string
  /** One bit, of the member and no other one of its table. */
  readonly bit: number
}

/** By folded spelling, so that a reader who counts letters' case for nothing is not read differently. */
type Table = ReadonlyMap<string, DecidingMember>

function table(rows: Readonly<Partial<Record<MemberKind, readonly (string | readonly string[])[]>>>): Table {
  const found = new Map<string, DecidingMember>()
  let bit = 1
  for (const [kind, names] of Object.entries(rows) as [
    MemberKind,
    readonly (string | readonly string[])[],
  ][]) {
    for (const spellings of names) {
      const all = typeof spellings === 'string' ? [spellings] : spellings
      const [name = ''] = all
      for (const spelling of all) found.set(foldedKey(spelling), { kind, name, spelling, bit })
      bit <<= 1
    }
  }
  if (bit <= 0) throw new Error('so many members have no bits of their own')
  return found
}

/** At the top of a body. */
export const DECIDING: Table = table({
  text: ['model'],
  names: ['models'],
  flag: ['stream', 'background', 'deferred'],
  object: [
    'stream_options',
    ['generationConfig', 'generation_config'],
    ...['inferenceConfig', 'options', 'textGenerationConfig', 'parameters'],
  ],
  tier: [['service_tier', 'serviceTier']],
  limit: [
    ...['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'max_tokens_to_sample'],
    ...['max_gen_len', 'max_new_tokens', 'num_predict', 'maxOutputTokens', 'maxTokens'],
  ],
  count: ['n', 'best_of', 'num_generations', ['candidateCount', 'candidate_count'], 'num_return_sequences'],
})

/** Inside of the members of kind `object` that wrap such limits. */
export const WRAPPED: Table = table({
  limit: [
    ['maxOutputTokens', 'max_output_tokens'],
    ...['maxTokens', 'max_tokens', 'num_predict', 'maxTokenCount', 'max_new_tokens'],
  ],
  count: [['candidateCount', 'candidate_count'], 'n', 'best_of', 'num_return_sequences'],
})

/** Members whose own members are of `WRAPPED`; `stream_options` has its own. */
export const WRAPPERS: ReadonlySet<string> = new Set([
  ...['generationConfig', 'inferenceConfig', 'options', 'textGenerationConfig', 'parameters'],
])
