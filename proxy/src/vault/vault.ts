import type { AuditLog } from '../audit/index.ts'
import type { Actor } from '../identity/index.ts'
import {
  AppError,
  type Clock,
  type EventPublisher,
  formatHostPattern,
  isReservedName,
  MIN_SECRET_BYTES,
  parseHostPattern,
  type ReadTx,
  SECRET_NAME,
  type SecretValue,
  type Storage,
  type Tx,
  type UnixMs,
} from '../kernel/index.ts'
import type { DataKeyring } from './keyring.ts'
import type { Lockdown } from './lockdown.ts'

/** A stored secret: a row of `secrets`, without its value. */
export interface SecretRecord {
  readonly name: string
  readonly version: number
  /** Canonical host patterns it may go to; null when the owner bound it to none in particular. */
  readonly hosts: readonly string[] | null
  /** Envelope, see keyring.ts. */
  readonly sealed: string
  readonly createdAt: UnixMs
  readonly updatedAt: UnixMs
}

interface SecretReader {
  byName(name: string): Promise<SecretRecord | undefined>
  list(): Promise<readonly SecretRecord[]>
  /** The hosts that a name was bound to when its value was removed; undefined when there are none, or it is stored. */
  keptHosts(name: string): Promise<readonly string[] | undefined>
}

export interface SecretStore extends SecretReader {
  upsert(record: SecretRecord): Promise<void>
  remove(name: string): Promise<void>
  rename(from: string, record: SecretRecord): Promise<void>
  keepHosts(name: string, hosts: readonly string[]): Promise<void>
  forgetHosts(name: string): Promise<void>
}

declare module '../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly secrets: StorePort<SecretReader, SecretStore>
  }
}

export interface Vault {
  /**
   * Stores or replaces. Unless `hosts` is given (an empty list ends a binding), a name keeps its binding, also over the
   * removal of its value; a name without one that approved requests wait for is bound to the hosts that they showed.
   */
  put(
    tx: Tx,
    name: string,
    value: SecretValue,
    options: { hosts?: readonly string[] | undefined; actor: Actor },
  ): Promise<SecretRecord>
  list(tx: ReadTx): Promise<readonly SecretRecord[]>
  find(tx: ReadTx, name: string): Promise<SecretRecord | undefined>
  /** The hosts that a value stored under this name may go to, as far as that is settled; null when it is not. */
  binding(tx: ReadTx, name: string): Promise<readonly string[] | null>
  /** Of a name that has no value: also what approved requests that wait for one showed; null when nothing settles it. */
  bindingOfNew(tx: ReadTx, name: string): Promise<readonly string[] | null>
  remove(name: string, actor: Actor): Promise<void>
  rename(from: string, to: string, actor: Actor): Promise<SecretRecord>
  /** Decrypts for a run and says so in the audit; in the unit that starts the run. */
  open(tx: Tx, name: string, requestId: string): Promise<SecretValue>
  /** Decrypts all, to cut them out of what a machine says, and says so in the audit. By name. */
  openAll(tx: Tx, machine: string): Promise<ReadonlyMap<string, SecretValue>>
  /** A new data key; every secret is sealed again in one unit of work. Resolves to how many. */
  rotate(actor: Actor): Promise<number>
  /** Seals a small value that belongs to something else than a named secret, e.g. an agent's wake token. */
  sealFor(purpose: string, value: SecretValue): string
  openFor(purpose: string, sealed: string): SecretValue
}

/** Of tokens that only tell: wakes carry no output, and the owner's chat is where a lockdown is told. */
const TELLS = /^(agent-wake:|tenant-chat$|web-push$)/
const MAX_SECRET_BYTES = 65_536

export type VaultEvent =
  /** There is a value of this name now, where none was or another. */
  | { readonly type: 'secret.stored'; readonly name: string }
  /** What was stored under one name is under another; before that is told as stored. */
  | { readonly type: 'secret.renamed'; readonly from: string; readonly to: string; readonly actor: Actor }
  /**
   * Before the old data key is destroyed: whoever keeps what `sealFor` sealed stores it anew as `reseal` gives it back. What is
   * left out can never be opened again.
   */
  | {
      readonly type: 'data_key.rotated'
      readonly reseal: (purpose: string, sealed: string) => string
    }

