import type { AuditLog } from '../../audit/index.ts'
import type { Agents, WakeTarget } from '../../identity/agents/index.ts'
import type { DoctorCheck } from '../../kernel/index.ts'
import {
  type AgentId,
  type Clock,
  oneLine,
  type SecretValue,
  type Storage,
  type Tx,
  type UnixMs,
} from '../../kernel/index.ts'
import { createFloodGuard } from './flood-guard.ts'
import type { PendingWake, WakeChannel, WakeMessage, WakeReceipt } from './ports.ts'
import { isHopeless, remindAfterMs, retryAfterMs } from './wake-schedule.ts'
import { createWakeTargets, type DefaultTarget, describeTarget, type WakeAddress } from './wake-targets.ts'
import { REQUESTS_PER_WAKE, wakeText } from './wake-text.ts'

/**
 * Tells agents that an outcome waits, and reminds them until they have fetched or acknowledged it. All that must
 * survive is in the rows; what is in memory (pauses, counts) may be lost with the process. A wake is sent at least
 * once: a crash between the target's answer and the row repeats it.
 */
export interface Waker extends AsyncDisposable {
  start(): Promise<void>
  /** Looks at the rows again; resolves when what it sent was answered. Outside any unit of work. Never rejects. */
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
  readonly agents: Pick<Agents, 'byId' | 'list'>
  readonly vault: { openFor(purpose: string, sealed: string): SecretValue }
  readonly channels: Readonly<Record<WakeTarget['kind'], WakeChannel>>
  readonly defaultTarget: DefaultTarget | null
  readonly audit: Pick<AuditLog, 'append'>
  readonly storage: Storage
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

/** What a look at the rows found. */
interface Found {
  readonly groups: readonly Group[]
  /** Agents that are woken no more: revoked, or without a target by now. */
  readonly unreachable: readonly AgentId[]
  /** Agents with wakes that are given up. */
  readonly hopeless: readonly AgentId[]
  readonly nextDueAt: UnixMs | undefined
}

/** Also how late a wake is found when nobody nudges, and how long a changed clock goes unnoticed. */
const LONGEST_SLEEP_MS = 1_000
const SWEEP_EVERY_MS = 60_000
const AFTER_DEFECT_MS = 30_000

export function createWaker(deps: WakerDeps): Waker {
  const { audit, storage, clock, log } = deps
  const targets = createWakeTargets(deps)
  const flood = createFloodGuard()
  const lanes = new Map<string, Lane>()
  const underWay = new Set<Promise<void>>()
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let started = false
  let sweptAt = Number.NEGATIVE_INFINITY
  let passing: Promise<void> | undefined
  let isAskedAgain = false

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
    if (address.problem !== null) return { delivered: false, message: address.problem, permanent: true }
    try {
      const channel = deps.channels[address.target.kind]
      const receipt = await channel.deliver(address.target, address.token, message, signal)
      return { ...receipt, message: presentable(receipt.message, address.token) }
    } catch (error) {
      log.error({ err: error, target: describeTarget(address.target) }, 'a wake channel failed')
      return { delivered: false, message: 'the wake channel failed; see the log' }
    }
  }

  const giveUp = async (tx: Tx, wake: PendingWake): Promise<void> => {
    await tx.wakes.close(wake.requestId)
    await audit.append(tx, 'wake.given_up', 'daemon', wake.requestId, {
      delivered: wake.delivered,
      last_error: wake.lastError,
    })
    const { requestId, delivered } = wake
    tx.afterCommit(() => log.warn({ requestId, delivered }, 'the agent never fetched this outcome'))
  }

  const recordDelivered = async (tx: Tx, group: Group, lane: Lane, message: string): Promise<void> => {
    const now = clock.now()
    for (const wake of group.wakes) {
      await tx.wakes.delivered(wake.requestId, now + remindAfterMs(wake.delivered))
      await audit.append(tx, 'wake.delivered', 'daemon', wake.requestId, {
        kind: group.address.target.kind,
        status: wake.status,
        reminder: wake.delivered,
        said: message,
      })
    }
    tx.onCommit(() => Object.assign(lane, { health: 'ok', failures: 0, pausedUntil: 0 }))
  }

  const recordFailed = async (
    tx: Tx,
    group: Group,
    lane: Lane,
    receipt: WakeReceipt & { delivered: false },
  ): Promise<void> => {
    const health: Health = receipt.permanent ? 'refused' : 'failing'
    const nextAt = clock.now() + retryAfterMs(receipt, lane.failures)
    for (const wake of group.wakes)
      await tx.wakes.postpone(wake.requestId, nextAt, `${health}: ${receipt.message}`)
    if (lane.health !== health) {
      const only = group.wakes.length === 1 ? (group.wakes[0]?.requestId ?? null) : null
      await audit.append(tx, 'wake.failed', 'daemon', only, {
        kind: group.address.target.kind,
        requests: group.wakes.map((wake) => wake.requestId),
        permanent: receipt.permanent === true,
        said: receipt.message,
      })
      const target = describeTarget(group.address.target)
      tx.afterCommit(() => log.warn({ target, said: receipt.message }, 'a wake was not accepted'))
    }
    const failures = lane.failures + 1
    tx.onCommit(() => Object.assign(lane, { health, failures, pausedUntil: nextAt }))
  }

