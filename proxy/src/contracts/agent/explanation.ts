import { z } from 'zod'

/** What a dry run answers. Lines are 1-based; a part of a request that is null is computed by the code. */
const capability = z.strictObject({
  host: z.string(),
  methods: z.array(z.string()).describe('`["*"]` for any; empty where only WebSockets are meant.'),
  paths: z.array(z.string()).describe('`["/**"]` for any.'),
  requests: z.int(),
  websocket: z.boolean(),
  graphql: z.enum(['query', 'mutation']),
})

const fact = z.discriminatedUnion('fact', [
  z.strictObject({
    fact: z.literal('request'),
    line: z.int(),
    host: z.string().nullable(),
    method: z.string().nullable(),
    path: z.string().nullable(),
    websocket: z.boolean(),
    graphql: z.enum(['query', 'mutation', 'unknown']).nullable(),
  }),
  z.strictObject({
    fact: z.literal('danger'),
    kind: z.string(),
    lines: z.array(z.int()),
    detail: z.string().optional(),
  }),
  z.strictObject({
    fact: z.literal('secret'),
    name: z.string(),
    lines: z.array(z.int()),
    goes: z.array(z.string()),
  }),
  z.strictObject({
    fact: z.literal('import'),
    line: z.int(),
    specifier: z.string().nullable(),
    dynamic: z.boolean(),
  }),
])

export const explanationView = z.strictObject({
  capabilities: z
    .array(capability)
    .describe(
      'What the run could send: stated, or derived from the code. Entries of metadata.network take this form.',
    ),
  facts: z.array(fact).describe('What was read of the code.'),
  warnings: z.array(z.strictObject({ kind: z.string(), text: z.string() })).describe('Most dangerous first.'),
  sends: z.string().describe('The capabilities as the card says them.'),
  changes: z.array(z.string()).describe('How it goes beyond what was approved before.'),
  missing_secrets: z.array(z.string()).describe('Secrets that it names and that are not stored.'),
  trusted: z.boolean().describe('Whether it would run without a question.'),
  consent_hash: z.string().describe('Of the consent, before imports from elsewhere are locked.'),
})
