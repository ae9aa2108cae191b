import { z } from 'zod'
import type { DescribedRoute } from '../index.ts'
import { logQuery, machineLog, machineVersions, processList } from '../inspection-schemas.ts'

const instance = z
  .string()
  .max(64)
  .optional()
  .describe("id or name of one of the account's hosted agents, where it has several")
const query = z.strictObject({ instance })

export { machineLog as debugLogView, machineVersions as debugVersionView, processList as debugProcessesView }

const LOOK = { method: 'GET', scope: 'machines', action: 'hosted_agent.inspect' } as const

/** What PoeClaw's clients look at of the account's agent: nothing is run for it, and nobody is woken. A part of ACCOUNT_ROUTES. */
export const DEBUG_ROUTES = {
  listProcesses: {
    ...LOOK,
    path: '/debug/processes',
    summary:
      "What runs in the machine of the account's hosted agent: names of programs, without arguments, scrubbed. Wakes it not; not on EC2.",
    query,
    answer: processList,
    errors: ['invalid_request', 'not_found', 'locked'],
  },
  readLog: {
    ...LOOK,
    path: '/debug/logs',
    summary:
      'The newest that its OpenClaw printed since the daemon or the machine started, scrubbed; `id` is that of a process that runs, or left out. Wakes it not; not on EC2.',
    query: logQuery.extend({ instance }),
    answer: machineLog,
    errors: ['invalid_request', 'not_found', 'locked'],
  },
  readVersion: {
    ...LOOK,
    path: '/debug/version',
    summary: 'What its machine is made of, and what is in it as that says. Wakes it not.',
    query,
    answer: machineVersions,
    errors: ['invalid_request', 'not_found'],
  },
} as const satisfies Readonly<Record<string, DescribedRoute & { readonly scope: 'machines' }>>
