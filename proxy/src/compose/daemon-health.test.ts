import { expect, it } from 'vitest'
import type { Sandbox, SandboxStatus } from '../sandbox/index.ts'
import { createHealth } from './daemon-health.ts'

const health = (status: Partial<SandboxStatus>, telegram: 'connected' | 'disconnected' = 'connected') =>
  createHealth({
    sandbox: {
      status: async () => ({ kind: 'unavailable', runtimes: [], notes: [], warm: 0, ...status }),
    } as unknown as Sandbox,
    telegram: () => telegram,
    telegramNote: async () => null,
    askDatabase: async () => 1,
    engine: 'sqlite',
    lockdown: { state: null },
    freeSpace: { isLow: false, freeBytes: undefined },
  })()

it('is starting while what code runs in is being built, and degraded when it is not there', async () => {
  expect((await health({ cause: 'building' })).status).toBe('starting')
  expect((await health({})).status).toBe('degraded')
  expect((await health({ cause: 'building' }, 'disconnected')).status).toBe('degraded')
  expect((await health({ kind: 'docker', cause: undefined })).status).toBe('ok')
})
