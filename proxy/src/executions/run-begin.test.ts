import { describe, expect, it } from 'vitest'
import type { Consent } from '../approvals/consent/index.ts'
import type { RequestId, Tx } from '../kernel/index.ts'
import type { Execution } from './execution.ts'
import { createBeginRun } from './run-begin.ts'

/** Whatever is asked of it is asked too much. */
const untouched = (what: string): never =>
  new Proxy({} as never, {
    get(_, member) {
      throw new Error(`${what}.${String(member)} was asked for`)
    },
  })

const locked = createBeginRun({
  ledger: untouched('ledger'),
  finish: untouched('finish'),
  trust: untouched('trust'),
  vault: untouched('vault'),
  agents: untouched('agents'),
  clock: untouched('clock'),
  lockdown: { state: { since: 1, by: 'cli:0' } },
})
const approved = { requestId: 'req_one' as RequestId, status: 'approved' } as Execution

describe('while everything is stopped no run begins, whoever else would have ended it', () => {
  it('that waited', async () => {
    const tx = { executions: { byRequestId: async () => approved } } as unknown as Tx
    expect(await locked.waited(tx, approved.requestId)).toBeUndefined()
  })

  it('that is approved in this very unit', async () => {
    expect(await locked.approved(untouched('tx'), approved, untouched('consent') as Consent)).toBeUndefined()
  })
})
