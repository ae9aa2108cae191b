import { z } from 'zod'
import { anyCapability, canonicalNetwork } from '../../egress/capabilities/index.ts'
import {
  AppError,
  CONSENT_SURFACES,
  type CodeHash,
  type ConsentHash,
  canonicalJson,
  sha256Hex,
} from '../../kernel/index.ts'
import { keepingConsents } from './kept-consents.ts'

/**
 * What a person is asked to agree to, and what runs: one canonical JSON object. The card shows it, the decision is
 * bound to its hash, and the run reads nothing else. Arrays are sorted and unique, so that equal consents have
 * equal text. Bytes and milliseconds throughout; host patterns in canonical form.
 */
const consentSecret = z.strictObject({
  name: z.string(),
  /** placeholder: the gateway puts the value in on the way out; raw: the code receives the value itself. */
  mode: z.enum(['placeholder', 'raw']),
  hosts: z.array(z.string()),
  in: z.array(z.enum(CONSENT_SURFACES)),
  /** Hosts that the owner bound the name to, also when its value was removed since; null when to none. */
  bound_to: z.array(z.string()).nullable(),
})

/** A link that was sent, and what came of it. */
const linkSource = z.strictObject({
  url: z.string(),
  relation: z.enum(['fetched', 'same', 'different', 'unreadable']),
})

/**
 * A skill of a registry, whose publisher signed these bytes. All that the card says of it stands here, so that what was shown is what
 * was decided; nothing of it covers a later request.
 */
const signedSource = z.strictObject({
  relation: z.literal('signed'),
  /** `name@version`. */
  skill: z.string(),
  url: z.string(),
  registry: z.strictObject({ name: z.string(), key: z.string() }),
  /** Key of the publisher, `ed25519:…`. */
  publisher: z.string(),
  /** The key that was accepted for this name before; null when none was. */
  accepted_publisher: z.string().nullable(),
  /** Whether the owner pinned this version to these bytes. */
  pinned: z.boolean(),
  /** What the entry says that the code does and needs. */
  declares: z.strictObject({
    description: z.string(),
    secrets: z.array(z.string()),
    network: z.array(z.string()),
  }),
})

const consentV1 = z.strictObject({
  v: z.literal(1),
  skill_id: z.string(),
  description: z.string(),
  code: z.strictObject({ sha256: z.string(), bytes: z.int() }),
  /** Where the code is said to come from; null when it was sent without a link. */
  source: linkSource.nullable(),
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

/** Modules from elsewhere, as they were when the request came in; the run sees these and no others. */
const consentImports = z.strictObject({
  /** SHA-256 of the lock's canonical manifest, which names every file by path and content. */
  lock: z.string(),
  files: z.int(),
  bytes: z.int(),
  /** Every module or package version, e.g. `https://esm.sh/zod@4.1.0`, `npm:zod@4.1.0`, `jsr:@std/fmt@1.0.8`. */
  modules: z.array(z.string()),
})

const consentV2 = consentV1.extend({
  v: z.literal(2),
  /** Null when the code imports nothing from elsewhere. */
  imports: consentImports.nullable(),
})

/** What the run may do at one host; see `Capability`. */
const consentCapability = z.strictObject({
  host: z.string(),
  methods: z.array(z.string()).readonly(),
  paths: z.array(z.string()).readonly(),
  requests: z.int(),
  websocket: z.boolean(),
  graphql: z.enum(['query', 'mutation']),
})

const consentV3 = consentV2.extend({
  v: z.literal(3),
  network: z.array(consentCapability).readonly(),
  /** Whether the runtime lets code make code from text while it runs. */
  dynamic_code: z.boolean(),
  source: z.discriminatedUnion('relation', [linkSource, signedSource]).nullable(),
})

export type Consent = z.infer<typeof consentV3>
export type ConsentImports = z.infer<typeof consentImports>
export type SignedSource = z.infer<typeof signedSource>
export type ConsentSecret = z.infer<typeof consentSecret>

const storedConsent = z.discriminatedUnion('v', [consentV1, consentV2, consentV3])

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
    network: canonicalNetwork(draft.network),
    imports: draft.imports && { ...draft.imports, modules: sorted(draft.imports.modules) },
  }
  const json = canonicalJson(consent)
  return { consent, json, hash: sha256Hex(json) as ConsentHash }
}

/** Opens stored consent; throws when the text is not what the consent hash names. */
export const openConsent = keepingConsents((json: string, hash: ConsentHash): Consent => {
  const parsed = sha256Hex(json) === hash ? storedConsent.safeParse(JSON.parse(json)) : undefined
  if (!parsed?.success) {
    throw new AppError('internal', 'A stored consent does not match its hash; it will not be used.')
  }
  return current(parsed.data)
})

/** Earlier forms open for ever; what they could not say is filled in with what was true of them. */
function current(stored: z.infer<typeof storedConsent>): Consent {
  if (stored.v === 3) return stored
  const imports = stored.v === 1 ? null : stored.imports
  return { ...stored, v: 3, imports, network: stored.network.map(anyCapability), dynamic_code: true }
}

export const consentCode = (consent: Consent): CodeHash => consent.code.sha256 as CodeHash

const sorted = <T extends string>(items: readonly T[]): T[] => [...new Set(items)].sort()