  const deliver = async (group: Group, lane: Lane): Promise<void> => {
    const giveBack = flood.take(group.address.flood, clock.now())
    const message: WakeMessage = {
      text: wakeText(group.wakes),
      requests: group.wakes.map(({ requestId, status }) => ({ requestId, status })),
      sessionKey: group.address.target.sessionKey,
    }
    // An outcome that a power cut may still take wakes nobody.
    await storage.flushed()
    const receipt = await send(group.address, message, ending.signal)
    if (!receipt.delivered) giveBack()
    // The rows stay due: the next process sends them.
    if (ending.signal.aborted) return
    await storage.transaction(async (tx) => {
      if (receipt.delivered) await recordDelivered(tx, group, lane, receipt.message)
      else await recordFailed(tx, group, lane, receipt)
    }, 'grouped')
  }

  const launch = (group: Group, lane: Lane): void => {
    lane.busy = true
    const delivery = deliver(group, lane)
      .catch((error: unknown) => {
        lane.pausedUntil = clock.now() + AFTER_DEFECT_MS
        log.error({ err: error }, 'a wake could not be recorded')
      })
      .then(async () => {
        lane.busy = false
        underWay.delete(delivery)
        await pass()
      })
    underWay.add(delivery)
  }

  /** All of one moment. A lane that was busy before it is left out: what it just delivered may still seem due. */
  const look = async (now: UnixMs): Promise<Found> => {
    const busy = new Set([...lanes].flatMap(([name, lane]) => (lane.busy ? [name] : [])))
    return await storage.read(async (tx) => {
      const groups = new Map<string, Group>()
      const unreachable: AgentId[] = []
      const hopeless: AgentId[] = []
      for (const agentId of await tx.wakes.dueAgents(now)) {
        const address = targets.of(agentId)
        if (address === undefined) unreachable.push(agentId)
        if (address === undefined || busy.has(address.lane)) continue
        const group = groups.get(address.lane) ?? { address, wakes: [] }
        groups.set(address.lane, group)
        const room = REQUESTS_PER_WAKE - group.wakes.length
        const wakes = room > 0 ? await tx.wakes.due(agentId, now, room) : []
        const worthIt = wakes.filter((wake) => !isHopeless(wake, now))
        if (worthIt.length < wakes.length) hopeless.push(agentId)
        group.wakes.push(...worthIt)
      }
      return {
        groups: [...groups.values()].filter(({ wakes }) => wakes.length > 0),
        unreachable,
        hopeless,
        nextDueAt: await tx.wakes.nextDueAt(now),
      }
    })
  }

  /** Reads anew what it closes: the agent may have fetched it, or have got a target, since it was looked at. */
  const close = async ({ unreachable, hopeless }: Found, now: UnixMs): Promise<void> => {
    if (unreachable.length + hopeless.length === 0) return
    await storage.transaction(async (tx) => {
      for (const agentId of unreachable)
        if (targets.of(agentId) === undefined) await tx.wakes.closeOfAgent(agentId)
      for (const agentId of hopeless)
        for (const wake of await tx.wakes.due(agentId, now, REQUESTS_PER_WAKE))
          if (isHopeless(wake, now)) await giveUp(tx, wake)
    })
  }

  /** Sends what is due and may leave; returns when to look again. */
  const sendDue = async (now: UnixMs): Promise<UnixMs> => {
    if (now - sweptAt >= SWEEP_EVERY_MS || now < sweptAt) {
      await storage.transaction((tx) => tx.wakes.closeSeen(), 'grouped')
      sweptAt = now
    }
    const found = await look(now)
    await close(found, now)
    let lookAgainAt = found.nextDueAt ?? Number.POSITIVE_INFINITY
    if (ending.signal.aborted) return lookAgainAt
    for (const group of found.groups) {
      const lane = laneOf(group)
      const opensAt = Math.max(lane.pausedUntil, flood.opensAt(group.address.flood, now))
      if (opensAt > now) lookAgainAt = Math.min(lookAgainAt, opensAt)
      else launch(group, lane)
    }
    return lookAgainAt
  }

  const passOnce = async (): Promise<void> => {
    if (!started || ending.signal.aborted) return
    const now = clock.now()
    let lookAgainAt = now + LONGEST_SLEEP_MS
    try {
      lookAgainAt = Math.min(lookAgainAt, await sendDue(now))
    } catch (error) {
      log.error({ err: error }, 'the pending wakes could not be read')
    }
    if (ending.signal.aborted) return
    clearTimeout(timer)
    timer = setTimeout(() => void pass(), Math.max(1, lookAgainAt - now))
    timer.unref()
  }

  const passUntilQuiet = async (): Promise<void> => {
    do {
      isAskedAgain = false
      await passOnce()
    } while (isAskedAgain)
    passing = undefined
  }

  /** One at a time, so that no two take the same rows; who asks meanwhile waits for another one after it. */
  const pass = async (): Promise<void> => {
    if (passing === undefined) passing = passUntilQuiet()
    else isAskedAgain = true
    await passing
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
    return { ok: receipt.delivered, said: `${describeTarget(address.target)}: ${receipt.message}` }
  }

  return {
    async start() {
      // Whoever restarts the daemon may just have put the target right.
      await storage.transaction((tx) => tx.wakes.retryFailed(clock.now()))
      started = true
      await pass()
    },
    async nudge() {
      await pass()
      while (underWay.size > 0) await Promise.all(underWay)
    },
    get checks() {
      // To try a hosted agent is to start it, and to pay for an answer of its model that nobody asked for.
      const all = targets.all().filter(({ address }) => address.target.kind !== 'machine')
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
      while (passing !== undefined || underWay.size > 0) await Promise.all([passing, ...underWay])
    },
  }
}

/** What a target answered is foreign text, and may repeat the token it was sent. */
function presentable(text: string, token: string | null): string {
  const masked = token === null || token === '' ? text : text.replaceAll(token, '[secret]')
  return oneLine(masked, 240)
}
