import { randomBytes } from 'node:crypto'
import { type AgentId, AppError, type Clock, type EventPublisher } from '../../kernel/index.ts'
import { type Approvals, type Decider, isOver } from '../approvals/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import type { FreeSpace } from '../retention/index.ts'
import { isAskable } from './groups.ts'
import { MAX_MODEL_LENGTH } from './patterns.ts'
import type { AccessEvent, ProviderAccessRepository, ProviderAsk, Use } from './ports.ts'
import { createWaiting } from './waiting.ts'

/** What waits for the owner. An ask is settled once: granted, denied or expired. */
export interface Asks {
  ask(use: Use): ProviderAsk
  find(askId: string): ProviderAsk | undefined
  /** Throws not_found, or invalid_request where the beginning fits two. */
  resolve(idOrBeginning: string): ProviderAsk
  /** Throws not_found. */
  present(askId: string): ProviderAsk
  pending(): readonly ProviderAsk[]
  waiting(agentId: AgentId): readonly ProviderAsk[]
  /** Of any agent. */
  waitingFor(provider: string): readonly ProviderAsk[]
  wait(askId: string, ms: number, signal: AbortSignal): Promise<void>
  /** Inside the transaction of what settles it. */
  settle(ask: ProviderAsk, status: Exclude<ProviderAsk['status'], 'pending'>, by: Decider | null): ProviderAsk
  /** Whether this call ended it. */
  expireIfOver(askId: string): boolean
  tick(): void
}

/** More than all agents together have waiting. */
const ALL = 10_000
/** How much of a path is kept; it is shown and nothing else. */
const MAX_PATH_LENGTH = 512

export function createAsks(deps: {
  readonly repository: ProviderAccessRepository
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  readonly events: EventPublisher<AccessEvent>
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
  readonly approvals: Pick<Approvals, 'deadline' | 'limit'>
  readonly onDenied: () => void
}): Asks {
  const { repository, audit, transactor, events, clock } = deps
  const { limit } = deps.approvals
  const waiting = createWaiting(transactor)

  const settle: Asks['settle'] = (ask, status, by) => {
    const settled: ProviderAsk = {
      ...ask,
      status,
      decidedAt: clock.now(),
      decidedBy: by?.actor ?? null,
      decidedByName: by?.name ?? null,
    }
    repository.settleAsk(settled)
    if (status === 'expired') {
      audit.append('provider.expired', by?.actor ?? 'daemon', null, { ask: ask.id, agent_id: ask.agentId })
    }
    if (status === 'denied') deps.onDenied()
    events.publish({ type: 'access.settled', ask: settled })
    waiting.settled(settled)
    return settled
  }

  const expireIfOver = (askId: string): boolean => {
    const ask = repository.askById(askId)
    if (ask?.status !== 'pending' || !isOver(ask, clock.now())) return false
    transactor.transact(() => settle(ask, 'expired', null))
    return true
  }

  const find = (askId: string): ProviderAsk | undefined => {
    expireIfOver(askId)
    return repository.askById(askId)
  }

  const present = (askId: string): ProviderAsk => {
    const ask = find(askId)
    if (!ask) throw new AppError('not_found', 'No such ask.')
    return ask
  }

  return {
    find,
    resolve(idOrBeginning) {
      const exact = find(idOrBeginning)
      if (exact) return exact
      const [only, ...others] = repository.asksByPrefix(idOrBeginning)
      if (!only) throw new AppError('not_found', `No ask ${idOrBeginning}.`)
      if (others.length > 0)
        throw new AppError('invalid_request', `"${idOrBeginning}" fits more than one ask.`)
      return find(only.id) ?? only
    },
    present,
    settle,
    expireIfOver,

    ask(input) {
      const use = { ...input, model: input.model || null }
      if (use.model !== null && use.model.length > MAX_MODEL_LENGTH) {
        throw new AppError('invalid_request', `A model's name has at most ${MAX_MODEL_LENGTH} characters.`)
      }
      if (!isAskable(use.group)) {
        throw new AppError('refused', `${use.group} at ${use.provider} is granted by the owner, by name.`)
      }
      return transactor.transact(() => {
        const now = clock.now()
        const duplicate = repository.pendingDuplicate(use)
        if (duplicate && !isOver(duplicate, now)) return duplicate
        if (duplicate) settle(duplicate, 'expired', null)
        deps.freeSpace.assertRoom()
        limit.assertPlace(use.agentId)
        limit.spend(use.agentId)
        const ask: ProviderAsk = {
          id: `ask_${randomBytes(16).toString('hex')}`,
          agentId: use.agentId,
          provider: use.provider,
          model: use.model,
          group: use.group,
          path: use.path.slice(0, MAX_PATH_LENGTH).toWellFormed(),
          status: 'pending',
          ...deps.approvals.deadline(),
          decidedAt: null,
          decidedBy: null,
          decidedByName: null,
        }
        repository.insertAsk(ask)
        audit.append('provider.asked', `agent:${use.agentId}`, null, {
          ask: ask.id,
          provider: ask.provider,
          model: ask.model,
          group: ask.group,
          path: ask.path,
        })
        events.publish({ type: 'access.requested', ask })
        return ask
      }, 'grouped')
    },

    pending: () => repository.asks('pending', ALL).filter((ask) => !isOver(ask, clock.now())),
    waiting: (agentId) => repository.asks('pending', ALL).filter((ask) => ask.agentId === agentId),
    waitingFor: (provider) => repository.asks('pending', ALL).filter((ask) => ask.provider === provider),

    async wait(askId, ms, signal) {
      const ask = present(askId)
      if (ask.status !== 'pending') return
      await waiting.wait(askId, Math.min(ms, ask.expiresAt - clock.now()), signal)
    },

    tick() {
      const now = clock.now()
      const over = repository.asks('pending', ALL).filter((ask) => isOver(ask, now))
      if (over.length > 0) transactor.transact(() => over.forEach((ask) => void settle(ask, 'expired', null)))
    },
  }
}
