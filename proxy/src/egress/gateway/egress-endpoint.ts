import type { Socket } from 'node:net'
import {
  type CertificateIssuer,
  createLoopbackNames,
  type EgressSession,
  type EgressTarget,
  type LoopbackNames,
} from '../index.ts'
import { createAllowance } from './allowance.ts'

/** Connections and requests of one sandbox at once. What is beyond costs the daemon memory, and nobody a good program. */
const MAX_CONNECTIONS = 128
const MAX_ACTIVE = 128
/** CONNECTs of one sandbox: each costs a handshake, so there is an end to them as there is one to requests. */
const MAX_TUNNELS = 10_000
/** Bytes of bodies that are looked into before they go, of one sandbox at once. */
const MAX_HELD_BYTES = 64 * 1_048_576
/** Look-ups of names in a second. */
const LOOKUPS_PER_SECOND = 200
/** Names that were not approved, and are told to the audit; those beyond are refused without a word. */
const MAX_NAMES_TOLD = 64

/** Egress endpoint: what one sandbox's connections have in common. Everything that runs through it ends when it closes. */
export class Endpoint {
  readonly issuer: CertificateIssuer
  #sessions: (() => EgressSession | null) | null = null
  #latest: EgressSession | null = null
  #closed = false
  #tunnels = 0
  #heldBytes = 0
  readonly #sockets = new Set<Socket>()
  readonly #underWay = new Set<() => void>()
  /** Beyond the limit every further request is refused; the first of those is told to the audit. */
  toldOfLimit = false
  readonly lookups = createAllowance(LOOKUPS_PER_SECOND)
  readonly #namesTold = new Set<string>()
  #names: LoopbackNames | null = null

  /** `issuer`: whose authority its sandbox trusts. */
  constructor(issuer: CertificateIssuer) {
    this.issuer = issuer
  }

  bindSession(session: EgressSession): void {
    this.bindSessions(() => session)
    session.onCut(() => this.cut())
  }

  /** Of a sandbox that outlives runs: each request is asked for whose it is. */
  bindSessions(sessions: () => EgressSession | null): void {
    if (this.#sessions !== null) throw new Error('this endpoint has a run already')
    this.#sessions = sessions
  }

  /** The run that speaks here; null before it began and after it ended. */
  get session(): EgressSession | null {
    const session = this.#closed ? null : (this.#sessions?.() ?? null)
    if (session === null || session.ended) return null
    if (session !== this.#latest) this.#begin(session)
    return session
  }

  /** What is counted is counted anew for each. */
  #begin(session: EgressSession): void {
    this.#latest = session
    this.#tunnels = 0
    this.toldOfLimit = false
    this.#namesTold.clear()
  }

  /** Its run has not begun yet, so only the sandbox's own runner can be speaking. */
  get waits(): boolean {
    return !this.#closed && this.#sessions === null
  }

  /** The addresses that stand for the run's names in its sandbox; null while there is no run. */
  get names(): LoopbackNames | null {
    const { session } = this
    if (session === null) return null
    const latest = (): EgressSession => this.#latest ?? session
    this.#names ??= createLoopbackNames({
      get policy() {
        return latest().policy
      },
    })
    return this.#names
  }

  /** Whether the audit is to be told that this name was asked for: once, whatever its letters, and not of too many. */
  mayTellOfName(name: string): boolean {
    const key = name.toLowerCase()
    if (this.#namesTold.size >= MAX_NAMES_TOLD || this.#namesTold.has(key)) return false
    this.#namesTold.add(key)
    return true
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Keeps a connection so that it can be ended; false when there are too many. */
  take(socket: Socket): boolean {
    if (this.#closed || this.#sockets.size >= MAX_CONNECTIONS) return false
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return true
  }

  mayTunnel(): boolean {
    this.#tunnels += 1
    return this.#tunnels <= MAX_TUNNELS
  }

  /** Counts a request as under way until the returned function is called; null when there are too many. */
  start(end: () => void): (() => void) | null {
    if (this.#closed || this.#underWay.size >= MAX_ACTIVE) return null
    this.#underWay.add(end)
    return () => void this.#underWay.delete(end)
  }

  /** Books memory for a body that is read whole; false when too much of it is held already. */
  hold(bytes: number): boolean {
    if (this.#heldBytes + bytes > MAX_HELD_BYTES) return false
    this.#heldBytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes
  }

  /** Ends whatever runs through it. */
  cut(): void {
    for (const end of [...this.#underWay]) end()
    for (const socket of [...this.#sockets]) socket.destroy()
  }

  close(): void {
    this.#closed = true
    this.cut()
  }
}

/** How a connection came: through which endpoint, and through which CONNECT, if any. */
export interface Arrival {
  readonly endpoint: Endpoint
  readonly tunnel: Tunnel | null
}

interface Tunnel {
  readonly target: EgressTarget
  /** The TLS server name was that of the CONNECT target, or there was no TLS. */
  readonly namesAgree: boolean
}
