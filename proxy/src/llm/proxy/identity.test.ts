import type { IncomingMessage } from 'node:http'
import { beforeEach, expect, it, vi } from 'vitest'
import type { Agent } from '../../identity/agents/index.ts'
import { AppError, DEFAULT_TENANT } from '../../kernel/index.ts'
import { createIdentity, type SharedGate } from './identity.ts'

const from = (remoteAddress: string) =>
  ({ rawHeaders: [], socket: { remoteAddress } }) as unknown as IncomingMessage
const HOME = from('::ffff:192.0.2.7')
const AWAY = from('::ffff:192.0.2.8')
const DEMO = { id: 'agt_0000000000000001', name: 'demo' } as Agent
const TOKEN = `oa3_${'t'.repeat(43)}`

const agents = { revision: 1, authenticate: vi.fn<(token: string | undefined, address: string) => Agent>() }
const gate = { failedLogin: vi.fn<SharedGate['failedLogin']>(), refused: vi.fn<SharedGate['refused']>() }
let identity: ReturnType<typeof createIdentity>
beforeEach(() => {
  vi.resetAllMocks()
  gate.failedLogin.mockImplementation(async (_request, error) => error)
  agents.authenticate.mockImplementation((_token, address) => {
    if (address !== '192.0.2.7') throw new AppError('address_not_allowed', 'Not from there.')
    return DEMO
  })
  identity = createIdentity({ agents, gate, tenant: DEFAULT_TENANT })
})

it('looks a token up once for each address, until any agent changes', () => {
  expect(identity.of(TOKEN, HOME)).toBe(DEMO)
  expect(identity.revalidateToken(TOKEN, HOME)).toBe(DEMO)
  expect(agents.authenticate.mock.calls).toEqual([[`Bearer ${TOKEN}`, '192.0.2.7']])
  agents.revision += 1
  agents.authenticate.mockImplementation(() => {
    throw new AppError('unauthenticated', 'Revoked.')
  })
  expect(identity.revalidateToken(TOKEN, HOME)).toBeNull()
})

it('lets nobody in from one address with what was found for another', async () => {
  identity.of(TOKEN, HOME)
  expect(identity.revalidateToken(TOKEN, AWAY)).toBeNull()
  expect(await identity.of(TOKEN, AWAY)).toMatchObject({ code: 'address_not_allowed' })
})

it('tells and counts whoever fails, and nobody else', async () => {
  identity.of(TOKEN, HOME)
  expect(gate.refused).not.toHaveBeenCalled()
  expect(gate.failedLogin).not.toHaveBeenCalled()
  await identity.of(TOKEN, AWAY)
  const missing = { code: 'unauthenticated', message: 'No token.' } as const
  expect(await identity.missing(AWAY, missing)).toMatchObject({ code: 'unauthenticated' })
  expect(gate.refused.mock.calls.map(([who, { code }]) => [who, code])).toEqual([
    [AWAY, 'address_not_allowed'],
    [AWAY, 'unauthenticated'],
  ])
  expect(gate.failedLogin.mock.calls.map(([request]) => request)).toEqual([AWAY, AWAY])
  gate.failedLogin.mockResolvedValue(new AppError('rate_limited', 'Too many.', { retryAfterSeconds: 9 }))
  expect(await identity.of(TOKEN, AWAY)).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 9 })
  expect(identity.of(TOKEN, HOME)).toBe(DEMO)
})

it('lets in nobody whom the table of permissions does not, however good the token is', async () => {
  // As whoever holds a token one day and is no agent of this tenant.
  agents.authenticate.mockReturnValue({ name: 'nobody' } as Agent)
  expect(await identity.of(TOKEN, HOME)).toMatchObject({ code: 'unauthenticated' })
  expect(identity.revalidateToken(TOKEN, HOME)).toBeNull()
  expect(gate.refused).toHaveBeenCalledOnce()
})
