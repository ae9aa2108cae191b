import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { machineSpec, sampleMachine } from '../../../test/support/machine-kit.ts'
import { patience } from '../../../test/support/pace.ts'
import { DEFAULT_TENANT, systemClock } from '../../kernel/index.ts'
import type { Machine, Machines } from '../machines/index.ts'
import { createFileRoom } from './file-room.ts'
import { createHostedAgents } from './hosted-agents.ts'
import type { HostedAgentsDeps } from './ports.ts'

const NEVER = new AbortController().signal
const HELLO = { oauth3: 1, role: 'control', image: 'openclaw', openclaw: '2026.9.6', node: '24.21.0' }
const settings = { agent: 'agt_mine', provider: 'anthropic', model: 'claude-sonnet-5-5' }
const ASLEEP = sampleMachine({ name: 'claw', observed: 'asleep', spec: machineSpec({ settings }) })
const unused = (): never => {
  throw new Error('not played')
}

/** Over machines that are played: one row, told as it becomes awake. */
function depsOf(folder: string, machines: Partial<Machines>): HostedAgentsDeps {
  const agent = { id: 'agt_mine', name: 'claw', tags: [], revokedAt: null }
  return {
    agents: { byId: () => agent, list: () => [agent] } as unknown as HostedAgentsDeps['agents'],
    machines: async () => machines as Machines,
    chats: unused,
    hold: () => undefined,
    socketPathOf: () => join(folder, 'machine.sock'),
    keyOf: ({ id }) => ({ tenant: DEFAULT_TENANT, machine: id }),
    images: { openclaw: 'openclaw', browser: null, desktop: null },
    spec: machineSpec(),
    ...{ agentApi: unused, upgradeApi: unused, bindModel: unused, openToScrub: unused, noteFile: unused },
    openEgress: async () => ({ allow() {}, cut() {}, async close() {} }),
    ...{ fileRoom: createFileRoom(), clock: systemClock, hasKey: () => true },
    ...{ assertRoom() {}, assertProvider() {}, assertOpen() {}, log() {} },
  }
}

it('configures a machine that woke since its row was read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oauth3-hosted-'))
  try {
    await using hosted = createHostedAgents(
      depsOf(folder, {
        list: async (): Promise<readonly Machine[]> => [ASLEEP],
        async ensureAwake(id) {
          hosted.changed({ tenant: DEFAULT_TENANT, machine: id }, { ...ASLEEP, observed: 'running' })
          return { [Symbol.dispose]() {} }
        },
      }),
    )
    const told = hosted.tell('claw', 'an outcome is there', NEVER)
    told.catch(() => {})
    await expect.poll(() => existsSync(join(folder, 'machine.sock')), { timeout: patience(5_000) }).toBe(true)

    const socket = connect(join(folder, 'machine.sock')).on('error', () => {})
    const say = (message: object) => socket.write(`${JSON.stringify(message)}\n`)
    say(HELLO)
    const heard: string[] = []
    for await (const line of createInterface({ input: socket })) {
      const message = JSON.parse(line)
      heard.push(message.do)
      if (message.do === 'configure')
        say({ state: 'ready', gatewayToken: 'of-the-gateway-0123456789', ms: 1 })
      if (message.do === 'wake') say({ woke: message.id, status: 200, outcome: 'queued' })
      if (message.do === 'wake') break
    }
    expect(heard).toContain('wake')
    expect(await told).toBe(200)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
