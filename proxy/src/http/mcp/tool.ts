import { z } from 'zod'
import { invalidBody } from '../../executions/agent-routes/index.ts'
import type { Execution } from '../../executions/index.ts'
import type { Action } from '../../identity/index.ts'
import type { AgentCaller } from '../agent-api/index.ts'

interface ToolCall {
  readonly caller: AgentCaller
  readonly input: Record<string, unknown>
  readonly signal: AbortSignal
}

/** What a tool gives back, and the execution whose state it tells, if it does. */
interface ToolAnswer {
  readonly content: object
  readonly execution?: Execution
}

export interface Tool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: Record<string, unknown>
  readonly outputSchema: Record<string, unknown>
  readonly limit: 'execute' | 'read'
  /** What the caller must be allowed to do, of its own. */
  readonly action: Action
  readonly readOnly: boolean
  call(call: ToolCall): Promise<ToolAnswer>
}

/** Of a tool that takes nothing. */
export const nothing = z.strictObject({})

/** A tool's arguments, checked; throws invalid_request. */
export function checked<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input)
  if (!parsed.success) throw invalidBody(parsed.error)
  return parsed.data
}

export const jsonSchema = (schema: z.ZodType): Record<string, unknown> =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>
