import type { AgentId, Clock, SecretValue, UnixMs } from '../../kernel/index.ts'
import { oneLine } from '../../kernel/index.ts'
import type { Agents, WakeTarget } from '../agents/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import type { DoctorCheck } from '../health/index.ts'
import { createFloodGuard } from './flood-guard.ts'
import type { PendingWake, WakeChannel, WakeMessage, WakeReceipt, WakeRepository } from './ports.ts'
import { isHopeless, remindAfterMs, retryAfterMs } from './wake-schedule.ts'
import { createWakeTargets, type DefaultTarget, describeTarget, type WakeAddress } from './wake-targets.ts'
import { REQUESTS_PER_WAKE, wakeText } from './wake-text.ts'

/**
 * Tells agents that an outcome waits, and reminds them until they have fetched or acknowledged it. All that must
 * survive is in the rows; what is in memory (pauses, counts) may be lost with the process. A wake is sent at least
 * once: a crash between the target's answer and the row repeats it.
 */
export interface Waker extends AsyncDisposable {
  start(): void
  /** Looks at the rows again soon; resolves when what it sent was answered. May be called inside a transaction. */
  nudge(): Promise<void>
  /** Tries the default target and every agent's own with a text that says it is a test. */
  readonly checks: readonly DoctorCheck[]
}

