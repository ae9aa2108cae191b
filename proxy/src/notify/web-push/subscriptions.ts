import { createECDH } from 'node:crypto'
import type { Actor } from '../../identity/index.ts'
import {
  AppError,
  type HostPattern,
  hostPatternCovers,
  isIpLiteral,
  type ReadTx,
  randomToken,
  SecretValue,
  type Tx,
} from '../../kernel/index.ts'
import type { Vault } from '../../vault/index.ts'

/** A browser that is told, as it subscribed (Push API): where its vendor takes messages, and what they are encrypted for. */
export interface PushSubscription {
  readonly id: string
  readonly person: Actor
  readonly endpoint: string
  /** base64url: the public key (P-256, uncompressed) and the 16 bytes of authentication of RFC 8291. */
  readonly p256dh: string
  readonly auth: string
}

interface Stored {
  /** base64url, as RFC 8292 names them. */
  readonly vapid: { readonly publicKey: string; readonly privateKey: string }
  readonly subscriptions: readonly PushSubscription[]
}

/** All of a tenant in one sealed value: where a person's browsers are is nobody's to read in a copy of the database. */
export interface PushSubscriptions {
  /** What a browser subscribes with; made once. */
  publicKey(tx: Tx): Promise<string>
  /** Throws invalid_request for what no known push service gave out, or no keys; conflict beyond ten of a person. */
  add(tx: Tx, person: Actor, given: Omit<PushSubscription, 'id' | 'person'>): Promise<PushSubscription>
  /** Of that person only; throws not_found. */
  remove(tx: Tx, person: Actor, id: string): Promise<void>
  of(tx: ReadTx, person: Actor): Promise<readonly PushSubscription[]>
  read(tx: ReadTx): Promise<Stored | undefined>
  /** The push service knows it no more. */
  drop(tx: Tx, id: string): Promise<void>
  reseal(tx: Tx, reseal: (purpose: string, sealed: string) => string): Promise<void>
}

const KEY = 'web_push'
const PURPOSE = 'web-push'
const MAX_A_PERSON = 10
const MAX_ENDPOINT = 2_048

export function createPushSubscriptions(deps: {
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>
  /** Of the push services that may be sent to. */
  readonly hosts: readonly HostPattern[]
}): PushSubscriptions {
  const { vault, hosts } = deps
  const read = async (tx: ReadTx): Promise<Stored | undefined> => {
    const sealed = await tx.meta.get(KEY)
    return sealed === undefined ? undefined : (JSON.parse(vault.openFor(PURPOSE, sealed).open()) as Stored)
  }
  const write = (tx: Tx, stored: Stored): Promise<void> =>
    tx.meta.set(KEY, vault.sealFor(PURPOSE, new SecretValue(JSON.stringify(stored))))
  const open = async (tx: Tx): Promise<Stored> => {
    const stored = await read(tx)
    if (stored !== undefined) return stored
    const pair = createECDH('prime256v1')
    pair.generateKeys()
    const privateKey = Buffer.from(pair.getPrivateKey('hex').padStart(64, '0'), 'hex').toString('base64url')
    const made = { vapid: { publicKey: pair.getPublicKey('base64url'), privateKey }, subscriptions: [] }
    await write(tx, made)
    return made
  }
  const keep = async (tx: Tx, isKept: (one: PushSubscription) => boolean): Promise<boolean> => {
    const stored = await read(tx)
    const kept = stored?.subscriptions.filter(isKept) ?? []
    if (stored === undefined || kept.length === stored.subscriptions.length) return false
    await write(tx, { ...stored, subscriptions: kept })
    return true
  }
  return {
    read,
    publicKey: async (tx) => (await open(tx)).vapid.publicKey,
    async add(tx, person, { endpoint, p256dh, auth }) {
      assertEndpoint(endpoint, hosts)
      assertKeys(p256dh, auth)
      const stored = await open(tx)
      const others = stored.subscriptions.filter((one) => one.endpoint !== endpoint)
      if (others.filter((one) => one.person === person).length >= MAX_A_PERSON)
        throw new AppError(
          'conflict',
          `You are told in ${MAX_A_PERSON} browsers already; end one of them first.`,
        )
      const added = { id: `psh_${randomToken(96)}`, person, endpoint, p256dh, auth }
      await write(tx, { ...stored, subscriptions: [...others, added] })
      return added
    },
    async remove(tx, person, id) {
      if (!(await keep(tx, (one) => one.id !== id || one.person !== person)))
        throw new AppError('not_found', 'You have no such subscription.')
    },
    of: async (tx, person) => ((await read(tx))?.subscriptions ?? []).filter((one) => one.person === person),
    drop: async (tx, id) => void (await keep(tx, (one) => one.id !== id)),
    async reseal(tx, reseal) {
      const sealed = await tx.meta.get(KEY)
      if (sealed !== undefined) await tx.meta.set(KEY, reseal(PURPOSE, sealed))
    },
  }
}

/** Against SSRF: https at the usual port of a known push service, by name. What the name leads to is checked when it is dialled. */
function assertEndpoint(text: string, hosts: readonly HostPattern[]): void {
  const url = text.length <= MAX_ENDPOINT && URL.canParse(text) ? new URL(text) : undefined
  const isPlain =
    url?.protocol === 'https:' &&
    url.port === '' &&
    url.username === '' &&
    url.password === '' &&
    !isIpLiteral(url.hostname)
  if (url === undefined || !isPlain || url.href !== text)
    throw new AppError('invalid_request', 'The endpoint is no https address of a push service.')
  const target = { host: url.hostname, port: 443, scheme: 'https', wildcard: false } as const
  if (!hosts.some((pattern) => hostPatternCovers(pattern, target)))
    throw new AppError('invalid_request', `OAUTH3_PUSH_HOSTS does not list the push service ${url.hostname}.`)
}

/** A point that is not on the curve would give away the sender's key (invalid curve attack); Node refuses it. */
function assertKeys(p256dh: string, auth: string): void {
  const point = Buffer.from(p256dh, 'base64url')
  const isPlain =
    point.toString('base64url') === p256dh && Buffer.from(auth, 'base64url').toString('base64url') === auth
  try {
    const pair = createECDH('prime256v1')
    pair.generateKeys()
    pair.computeSecret(point)
    if (isPlain && point.length === 65 && Buffer.from(auth, 'base64url').length === 16) return
  } catch {
    // As below.
  }
  throw new AppError('invalid_request', 'The keys of the subscription are none.')
}
