import { expect, it } from 'vitest'
import { AppError } from '../../kernel/index.ts'
import { createAgentGate, type GateDeps } from './gate.ts'

it('refuses all that would run while everything is stopped, before anything else looks at it', async () => {
  const state = { isLocked: false }
  await using gate = createAgentGate({
    accepting: () => true,
    lockdown: {
      assertOpen() {
        if (state.isLocked) throw new AppError('locked', 'stopped')
      },
    },
  } as unknown as GateDeps)
  expect(() => gate.assertAccepting()).not.toThrow()
  state.isLocked = true
  expect(() => gate.assertAccepting()).toThrow(expect.objectContaining({ code: 'locked' }))
})