export function createVault(deps: {
  readonly keyring: DataKeyring
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  readonly events: EventPublisher<VaultEvent>
  /** While it holds no value is opened, but those that people and agents are told by. */
  readonly lockdown: Pick<Lockdown, 'assertOpen'>
  /** Hosts that approved requests, which wait for this secret, showed for it; undefined when none waits. */
  readonly askedHosts?: (tx: ReadTx, name: string) => Promise<readonly string[] | undefined>
}): Vault {
  const { keyring, audit, storage, events, clock, lockdown } = deps
  const context = (record: { name: string; version: number }): string =>
    `secret:${record.name}:${record.version}`
  const binding = async (tx: ReadTx, name: string): Promise<readonly string[] | null> => {
    const record = await tx.secrets.byName(name)
    return record === undefined ? ((await tx.secrets.keptHosts(name)) ?? null) : record.hosts
  }
  const bindingOfNew = async (tx: ReadTx, name: string): Promise<readonly string[] | null> =>
    (await tx.secrets.keptHosts(name)) ?? (await deps.askedHosts?.(tx, name)) ?? null
  /** The name stands for nothing now, and is no less bound for that. */
  const leave = async (tx: Tx, { name, hosts }: SecretRecord): Promise<void> => {
    if (hosts !== null) await tx.secrets.keepHosts(name, hosts)
  }

  const put: Vault['put'] = async (tx, name, value, { hosts, actor }) => {
    assertName(name)
    assertValue(value)
    const before = await tx.secrets.byName(name)
    const version = (before?.version ?? 0) + 1
    const record: SecretRecord = {
      name,
      version,
      hosts:
        hosts !== undefined ? canonicalHosts(hosts) : before ? before.hosts : await bindingOfNew(tx, name),
      sealed: keyring.seal(context({ name, version }), value),
      createdAt: before?.createdAt ?? clock.now(),
      updatedAt: clock.now(),
    }
    await tx.secrets.upsert(record)
    await tx.secrets.forgetHosts(name)
    await audit.append(tx, 'secret.stored', actor, null, { name, version, hosts: record.hosts })
    await events.publish(tx, { type: 'secret.stored', name })
    return record
  }

  return {
    put,
    list: (tx) => tx.secrets.list(),
    find: (tx, name) => tx.secrets.byName(name),
    binding,
    bindingOfNew,

    async remove(name, actor) {
      await storage.transaction(async (tx) => {
        const record = await tx.secrets.byName(name)
        if (!record) throw new AppError('not_found', `No secret named ${name}.`)
        await tx.secrets.remove(name)
        await leave(tx, record)
        await audit.append(tx, 'secret.removed', actor, null, { name })
      })
    },

    async rename(from, to, actor) {
      assertName(to)
      lockdown.assertOpen()
      return await storage.transaction(async (tx) => {
        const before = await tx.secrets.byName(from)
        if (!before) throw new AppError('not_found', `No secret named ${from}.`)
        if (await tx.secrets.byName(to)) throw new AppError('conflict', `There is a secret named ${to}.`)
        const value = keyring.open(context(before), before.sealed)
        const renamed = {
          ...before,
          name: to,
          hosts: before.hosts ?? (await bindingOfNew(tx, to)),
          version: before.version + 1,
          sealed: keyring.seal(context({ name: to, version: before.version + 1 }), value),
          updatedAt: clock.now(),
        }
        await tx.secrets.rename(from, renamed)
        await tx.secrets.forgetHosts(to)
        await leave(tx, before)
        await audit.append(tx, 'secret.renamed', actor, null, { from, to })
        await events.publish(tx, { type: 'secret.renamed', from, to, actor })
        await events.publish(tx, { type: 'secret.stored', name: to })
        return renamed
      })
    },

    async open(tx, name, requestId) {
      lockdown.assertOpen()
      const record = await tx.secrets.byName(name)
      if (!record) throw new AppError('not_found', `No secret named ${name}.`)
      const value = keyring.open(context(record), record.sealed)
      await audit.append(tx, 'secret.opened', 'daemon', requestId, { name, version: record.version })
      return value
    },

    async openAll(tx, machine) {
      lockdown.assertOpen()
      const records = await tx.secrets.list()
      if (records.length > 0)
        await audit.append(tx, 'secret.opened', 'daemon', null, {
          ...{ for: 'scrub', machine, secrets: records.length },
        })
      return new Map(records.map((record) => [record.name, keyring.open(context(record), record.sealed)]))
    },

    async rotate(actor) {
      lockdown.assertOpen()
      return await storage.transaction(async (tx) => {
        const records = await tx.secrets.list()
        const values = records.map((record) => keyring.open(context(record), record.sealed))
        const rotation = await keyring.begin(tx)
        for (const [index, record] of records.entries()) {
          const value = values[index] as SecretValue
          await tx.secrets.upsert({ ...record, sealed: rotation.seal(context(record), value) })
        }
        await events.publish(tx, {
          type: 'data_key.rotated',
          reseal: (purpose, sealed) =>
            rotation.seal(`for:${purpose}`, keyring.open(`for:${purpose}`, sealed)),
        })
        await rotation.retire()
        await audit.append(tx, 'key.rotated', actor, null, { what: 'data key', secrets: records.length })
        return records.length
      })
    },

    sealFor: (purpose, value) => keyring.seal(`for:${purpose}`, value),
    openFor(purpose, sealed) {
      if (!TELLS.test(purpose)) lockdown.assertOpen()
      return keyring.open(`for:${purpose}`, sealed)
    },
  }
}

function assertName(name: string): void {
  if (!SECRET_NAME.test(name)) {
    throw new AppError(
      'invalid_request',
      'A secret name is 1–128 of A–Z a–z 0–9 _ and does not begin with a digit.',
    )
  }
  if (isReservedName(name)) {
    throw new AppError('invalid_request', `${name} steers the runtime and cannot be a secret's name.`)
  }
}

function assertValue(value: SecretValue): void {
  const plaintext = value.open()
  // White space alone would be cut out of whatever code prints.
  if (plaintext.trim() === '') throw new AppError('invalid_request', 'The value is empty.')
  if (!plaintext.isWellFormed() || plaintext.includes('\0')) {
    throw new AppError('invalid_request', 'The value is not valid text, or holds a NUL character.')
  }
  if (Buffer.byteLength(plaintext) < MIN_SECRET_BYTES) {
    throw new AppError(
      'invalid_request',
      `A secret has at least ${MIN_SECRET_BYTES} bytes: a shorter one cannot be recognised in what code prints.`,
    )
  }
  if (Buffer.byteLength(plaintext) > MAX_SECRET_BYTES) {
    throw new AppError('too_large', `A secret is at most ${MAX_SECRET_BYTES} bytes.`)
  }
}

function canonicalHosts(hosts: readonly string[]): readonly string[] | null {
  const canonical = hosts.map((text) => {
    const pattern = parseHostPattern(text)
    if ('problem' in pattern) throw new AppError('invalid_request', `Host "${text}" ${pattern.problem}.`)
    return formatHostPattern(pattern)
  })
  return canonical.length === 0 ? null : [...new Set(canonical)].sort()
}
