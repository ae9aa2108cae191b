/** What OpenClaw's record of a conversation says of its runs, as `GET /sessions/KEY/history` answers it. All of it is untrusted text. */
import { z } from 'zod'
import { oneLine } from '../../kernel/index.ts'
import type { AgentRun, ToolCall } from '../chat/index.ts'

const MAX_ID_CHARS = 200
const NAME_CHARS = 64
const ARGUMENT_CHARS = 400
const MAX_MESSAGES = 1_000
/** Runs that OpenClaw's OpenAI-compatible endpoint begins: somebody asked for each. */
const ASKED = /^chatcmpl/
/** Calls the tool of its arguments: OpenClaw shows few tools to the model itself. */
const CALLS_ANOTHER = 'tool_call'

/** Left out, or null. */
const maybe = <T>(type: z.ZodType<T>) =>
  z
    .nullable(type)
    .transform((value) => value ?? undefined)
    .optional()

const part = z.object({
  type: maybe(z.string()),
  text: maybe(z.string()),
  id: maybe(z.string().max(MAX_ID_CHARS)),
  name: maybe(z.string()),
  arguments: maybe(z.unknown()),
  parentToolCallId: maybe(z.string().max(MAX_ID_CHARS)),
  isError: maybe(z.boolean()),
})
const message = z.object({
  role: z.string(),
  content: z.array(z.unknown()).catch([]),
  timestamp: maybe(z.number()),
  model: maybe(z.string()),
  stopReason: maybe(z.string()),
  toolCallId: maybe(z.string().max(MAX_ID_CHARS)),
  isError: maybe(z.boolean()),
  __openclaw: z.object({
    runId: maybe(z.string().regex(/^[\w-]{1,128}$/)),
    turnBoundary: maybe(z.boolean()),
  }),
})
const record = z.object({ messages: z.array(z.unknown()).max(MAX_MESSAGES) })
type Message = z.output<typeof message>
type Part = z.output<typeof part>

interface Run extends Omit<AgentRun, 'tools' | 'answer' | 'fetched'> {
  isWoken: boolean
  isOver: boolean
  model: string
  readonly texts: string[]
  readonly tools: Map<string, ToolCall & { readonly at: number | undefined }>
  readonly fetched: string[]
}

/** In the order in which they began; `clean` takes what is secret out of a text. Undefined: it is no record. */
export function runsOf(text: string, clean: (text: string) => string): readonly AgentRun[] | undefined {
  const found = record.safeParse(jsonOf(text)).data
  if (found === undefined) return undefined
  const runs = new Map<string, Run>()
  for (const one of found.messages) {
    const read = message.safeParse(one).data
    if (read === undefined) continue
    const { runId } = read.__openclaw
    const id = runId !== undefined && clean(runId) !== runId ? undefined : runId
    // Whatever comes behind a run, it is over; a question has no run yet.
    for (const run of runs.values()) if (run.id !== id) run.isOver = true
    if (id === undefined) continue
    const run = runs.get(id) ?? newRun(id)
    runs.set(id, run)
    hear(run, read, clean)
  }
  return [...runs.values()].map(({ texts, tools, ...run }) => ({
    ...run,
    answer: texts.join('\n\n'),
    tools: [...tools.values()].map(({ at: _, ...tool }) => tool),
  }))
}

const newRun = (id: string): Run => ({
  ...{ id, isWoken: false, isOver: false, model: '', texts: [], tools: new Map(), fetched: [] },
})

function hear(run: Run, { role, content, ...of }: Message, clean: (text: string) => string): void {
  if (of.__openclaw.turnBoundary === true && !ASKED.test(run.id)) run.isWoken = true
  const parts = content.flatMap((one) => part.safeParse(one).data ?? [])
  if (role === 'assistant') {
    const model = clean(of.model ?? '')
    run.model = /^[\w.:/-]{1,128}$/.test(model) ? model : run.model
    run.isOver = of.stopReason !== undefined && of.stopReason !== 'toolUse'
    for (const one of parts) {
      if (one.type === 'text' && one.text) run.texts.push(clean(one.text))
      if (one.type === 'toolCall') begin(run, one, of.timestamp, clean)
    }
  } else if (role === 'toolResult' && of.toolCallId !== undefined)
    end(run, of.toolCallId, of.isError === true, of.timestamp)
  // What the tool of a call's arguments answered stands before the call's own answer, which says that it went well.
  for (const { parentToolCallId, isError } of parts)
    if (parentToolCallId !== undefined && isError === true) end(run, parentToolCallId, true, of.timestamp)
}

function begin(run: Run, call: Part, at: number | undefined, clean: (text: string) => string): void {
  if (call.id === undefined || run.tools.has(call.id)) return
  const inner = innerCall.safeParse(call.arguments).data
  const { id: name, args } =
    call.name === CALLS_ANOTHER && inner !== undefined ? inner : { id: call.name ?? '', args: call.arguments }
  if (name === 'oauth3_status' && fetching.safeParse(args).success)
    run.fetched.push(fetching.parse(args).request_id)
  run.tools.set(call.id, {
    id: clean(call.id),
    name: oneLine(clean(name), NAME_CHARS),
    state: 'running',
    arguments: oneLine(clean(JSON.stringify(args ?? {})), ARGUMENT_CHARS),
    durationMs: null,
    at,
  })
}

function end(run: Run, id: string, isFailed: boolean, at: number | undefined): void {
  const tool = run.tools.get(id)
  if (tool === undefined) return
  const durationMs = at === undefined || tool.at === undefined ? null : Math.max(0, Math.round(at - tool.at))
  const state = isFailed || tool.state === 'failed' ? 'failed' : 'done'
  run.tools.set(id, { ...tool, state, durationMs })
}

const innerCall = z.object({ id: z.string(), args: z.unknown().optional() })
const fetching = z.object({ request_id: z.string().regex(/^req_[0-9a-f]{32}$/) })

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