/** What the daemon's logger has. */
interface WakeLog {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface WakerDeps {
  readonly repository: WakeRepository
  readonly agents: Pick<Agents, 'byId' | 'list'>
  readonly vault: { openFor(purpose: string, sealed: string): SecretValue }
  readonly channels: Readonly<Record<WakeTarget['kind'], WakeChannel>>
  readonly defaultTarget: DefaultTarget | null
  readonly audit: Pick<AuditLog, 'append'>
  readonly transactor: Transactor
  readonly clock: Clock
  readonly log: WakeLog
}

type Health = 'ok' | 'failing' | 'refused'

interface Lane {
  health: Health
  failures: number
  pausedUntil: UnixMs
  busy: boolean
}

interface Group {
  readonly address: WakeAddress
  readonly wakes: PendingWake[]
}

/** Also how late a wake is found when nobody nudges, and how long a changed clock goes unnoticed. */
const LONGEST_SLEEP_MS = 1_000
const SWEEP_EVERY_MS = 60_000
const AFTER_DEFECT_MS = 30_000

export function createWaker(deps: WakerDeps): Waker {
  const { repository, audit, transactor, clock, log } = deps
  const targets = createWakeTargets(deps)
  const flood = createFloodGuard()
  const lanes = new Map<string, Lane>()
  const underWay = new Set<Promise<void>>()
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let started = false
  let sweptAt = Number.NEGATIVE_INFINITY

  const laneOf = (group: Group): Lane => {
    const known = lanes.get(group.address.lane)
    if (known) return known
    // What an earlier process noted on the rows, so that a restart does not tell the audit the same failure again.
    const noted = group.wakes.find((wake) => wake.lastError !== null)?.lastError
    const health =
      noted === undefined || noted === null ? 'ok' : noted.startsWith('refused: ') ? 'refused' : 'failing'
    const lane: Lane = { health, failures: 0, pausedUntil: 0, busy: false }
    lanes.set(group.address.lane, lane)
    return lane
  }

  const send = async (
    address: WakeAddress,
    message: WakeMessage,
    signal: AbortSignal,
  ): Promise<WakeReceipt> => {
    if (address.problem !== null) return { delivered: false, said: address.problem, permanent: true }
    try {
      const channel = deps.channels[address.target.kind]
      const receipt = await channel.deliver(address.target, address.token, message, signal)
      return { ...receipt, said: presentable(receipt.said, address.token) }
    } catch (error) {
      log.error({ err: error, target: describeTarget(address.target) }, 'a wake channel failed')
      return { delivered: false, said: 'the wake channel failed; see the log' }
    }
  }

  const giveUp = (wake: PendingWake): void => {
    repository.close(wake.requestId)
    audit.append('wake.given_up', 'daemon', wake.requestId, {
      delivered: wake.delivered,
      last_error: wake.lastError,
    })
    log.warn({ requestId: wake.requestId, delivered: wake.delivered }, 'the agent never fetched this outcome')
  }

  const recordDelivered = (group: Group, lane: Lane, said: string): void => {
    const now = clock.now()
    for (const wake of group.wakes) {
      repository.delivered(wake.requestId, now + remindAfterMs(wake.delivered))
      audit.append('wake.delivered', 'daemon', wake.requestId, {
        kind: group.address.target.kind,
        status: wake.status,
        reminder: wake.delivered,
        said,
      })
    }
    Object.assign(lane, { health: 'ok', failures: 0, pausedUntil: 0 })
  }

  const recordFailed = (group: Group, lane: Lane, receipt: WakeReceipt & { delivered: false }): void => {
    const health: Health = receipt.permanent ? 'refused' : 'failing'
    const nextAt = clock.now() + retryAfterMs(receipt, lane.failures)
    for (const wake of group.wakes) repository.postpone(wake.requestId, nextAt, `${health}: ${receipt.said}`)
    if (lane.health !== health) {
      const only = group.wakes.length === 1 ? (group.wakes[0]?.requestId ?? null) : null
      audit.append('wake.failed', 'daemon', only, {
        kind: group.address.target.kind,
        requests: group.wakes.map((wake) => wake.requestId),
        permanent: receipt.permanent === true,
        said: receipt.said,
      })
      log.warn(
        { target: describeTarget(group.address.target), said: receipt.said },
        'a wake was not accepted',
      )
    }
    Object.assign(lane, { health, failures: lane.failures + 1, pausedUntil: nextAt })
  }

  const deliver = async (group: Group, lane: Lane): Promise<void> => {
    const giveBack = flood.take(group.address.flood, clock.now())
    const message: WakeMessage = {
      text: wakeText(group.wakes),
      requests: group.wakes.map(({ requestId, status }) => ({ requestId, status })),
      sessionKey: group.address.target.sessionKey,
    }
    // An outcome that a power cut may still take wakes nobody.
    await transactor.flushed()
    const receipt = await send(group.address, message, ending.signal)
    if (!receipt.delivered) giveBack()
    // The rows stay due: the next process sends them.
    if (ending.signal.aborted) return
    transactor.transact(() => {
      if (receipt.delivered) recordDelivered(group, lane, receipt.said)
      else recordFailed(group, lane, receipt)
    }, 'grouped')
  }

  const launch = (group: Group, lane: Lane): void => {
    lane.busy = true
    const delivery = deliver(group, lane)
      .catch((error: unknown) => {
        lane.pausedUntil = clock.now() + AFTER_DEFECT_MS
        log.error({ err: error }, 'a wake could not be recorded')
      })
      .then(() => {
        lane.busy = false
        underWay.delete(delivery)
        pass()
      })
    underWay.add(delivery)
  }

  const groupsOf = (now: UnixMs): readonly Group[] => {
    const groups = new Map<string, Group>()
    for (const agentId of repository.dueAgents(now)) {
      const address = targets.of(agentId)
      if (!address) {
        repository.closeOfAgent(agentId)
        continue
      }
      const group = groups.get(address.lane) ?? { address, wakes: [] }
      groups.set(address.lane, group)
      if (lanes.get(address.lane)?.busy) continue
      group.wakes.push(...fresh(agentId, now, REQUESTS_PER_WAKE - group.wakes.length))
    }
    return [...groups.values()].filter((group) => group.wakes.length > 0)
  }

  const fresh = (agentId: AgentId, now: UnixMs, limit: number): readonly PendingWake[] => {
    const wakes = limit > 0 ? repository.due(agentId, now, limit) : []
    const hopeless = wakes.filter((wake) => isHopeless(wake, now))
    if (hopeless.length > 0) transactor.transact(() => hopeless.forEach(giveUp))
    return wakes.filter((wake) => !hopeless.includes(wake))
  }

  /** Sends what is due and may leave; returns when to look again. */
  const sendDue = (now: UnixMs): UnixMs => {
    if (now - sweptAt >= SWEEP_EVERY_MS || now < sweptAt) {
      repository.closeSeen()
      sweptAt = now
    }
    let lookAgainAt = repository.nextDueAt(now) ?? Number.POSITIVE_INFINITY
    for (const group of groupsOf(now)) {
      const lane = laneOf(group)
      const opensAt = Math.max(lane.pausedUntil, flood.opensAt(group.address.flood, now))
      if (opensAt > now) lookAgainAt = Math.min(lookAgainAt, opensAt)
      else launch(group, lane)
    }
    return lookAgainAt
  }

  const pass = (): void => {
    if (!started || ending.signal.aborted) return
    const now = clock.now()
    let lookAgainAt = now + LONGEST_SLEEP_MS
    try {
      lookAgainAt = Math.min(lookAgainAt, sendDue(now))
    } catch (error) {
      log.error({ err: error }, 'the pending wakes could not be read')
    }
    clearTimeout(timer)
    timer = setTimeout(pass, Math.max(1, lookAgainAt - now))
    timer.unref()
  }

  const tryOut = async (
    address: WakeAddress,
    signal: AbortSignal,
  ): Promise<{ ok: boolean; said: string }> => {
    const giveBack = flood.take(address.flood, clock.now())
    const message: WakeMessage = { text: wakeText([]), requests: [], sessionKey: address.target.sessionKey }
    const receipt = await send(address, message, AbortSignal.any([signal, ending.signal]))
    const lane = lanes.get(address.lane)
    if (!receipt.delivered) giveBack()
    else if (lane) lane.pausedUntil = 0
    return { ok: receipt.delivered, said: `${describeTarget(address.target)}: ${receipt.said}` }
  }

  return {
    start() {
      started = true
      // Whoever restarts the daemon may just have put the target right.
      repository.retryFailed(clock.now())
      pass()
    },
    async nudge() {
      await Promise.resolve()
      pass()
      while (underWay.size > 0) await Promise.all(underWay)
    },
    get checks() {
      const all = targets.all()
      if (all.length === 0) {
        return [
          {
            name: 'wake',
            run: async () => ({ ok: true, said: 'no wake target is set: agents poll for outcomes' }),
          },
        ]
      }
      return all.map(({ owner, address }) => ({
        name: `wake (${owner})`,
        run: (signal: AbortSignal) => tryOut(address, signal),
      }))
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      clearTimeout(timer)
      await Promise.all(underWay)
    },
  }
}

/** What a target answered is foreign text, and may repeat the token it was sent. */
function presentable(said: string, token: string | null): string {
  const masked = token === null || token === '' ? said : said.replaceAll(token, '[secret]')
  return oneLine(masked, 240)
}
