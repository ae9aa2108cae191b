/** Lines of JSON that a machine says. It is hostile: what is not of a form that is known is nothing. */
import { z } from 'zod'

/** OpenClaw's own lines have 4 KiB, in JSON that escapes each of their bytes. */
export const MAX_LINE_BYTES = 32 * 1_024

const version = z.string().regex(/^[\w.+-]{1,64}$/)
const hello = z.union([
  z.object({
    ...{ oauth3: z.literal(1), role: z.literal('control') },
    ...{ openclaw: version.optional().catch(undefined), node: version.optional().catch(undefined) },
  }),
  z.object({ oauth3: z.literal(1), role: z.literal('stream'), stream: z.string().min(1).max(64) }),
])
const machineMessage = z.union([
  z.object({ state: z.literal('ready'), gatewayToken: z.string().regex(/^[\x21-\x7e]{16,512}$/) }),
  z.object({
    state: z.enum(['waiting', 'starting', 'draining', 'failed']),
    detail: z.string().max(2_000).optional(),
  }),
  z.object({ probe: z.int(), ready: z.boolean(), detail: z.string().max(200).optional() }),
  z.object({ woke: z.int(), status: z.int(), outcome: z.string().max(200).optional() }),
  z.object({ refused: z.string().max(64) }),
  z.object({ log: z.string() }),
])

export type Hello = z.output<typeof hello>
export type MachineMessage = z.output<typeof machineMessage>

const parsed = <T>(schema: z.ZodType<T>, line: Buffer): T | undefined => {
  try {
    return schema.safeParse(JSON.parse(line.toString('utf8'))).data
  } catch {
    return undefined
  }
}
export const parseHello = (line: Buffer): Hello | undefined => parsed(hello, line)
export const parseMachineMessage = (line: Buffer): MachineMessage | undefined => parsed(machineMessage, line)

/** What the daemon says first of all. `path` is put behind the machine's own address of its model endpoint. */
export interface Configuration {
  /** A text in the place of the agent's token: the daemon puts the token in. */
  readonly token: string | null
  readonly model: string
  readonly providers: readonly {
    readonly id: string
    readonly path: string
    readonly api: 'anthropic-messages' | 'openai-completions'
    readonly models: readonly { readonly id: string }[]
  }[]
}
