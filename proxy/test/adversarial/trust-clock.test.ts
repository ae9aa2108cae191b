import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ExecuteRequest, Execution } from '../../src/executions/index.ts'
import {
  addAgent,
  createDomainKit,
  type createScriptedSandbox,
  type DomainKit,
  requestOf,
} from '../support/domain-kit.ts'
import { owner } from '../support/principals.ts'

const DAY = 24 * 60 * 60 * 1_000
const START = 1_700_000_000_000

let dir: string
let kit: DomainKit
let now: number
const start = () => createDomainKit({ dir, clock: { now: () => now } })
beforeEach(async () => {
  now = START
  dir = mkdtempSync(join(tmpdir(), 'oauth3-trust-'))
  kit = await start()
  await addAgent(kit)
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

async function ask(request: Partial<ExecuteRequest> = {}): Promise<Execution> {
  const [agent] = kit.agents.list()
  if (!agent) throw new Error('no agent')
  return kit.executions.submit(agent, requestOf(request))
}
const approve = (execution: Execution, level: 'once' | 'trust24h' | 'forever') =>
  kit.executions.decide(execution.requestId, execution.consentHash, level, owner('0', 'root'))
const runs = (): number => (kit.sandbox as ReturnType<typeof createScriptedSandbox>).orders.length

describe('trust against the clock and the other request', () => {
  it('runs nothing after 24 hours, nor when the clock is set back and the daemon restarted', async () => {
    await approve(await ask(), 'trust24h')
    now = START + DAY - 1
    expect((await ask()).trusted).toBe(true)
    now = START + DAY
    expect((await ask()).status).toBe('pending')
    now = START + 1
    await kit[Symbol.asyncDispose]()
    kit = await start()
    await kit.executions.tick()
    await kit.trust.tick()
    expect((await ask({ description: 'again' })).status).toBe('pending')
    expect(runs()).toBe(0)
  })

  it('asks a second time for what was allowed once', async () => {
    const first = await ask()
    await approve(first, 'once')
    await kit.executions.wait(first.requestId, 5_000, new AbortController().signal)
    expect((await ask()).status).toBe('pending')
    expect(runs()).toBe(1)
  })

  it.each<[string, Partial<ExecuteRequest>, string]>([
    ['one more secret', { secrets: [{ name: 'A_KEY' }] }, 'secret: + A_KEY'],
    ['one more host', { network: ['evil.com'] }, 'network: + GET evil.com, ANY path'],
    ['another port', { network: ['a.com:8443'] }, 'network: + GET a.com:8443, ANY path'],
    ['a longer timeout', { network: ['a.com'], timeoutSeconds: 31 }, 'timeout: 30 → 31 s'],
    ['more memory', { network: ['a.com'], memoryMib: 512 }, 'memory: 256 → 512 MiB'],
    ['other args', { network: ['a.com'], argsJson: '{}' }, 'args: other than approved'],
    ['other code', { network: ['a.com'], code: 'evil()' }, 'code: '],
    ['a shorter timeout', { network: ['a.com'], timeoutSeconds: 1 }, 'timeout: 30 → 1 s'],
    ['less memory', { network: ['a.com'], memoryMib: 128 }, 'memory: 256 → 128 MiB'],
    ['no host', {}, 'network: − GET a.com'],
  ])('asks for %s, and the card leads with it', async (_what, request, line) => {
    await approve(await ask({ network: ['a.com'] }), 'forever')
    const other = await ask(request)
    expect([other.status, other.trusted]).toEqual(['pending', false])
    expect(other.changes[0]).toContain(line)
  })
})
