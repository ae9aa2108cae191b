import type {
  GenerationView,
  HostedAgentView,
  HostUsageView,
  ToolCallView,
  TurnView,
  UsageGroupView,
} from '../../contracts/admin/index.ts'
import { listedHost } from '../../egress/capabilities/index.ts'
import type { AdminHandlers, Owner } from '../../http/admin-routes/index.ts'
import { type AgentId, AppError, type Clock, firstOfDays, parseSleepAfter } from '../../kernel/index.ts'
import type { ChatEvent, OpenedTurn, ToolCall } from '../chat/index.ts'
import type { KeptFiles, Machine, MachineTime } from '../machines/index.ts'
import { canonicalOr } from './egress-list.ts'
import { agentIdOf, type HostedAgent, hostedHere, kindOf } from './hosted-agent.ts'
import { viewPrinted, viewProcesses, viewVersions } from './inspection-views.ts'
import type { HostedAgents } from './ports.ts'
import { viewFiles } from './workspace-views.ts'

export interface HostedAgentRoutesDeps {
  /** Null: where code does not run in Docker. */
  readonly hosting: HostedAgents | null
  readonly owner: Owner
  readonly clock: Clock
  /** What an agent's model calls used since a day in UTC; undefined: nothing. */
  readonly modelUsage: (agent: AgentId, sinceDay: string) => Promise<UsageGroupView | undefined>
}

const MOST_TURNS = 200

export function hostedAgentRoutes({ hosting, owner, clock, modelUsage }: HostedAgentRoutesDeps) {
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
    setDesktop: async ({ params: { name }, body: { on: isWanted } }) =>
      viewHost(
        await (isWanted ? on().addDesktop(name, owner.principal) : on().removeDesktop(name, owner.principal)),
      ),
    reportHostUsage: async ({ params: { name }, query: { days } }) => {
      const since = firstOfDays(clock.now(), days)
      const { machine, time } = await on().time(name, since)
      // Those that a browser or desktop is for call models without it.
      const models = kindOf(machine) !== 'openclaw' ? undefined : await modelUsage(agentIdOf(machine), since)
      return viewUsage(machine, time, since, models)
    },
    orderHost: async ({ params: { name }, body: { order } }) =>
      viewHost(await on().order(name, order, owner.principal)),
    listGenerations: async ({ params: { name } }) => ({
      generations: (await on().generations(name)).map(viewGeneration),
    }),
    rollBackHost: async ({ params: { name }, body: { to } }) =>
      viewHost(await on().rollBack(name, to, owner.principal)),
    listHostProcesses: async ({ params: { name } }) =>
      viewProcesses(await on().processes(name, owner.principal)),
    readHostLog: async ({ params: { name }, query: { id } }) =>
      viewPrinted(await on().printed(name, id, owner.principal)),
    readHostVersion: async ({ params: { name } }) => viewVersions(await on().versions(name)),
    listHostFiles: async ({ params: { name }, query: { folder } }) =>
      viewFiles(folder, await on().listFiles(name, folder)),
    takeHostFile: async ({ params: { name }, query: { path }, signal }) =>
      await on().takeFile(name, path, owner.principal, signal),
    putHostFile: async ({ params: { name }, query: { path, replace }, upload, signal }) =>
      await on().putFile(name, path, { ...upload, replace: replace === '1' }, owner.principal, signal),
    reachFromHost: async ({ params: { name }, body: { allow = [], deny = [] } }) =>
      viewHost(
        await on().reach(
          name,
          { allow: allow.map(listedHost), deny: deny.map(canonicalOr) },
          owner.principal,
        ),
      ),
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

function viewHost({ machine, forecast, lacksKeyOf }: HostedAgent): HostedAgentView {
  const { settings } = machine.spec
  return {
    id: machine.id,
    name: machine.name,
    agent_id: agentIdOf(machine),
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
    memory_queue_position: forecast.memoryQueuePosition,
    lacks_key_of: lacksKeyOf,
    last_error: machine.lastError,
    created_at: machine.createdAt,
    changed_at: machine.changedAt,
  }
}

const viewGeneration = ({ number, isCurrent, createdAt, files, bytes }: KeptFiles): GenerationView => ({
  ...{ number, current: isCurrent, created_at: createdAt, files, bytes },
})

const BYTES_PER_GB = 1_073_741_824
const NO_CALLS: UsageGroupView = {
  ...{ key: '', requests: 0, failed: 0, untold: 0, input_tokens: 0, output_tokens: 0 },
  ...{ cache_read_tokens: 0, cache_write_tokens: 0, micro_usd: 0, unpriced: 0 },
}

function viewUsage(
  { spec }: Machine,
  { awakeMs, heldMs }: MachineTime,
  since: string,
  models: UsageGroupView = NO_CALLS,
): HostUsageView {
  const { key: _name, ...calls } = models
  return {
    since,
    awake_seconds: awakeMs / 1_000,
    gb_seconds: (heldMs / 1_000) * (spec.memoryBytes / BYTES_PER_GB),
    ...calls,
  }
}

function numberOf(text: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new AppError('not_found', 'There is no such turn.')
  return Number(text)
}

const viewTool = ({ durationMs, ...tool }: ToolCall): ToolCallView => ({ ...tool, duration_ms: durationMs })

const viewTurn = ({ createdAt, endedAt, requestId, tools, ...turn }: OpenedTurn): TurnView => ({
  ...turn,
  request_id: requestId,
  tools: tools.map(viewTool),
  created_at: createdAt,
  ended_at: endedAt,
})

function viewEvent(event: ChatEvent) {
  if (event.event === 'turn' || event.event === 'end')
    return { ...event, data: viewTurn(event.data as OpenedTurn) }
  if (event.event === 'tool') return { ...event, data: viewTool(event.data as unknown as ToolCall) }
  return event as Exclude<ChatEvent, { event: 'turn' | 'end' }> & { data: { text: string } }
}
