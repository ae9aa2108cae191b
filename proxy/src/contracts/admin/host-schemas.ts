/** Hosted agents as the owner sees them. Times are unix milliseconds. */
import { z } from 'zod'
import { hostModel, hostName, sleepAfter } from '../host-forms.ts'
import { queryNumber } from './schemas.ts'

const MACHINE_STATE_WORDS = [
  'creating',
  'starting',
  'running',
  'pausing',
  'paused',
  'stopping',
  'asleep',
  'waking',
  'failed',
  'deleting',
  'deleted',
] as const
export const HOST_ORDERS = ['start', 'stop', 'sleep', 'wake', 'remove'] as const

export const addHostBody = z.strictObject({
  name: hostName,
  provider: z.string().min(1).max(64),
  model: hostModel,
  /** Left out: as SANDBOX_SLEEP_AFTER says. */
  sleep_after: sleepAfter.optional(),
})
export const addBrowserBody = z.strictObject({
  name: hostName,
  /** Name of the agent whose it is. */
  agent: z.string().min(1).max(64),
  sleep_after: sleepAfter.optional(),
})
/** Whether it shall have one. */
export const desktopBody = z.strictObject({ on: z.boolean() })
export const orderHostBody = z.strictObject({ order: z.enum(HOST_ORDERS) })
/** Number of a kept generation of its files. */
export const rollBackBody = z.strictObject({ to: z.int().min(1) })
const generationView = z.object({
  number: z.int(),
  /** Whether the next wake brings it; while the agent is up its files are newer than any. */
  current: z.boolean(),
  /** When it went to sleep with them, in unix milliseconds. */
  created_at: z.int(),
  files: z.int(),
  /** Contents of files together. */
  bytes: z.int(),
})
export type GenerationView = z.output<typeof generationView>
/** The newest first. */
export const generationList = z.object({ generations: z.array(generationView) })
const hosts = z.array(z.string().min(1).max(280)).max(100)
/** Host patterns: `host`, `host:port`, `*.suffix`, `http://host`. */
export const reachBody = z.strictObject({ allow: hosts.optional(), deny: hosts.optional() })
const said = z.string().min(1).max(100_000)

/** `model` left out: the agent's own. */
export const turnBody = z.strictObject({ text: said, model: hostModel.optional() })
/** A use of a tool by a hosted agent: untrusted texts, cut. */
const toolCallView = z.object({
  id: z.string(),
  name: z.string(),
  /** `running` of a turn that ended: its end was not heard of. */
  state: z.enum(['running', 'done', 'failed']),
  /** JSON. */
  arguments: z.string(),
  duration_ms: z.int().nullable(),
})
export type ToolCallView = z.output<typeof toolCallView>
export const turnView = z.object({
  number: z.int(),
  /** `woken`: nobody asked for it; the outcome of a request woke the agent, or something of its own. */
  origin: z.enum(['person', 'woken']),
  /** Whose outcome woke it, where that is known. */
  request_id: z.string().nullable(),
  /** `open`: it waits, or is being answered. */
  state: z.enum(['open', 'done', 'stopped', 'failed']),
  model: z.string(),
  asked: z.string(),
  /** Untrusted text. Null while it is open; of one that was stopped or failed what had come by then. */
  answer: z.string().nullable(),
  problem: z.string().nullable(),
  /** Up to a hundred, in the order in which they began; while it is open the events have them. */
  tools: z.array(toolCallView),
  created_at: z.int(),
  ended_at: z.int().nullable(),
})
export type TurnView = z.output<typeof turnView>
export const turnsQuery = z.strictObject({
  before: queryNumber.optional(),
  limit: queryNumber.default(50),
})
/** The oldest of them first. */
export const turnList = z.object({ turns: z.array(turnView) })
/** Of the events `turn` and `end`, `begun`, `text`, `tool`, `lost`. */
export const turnEvent = z.union([
  turnView,
  z.strictObject({ begun: z.literal(true) }),
  z.strictObject({ text: z.string() }),
  /** As it stands now: it takes the place of what was told of the same id. */
  toolCallView,
  /** Events up to this one are not kept any more; `end` has all that was said. */
  z.strictObject({ up_to: z.int() }),
])

export const hostView = z.object({
  id: z.string(),
  name: z.string(),
  /** Id of the agent that lives in it, or whose it is. */
  agent_id: z.string(),
  /** `browser`: a Chromium for an agent; `desktop`: a screen with one, for a hosted agent; both without a provider and a model. */
  kind: z.enum(['openclaw', 'browser', 'desktop']),
  state: z.enum(MACHINE_STATE_WORDS),
  wanted: z.enum(['awake', 'paused', 'asleep', 'deleted']),
  provider: z.string(),
  model: z.string(),
  sleep_after_ms: z.int().nullable(),
  /** Hosts that it may reach through the gateway. */
  egress: z.array(z.string()),
  /** What comes next if nobody uses it, when, and why then. */
  next: z.enum(['paused', 'asleep']).nullable(),
  next_at: z.int().nullable(),
  because: z.string(),
  /** Its place among all that wait for the memory of the host, from 1; null: it waits for none. */
  memory_queue_position: z.int().nullable(),
  /** The vendor of its model, where no key is there that it may use: it answers nothing until there is one. */
  lacks_key_of: z.string().nullable(),
  last_error: z.string().nullable(),
  created_at: z.int(),
  changed_at: z.int(),
})
export type HostedAgentView = z.output<typeof hostView>
export const hostList = z.object({ hosts: z.array(hostView) })
