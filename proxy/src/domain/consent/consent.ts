import { z } from 'zod'
import { AppError, type CodeHash, type ConsentHash, canonicalJson, sha256Hex } from '../../kernel/index.ts'

/**
 * What a person is asked to agree to, and what runs: one canonical JSON object. The card shows it, the decision is
 * bound to its hash, and the run reads nothing else. Arrays are sorted and unique, so that equal consents have
 * equal text. Bytes and milliseconds throughout; host patterns in canonical form.
 */
const consentSecret = z.strictObject({
  name: z.string(),
  /** raw: the code receives the value itself. */
  mode: z.enum(['placeholder', 'raw']),
  hosts: z.array(z.string()),
  in: z.array(z.enum(['body', 'header', 'query'])),
  /** Hosts that the owner bound the secret to when storing it; null when unbound or not stored yet. */
  bound_to: z.array(z.string()).nullable(),
})

const consentSchema = z.strictObject({
  v: z.literal(1),
  skill_id: z.string(),
  description: z.string(),
  code: z.strictObject({ sha256: z.string(), bytes: z.int() }),
  /** Where the code is said to come from; null when no skill_url was sent. */
  source: z
    .strictObject({ url: z.string(), relation: z.enum(['fetched', 'same', 'different', 'unreadable']) })
    .nullable(),
  agent: z.strictObject({ id: z.string(), name: z.string() }),
  runtime: z.strictObject({
    name: z.string(),
    image: z.string(),
    isolation: z.enum(['docker', 'embedded']),
  }),
  secrets: z.array(consentSecret),
  network: z.array(z.string()),
  /** Canonical JSON text given to the code, or null when the request had no args. */
  args: z.string().nullable(),
  limits: z.strictObject({
    timeout_ms: z.int(),
    memory_bytes: z.int(),
    cpu_millis: z.int(),
    pids: z.int(),
    tmp_bytes: z.int(),
    output_bytes: z.int(),
  }),
})

export type Consent = z.infer<typeof consentSchema>
export type ConsentSecret = z.infer<typeof consentSecret>
export type SourceRelation = NonNullable<Consent['source']>['relation']

export interface SealedConsent {
  readonly consent: Consent
  readonly json: string
  readonly hash: ConsentHash
}

export function sealConsent(draft: Consent): SealedConsent {
  const consent: Consent = {
    ...draft,
    secrets: draft.secrets
      .map((secret) => ({ ...secret, hosts: sorted(secret.hosts), in: sorted(secret.in) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    network: sorted(draft.network),
  }
  const json = canonicalJson(consent)
  return { consent, json, hash: sha256Hex(json) as ConsentHash }
}

/** Opens stored consent; throws when the text is not what the hash names. */
export function openConsent(json: string, hash: ConsentHash): Consent {
  const parsed = sha256Hex(json) === hash ? consentSchema.safeParse(JSON.parse(json)) : undefined
  if (!parsed?.success) {
    throw new AppError('internal', 'A stored consent does not match its hash; it will not be used.')
  }
  return parsed.data
}

export const consentCode = (consent: Consent): CodeHash => consent.code.sha256 as CodeHash

const sorted = <T extends string>(items: readonly T[]): T[] => [...new Set(items)].sort()
