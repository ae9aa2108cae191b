import { randomBytes } from 'node:crypto'
import {
  type Approvals,
  createWaiting,
  type Decider,
  isOver,
  type KindApprovals,
  NO_FOLLOW_UP,
} from '../../approvals/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import { type Agents, assertNotRevoked } from '../../identity/agents/index.ts'
import { type Actor, agentActor, agentRequester } from '../../identity/index.ts'
import { type AgentId, AppError, type Clock, type ReadTx, type Storage, type Tx } from '../../kernel/index.ts'
import type { FreeSpace } from '../../retention/index.ts'
import { isAskable } from './groups.ts'
import { MAX_MODEL_LENGTH } from './patterns.ts'
import type { AccessAnswer, ProviderAsk, Use } from './ports.ts'

/** Access requests that wait for the owner; each is settled once. */
export interface Asks {
  ask(use: Use): Promise<ProviderAsk>
  /** Opens units of its own: one that is over is settled as expired first. */
  find(askId: string): Promise<ProviderAsk | undefined>
  /** The same; throws not_found, or invalid_request where the beginning fits two. */
  resolve(idOrBeginning: string): Promise<ProviderAsk>
  pending(tx: ReadTx): Promise<readonly ProviderAsk[]>
  /** Also what is over by now; null: of any agent. */
  waiting(tx: ReadTx, agentId: AgentId | null): Promise<readonly ProviderAsk[]>
  /** Resolves when it is settled, the time is over or the signal is aborted, with its state at that time; throws not_found. */
  wait(askId: string, ms: number, signal: AbortSignal): Promise<ProviderAsk>
  /** Once more what expired, as a new ask that waits; throws conflict. In the unit of whoever wants it. */
  again(tx: Tx, ask: ProviderAsk, by: Decider): Promise<ProviderAsk>
  /** The row and its audit, and whoever waits hears of it. In the unit that settles it, and from nowhere but its kind of approval. */
  write(
    tx: Tx,
    ask: ProviderAsk,
    status: Exclude<ProviderAsk['status'], 'pending'>,
    by: Decider | null,
  ): Promise<ProviderAsk>
}

/** More than all agents together have waiting. */
const ALL = 10_000
/** How much of a path is kept; it is shown and nothing else. */
const MAX_PATH_LENGTH = 512

