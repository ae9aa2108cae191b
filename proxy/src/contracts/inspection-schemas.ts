/** What is seen of a machine from outside, for its owner and for the account's API. What the machine says itself is untrusted text. */
import { z } from 'zod'

const of = {
  /** Of the machine. */
  name: z.string(),
  /** `running`, `paused`, `asleep` …: of one that is not up nothing runs, and its log is gone. */
  state: z.string(),
}
const status = z.enum(['running', 'waiting', 'stopped', 'ended'])

export const processList = z.object({
  ...of,
  count: z.int(),
  processes: z.array(
    z.object({
      id: z.string(),
      /** Null: none of these. */
      parent_id: z.string().nullable(),
      /** Its program and, of an interpreter, the script: without arguments. */
      command: z.string(),
      status,
      /** Since it began. */
      seconds: z.int(),
      memory_bytes: z.int(),
    }),
  ),
})
export type ProcessListView = z.output<typeof processList>

export const logQuery = z.strictObject({
  /** Of a process that is listed. Left out: whichever. */
  id: z.string().max(64).optional().describe('of a process that is listed'),
})
export const machineLog = z.object({
  ...of,
  process_id: z.string().nullable(),
  process_status: status.nullable(),
  /** The newest lines that its OpenClaw printed, at either output. */
  stdout: z.string(),
  /** Always empty: what came at either stands in one order. */
  stderr: z.literal(''),
  /** Older lines are left out. */
  truncated: z.boolean(),
})
export type MachineLogView = z.output<typeof machineLog>

export const machineVersions = z.object({
  ...of,
  /** That it is made of. */
  image: z.string(),
  /** As it says itself; null while it is not up, and of one that has none. */
  openclaw_version: z.string().nullable(),
  node_version: z.string().nullable(),
})
export type MachineVersionsView = z.output<typeof machineVersions>
