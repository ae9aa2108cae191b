import type { HostedAgentView, TurnView } from '../../contracts/admin/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import { AppError, parseSleepAfter } from '../../kernel/index.ts'
import type { ChatEvent, OpenedTurn } from '../chat/index.ts'
import { canonicalOr, listedHost } from './egress-list.ts'
import { type HostedAgent, hostedHere, kindOf } from './hosted-agent.ts'
import type { HostedAgents } from './hosted-agents.ts'

export interface HostedAgentRoutesDeps {
  /** Null: where code does not run in Docker. */
  readonly hosting: HostedAgents | null
  readonly owner: Owner
}

const CHAT_MS = 330_000
const MOST_TURNS = 200

export function hostedAgentRoutes({ hosting, owner }: HostedAgentRoutesDeps) {
  const on = (): HostedAgents => hostedHere(hosting)
  return {
    listHosts: async () => ({ hosts: hosting === null ? [] : (await hosting.list()).map(viewHost) }),
    addHost: async ({ body: { name, provider, model, sleep_after } }) =>
      viewHost(
        await on().add(
          {
            ...{ name, provider, model },
            sleepAfterMs: sleep_after === undefined ? undefined : parseSleepAfter(sleep_after),
          },
          owner.principal,
        ),
      ),
    addBrowser: async ({ body: { name, agent, sleep_after } }) =>
      viewHost(
        await on().addBrowser(
          { name, agent, sleepAfterMs: sleep_after === undefined ? undefined : parseSleepAfter(sleep_after) },
          owner.principal,
        ),
      ),
    orderHost: async ({ params: { name }, body: { order } }) =>
      viewHost(await on().order(name, order, owner.principal)),
    reachFromHost: async ({ params: { name }, body: { allow = [], deny = [] } }) =>
      viewHost(
        await on().reach(
          name,
          { allow: allow.map(listedHost), deny: deny.map(canonicalOr) },
          owner.principal,
        ),
      ),
    chatWithHost: async ({ params: { name }, body: { text } }) => ({
      text: await on().chat(name, text, owner.principal, AbortSignal.timeout(CHAT_MS)),
    }),
    listTurns: async ({ params: { name }, query: { before = Number.MAX_SAFE_INTEGER, limit } }) => {
      const turns = await on().turns(name, before, Math.min(Math.max(limit, 1), MOST_TURNS))
      return { turns: turns.toReversed().map(viewTurn) }
    },
    sayToHost: async ({ params: { name }, body }) => viewTurn(await on().say(name, body, owner.principal)),
    async *followTurn({ params: { name, number }, after, signal }) {
      for await (const event of on().followTurn(name, numberOf(number), after, signal)) yield viewEvent(event)
    },
    stopTurn: async ({ params: { name, number } }) => viewTurn(await on().stopTurn(name, numberOf(number))),
  } satisfies Partial<AdminHandlers>
}

function viewHost({ machine, forecast }: HostedAgent): HostedAgentView {
  const { settings } = machine.spec
  return {
    id: machine.id,
    name: machine.name,
    kind: kindOf(machine),
    state: machine.observed,
    wanted: machine.desired,
    provider: settings?.provider ?? '',
    model: settings?.model ?? '',
    sleep_after_ms: machine.spec.sleepAfterMs,
    egress: [...(machine.spec.egress ?? [])],
    next: forecast.to,
    next_at: forecast.at,
    because: forecast.because,
    last_error: machine.lastError,
    created_at: machine.createdAt,
    changed_at: machine.changedAt,
  }
}

function numberOf(text: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new AppError('not_found', 'There is no such turn.')
  return Number(text)
}

const viewTurn = ({ createdAt, endedAt, ...turn }: OpenedTurn): TurnView => ({
  ...turn,
  created_at: createdAt,
  ended_at: endedAt,
})

function viewEvent(event: ChatEvent) {
  if (event.event === 'turn' || event.event === 'end')
    return { ...event, data: viewTurn(event.data as OpenedTurn) }
  return event as Exclude<ChatEvent, { event: 'turn' | 'end' }> & { data: { text: string } }
}
