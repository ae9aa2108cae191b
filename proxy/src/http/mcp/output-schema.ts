import { z } from 'zod'

/** Of a refusal, which is a tool's answer too. */
const refusal = z.strictObject({
  error: z.looseObject({ code: z.string(), message: z.string() }),
  retry_after: z.number().optional(),
})

/**
 * JSON Schema of what a tool gives back, refusals included: clients hold every `structuredContent` against it, also of an error.
 * `$schema` is left out, for its default is what it would say, and revisions up to 2025-11-25 want `type: object` at the root.
 */
export function outputSchemaOf(view: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(z.union([view, refusal]), {
    io: 'output',
    unrepresentable: 'any',
  })
  return { type: 'object', ...schema }
}