export function createAsks(deps: {
  readonly agents: Pick<Agents, 'byId'>
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  readonly freeSpace: Pick<FreeSpace, 'assertRoom'>
  readonly approvals: Pick<Approvals, 'deadline' | 'limit'>
  /** As the one module that settles knows them. */
  readonly requests: () => KindApprovals<ProviderAsk, AccessAnswer>
  /** Inside the unit that denied one, once that is written. */
  readonly onDenied: (tx: Tx) => Promise<void>
}): Asks {
  const { audit, storage, clock } = deps
  const { limit } = deps.approvals
  const waiting = createWaiting()

  const write: Asks['write'] = async (tx, ask, status, by) => {
    const settled: ProviderAsk = {
      ...ask,
      status,
      decidedAt: clock.now(),
      decidedBy: by?.actor ?? null,
      decidedByName: by?.name ?? null,
    }
    await tx.providerAccess.settleAsk(settled)
    if (status === 'expired' || status === 'cancelled') {
      await audit.append(tx, 'provider.expired', by?.actor ?? 'daemon', null, {
        ask: ask.id,
        agent_id: ask.agentId,
      })
    }
    if (status === 'denied') await deps.onDenied(tx)
    waiting.settled(tx, settled.id)
    return settled
  }

  const open = async (
    tx: Tx,
    asked: Pick<ProviderAsk, 'agentId' | 'provider' | 'model' | 'group' | 'path' | 'againOf'>,
    actor: Actor,
  ): Promise<ProviderAsk> => {
    const { agentId, provider, model, group, path, againOf } = asked
    const ask: ProviderAsk = {
      id: `ask_${randomBytes(16).toString('hex')}`,
      ...{ agentId, provider, model, group },
      path: path.slice(0, MAX_PATH_LENGTH).toWellFormed(),
      status: 'pending',
      ...deps.approvals.deadline(),
      ...{ decidedAt: null, decidedBy: null, decidedByName: null },
      ...NO_FOLLOW_UP,
      againOf,
    }
    await tx.providerAccess.insertAsk(ask)
    await audit.append(tx, 'provider.asked', actor, null, {
      ...{ ask: ask.id, provider, model, group, path: ask.path },
      ...(againOf === null ? {} : { agent_id: agentId, again_of: againOf }),
    })
    return ask
  }

  const expire = (tx: Tx, ask: ProviderAsk): Promise<ProviderAsk> =>
    deps.requests().end(tx, ask, { to: 'expired', by: null })
  const isDue = (ask: ProviderAsk | undefined): ask is ProviderAsk =>
    ask?.status === 'pending' && isOver(ask, clock.now())
  const byId = (askId: string) => (tx: ReadTx) => tx.providerAccess.askById(askId)

  const find = async (askId: string): Promise<ProviderAsk | undefined> => {
    const ask = await storage.read(byId(askId))
    if (!isDue(ask)) return ask
    return await storage.transaction(async (tx) => {
      const present = await byId(askId)(tx)
      return isDue(present) ? await expire(tx, present) : present
    })
  }

  const present = async (askId: string): Promise<ProviderAsk> => {
    const ask = await find(askId)
    if (!ask) throw new AppError('not_found', 'No such ask.')
    return ask
  }

  return {
    find,
    async resolve(idOrBeginning) {
      const exact = await find(idOrBeginning)
      if (exact) return exact
      const [only, ...others] = await storage.read((tx) => tx.providerAccess.asksByPrefix(idOrBeginning))
      if (!only) throw new AppError('not_found', `No ask ${idOrBeginning}.`)
      if (others.length > 0)
        throw new AppError('invalid_request', `"${idOrBeginning}" fits more than one ask.`)
      return (await find(only.id)) ?? only
    },
    write,

    async ask(input) {
      const use = { ...input, model: input.model || null }
      if (use.model !== null && use.model.length > MAX_MODEL_LENGTH) {
        throw new AppError('invalid_request', `A model's name has at most ${MAX_MODEL_LENGTH} characters.`)
      }
      if (!isAskable(use.group)) {
        throw new AppError('refused', `${use.group} at ${use.provider} is granted by the owner, by name.`)
      }
      const requester = agentRequester(use.agentId)
      using card = limit.card(requester)
      return await storage.transaction(async (tx) => {
        assertNotRevoked(deps.agents, use.agentId)
        const now = clock.now()
        const duplicate = await tx.providerAccess.pendingDuplicate(use)
        if (duplicate && !isOver(duplicate, now)) return duplicate
        if (duplicate) await expire(tx, duplicate)
        deps.freeSpace.assertRoom()
        await limit.assertPlace(tx, requester)
        card.spend(tx)
        const ask = await open(tx, { ...use, againOf: null }, agentActor(use.agentId))
        await deps.requests().requested(tx, ask)
        return ask
      }, 'grouped')
    },

    async again(tx, ask, by) {
      const { agentId } = ask
      const agent = deps.agents.byId(agentId)
      if (agent === undefined || agent.revokedAt !== null)
        throw new AppError('conflict', 'Its agent was revoked: nobody would use the answer.')
      const duplicate = await tx.providerAccess.pendingDuplicate(ask)
      if (duplicate !== undefined && !isOver(duplicate, clock.now()))
        throw new AppError('conflict', `Its agent asks the same already, as ${duplicate.id}.`)
      deps.freeSpace.assertRoom()
      if (duplicate !== undefined) await expire(tx, duplicate)
      return await open(tx, { ...ask, againOf: ask.id }, by.actor)
    },

    pending: async (tx) =>
      (await tx.providerAccess.pendingAsks(null, ALL)).filter((ask) => !isOver(ask, clock.now())),
    waiting: (tx, agentId) => tx.providerAccess.pendingAsks(agentId, ALL),

    async wait(askId, ms, signal) {
      using place = waiting.enter(askId)
      const ask = await present(askId)
      if (ask.status !== 'pending') return ask
      await place.wait(Math.min(ms, ask.expiresAt - clock.now()), signal)
      return await present(askId)
    },
  }
}
