import { describe, expect, it } from 'vitest'
import { AppError, newAppId, newRunId } from '../../kernel/index.ts'
import { createNetworkAsks, NETWORK } from './network-asks.ts'
import type { ToolCall } from './ports.ts'

const TARGET = { scheme: 'https', host: 'docs.example.com', port: 443 } as const
const NEVER = new AbortController().signal
const APPROVED = {
  ...{ id: 'call_1', tool: NETWORK, input: '{}', status: 'approved' },
  effect: { kind: 'network', host: TARGET.host },
} as unknown as ToolCall

/** A person says yes at once; what happens until that is on the disk is the test's. */
function createKit(whileFlushed: (over: AbortController) => void = () => {}) {
  const over = new AbortController()
  const opened: string[] = []
  let asked = 0
  const state = { isLocked: false }
  const run = {
    ...{ runId: newRunId(), appId: newAppId(), prompt: '', promptSha256: '', tools: [], secrets: [] },
    ...{ usesSeat: false, egress: null, asksForHosts: true },
  }
  const asker = createNetworkAsks({
    ...{ run, over: over.signal, refuse: async () => {} },
    questions: {
      async ask() {
        asked += 1
        return APPROVED
      },
    },
    storage: { flushed: async () => whileFlushed(over) },
    lockdown: {
      assertOpen() {
        if (state.isLocked) throw new AppError('locked', 'Everything is stopped.')
      },
    },
    openings: { open: (id) => void opened.push(id), close() {}, closeAll() {} },
  })
  return { over, opened, state, asked: () => asked, ask: () => asker.ask(TARGET, NEVER) }
}

describe('a yes to a host', () => {
  it('opens it once it is on the disk', async () => {
    const { ask, opened } = createKit()
    expect([await ask(), await ask(), opened]).toEqual([null, null, ['call_1']])
  })

  it('opens nothing where the run ended until it was on the disk', async () => {
    const { ask, opened } = createKit((over) => over.abort())
    expect([await ask(), opened]).toEqual([expect.stringContaining('over'), []])
  })

  it('opens nothing where everything stopped meanwhile, and is asked for anew', async () => {
    const { ask, opened, state, asked } = createKit()
    state.isLocked = true
    expect([await ask(), opened]).toEqual([expect.any(String), []])
    state.isLocked = false
    expect([await ask(), opened, asked()]).toEqual([null, ['call_1'], 2])
  })

  it('is asked for by no run that is over', async () => {
    const { ask, over, asked } = createKit()
    over.abort()
    expect([await ask(), asked()]).toEqual([expect.stringContaining('over'), 0])
  })
})
