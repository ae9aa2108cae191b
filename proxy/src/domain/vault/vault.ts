import {
  AppError,
  type Clock,
  type EventPublisher,
  formatHostPattern,
  isReservedName,
  parseHostPattern,
  SECRET_NAME,
  type SecretValue,
  type UnixMs,
} from '../../kernel/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import type { DataKeyring } from './keyring.ts'

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

export interface SecretRepository {
  byName(name: string): SecretRecord | undefined
  list(): readonly SecretRecord[]
  upsert(record: SecretRecord): void
  remove(name: string): void
  rename(from: string, record: SecretRecord): void
  /** The hosts that a name was bound to when its value was removed; undefined when there are none, or it is stored. */
  keptHosts(name: string): readonly string[] | undefined
  keepHosts(name: string, hosts: readonly string[]): void
  forgetHosts(name: string): void
}

export interface Vault {
  /**
   * Stores or replaces. Unless `hosts` is given (an empty list ends a binding), a name keeps its binding, also over the
   * removal of its value; a name without one that approved requests wait for is bound to the hosts that they showed.
   */
  put(
    name: string,
    value: SecretValue,
    options: { hosts?: readonly string[] | undefined; actor: string },
  ): SecretRecord
  list(): readonly SecretRecord[]
  find(name: string): SecretRecord | undefined
  /** The hosts that a value stored under this name may go to, as far as that is settled; null when it is not. */
  binding(name: string): readonly string[] | null
  /** Of a name that has no value: also what approved requests that wait for one showed; null when nothing settles it. */
  bindingOfNew(name: string): readonly string[] | null
  remove(name: string, actor: string): void
  rename(from: string, to: string, actor: string): SecretRecord
  /** Decrypts for a run and says so in the audit; call inside the transaction that starts the run. */
  open(name: string, requestId: string): SecretValue
  /** A new data key; every secret is sealed again in one transaction. Resolves to how many. */
  rotate(actor: string): number
  /** Seals a small value that belongs to something else than a named secret, e.g. an agent's wake token. */
  sealFor(purpose: string, value: SecretValue): string
  openFor(purpose: string, sealed: string): SecretValue
}

/** A shorter value could not be told from innocent text in what code prints, so nothing would take it out. */
export const MIN_SECRET_BYTES = 6
const MAX_SECRET_BYTES = 65_536

export type VaultEvent =
  /** There is a value of this name now, where none was or another. */
  | { readonly type: 'secret.stored'; readonly name: string }
  /**
   * Before the old data key is destroyed: whoever keeps what `sealFor` sealed stores it anew as `reseal` gives it back. What is
   * left out can never be opened again.
   */
  | {
      readonly type: 'data_key.rotated'
      readonly reseal: (purpose: string, sealed: string) => string
    }

export function createVault(deps: {
  readonly repository: SecretRepository
  readonly keyring: DataKeyring
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  readonly events: EventPublisher<VaultEvent>
  /** Hosts that approved requests, which wait for this secret, showed for it; undefined when none waits. */
  readonly askedHosts?: (name: string) => readonly string[] | undefined
}): Vault {
  const { repository, keyring, audit, transactor, events, clock } = deps
  const context = (record: { name: string; version: number }): string =>
    `secret:${record.name}:${record.version}`
  const binding = (name: string): readonly string[] | null => {
    const record = repository.byName(name)
    return record === undefined ? (repository.keptHosts(name) ?? null) : record.hosts
  }
  const bindingOfNew = (name: string): readonly string[] | null =>
    repository.keptHosts(name) ?? deps.askedHosts?.(name) ?? null
  /** The name stands for nothing now, and is no less bound for that. */
  const leave = ({ name, hosts }: SecretRecord): void => {
    if (hosts !== null) repository.keepHosts(name, hosts)
  }

  return {
    put(name, value, { hosts, actor }) {
      assertName(name)
      assertValue(value)
      return transactor.transact(() => {
        const before = repository.byName(name)
        const version = (before?.version ?? 0) + 1
        const record: SecretRecord = {
          name,
          version,
          hosts: hosts !== undefined ? canonicalHosts(hosts) : before ? before.hosts : bindingOfNew(name),
          sealed: keyring.seal(context({ name, version }), value),
          createdAt: before?.createdAt ?? clock.now(),
          updatedAt: clock.now(),
        }
        repository.upsert(record)
        repository.forgetHosts(name)
        audit.append('secret.stored', actor, null, { name, version, hosts: record.hosts })
        events.publish({ type: 'secret.stored', name })
        return record
      })
    },

    list: () => repository.list(),
    find: (name) => repository.byName(name),
    binding,
    bindingOfNew,

    remove(name, actor) {
      transactor.transact(() => {
        const record = repository.byName(name)
        if (!record) throw new AppError('not_found', `No secret named ${name}.`)
        repository.remove(name)
        leave(record)
        audit.append('secret.removed', actor, null, { name })
      })
    },

    rename(from, to, actor) {
      assertName(to)
      return transactor.transact(() => {
        const before = repository.byName(from)
        if (!before) throw new AppError('not_found', `No secret named ${from}.`)
        if (repository.byName(to)) throw new AppError('conflict', `There is a secret named ${to}.`)
        const value = keyring.open(context(before), before.sealed)
        const renamed = {
          ...before,
          name: to,
          hosts: before.hosts ?? bindingOfNew(to),
          version: before.version + 1,
          sealed: keyring.seal(context({ name: to, version: before.version + 1 }), value),
          updatedAt: clock.now(),
        }
        repository.rename(from, renamed)
        repository.forgetHosts(to)
        leave(before)
        audit.append('secret.renamed', actor, null, { from, to })
        events.publish({ type: 'secret.stored', name: to })
        return renamed
      })
    },

    open(name, requestId) {
      const record = repository.byName(name)
      if (!record) throw new AppError('not_found', `No secret named ${name}.`)
      const value = keyring.open(context(record), record.sealed)
      audit.append('secret.opened', 'daemon', requestId, { name, version: record.version })
      return value
    },

    rotate(actor) {
      return transactor.transact(() => {
        const records = repository.list()
        const values = records.map((record) => keyring.open(context(record), record.sealed))
        const retire = keyring.begin()
        records.forEach((record, index) => {
          const value = values[index] as SecretValue
          repository.upsert({ ...record, sealed: keyring.seal(context(record), value) })
        })
        events.publish({
          type: 'data_key.rotated',
          reseal: (purpose, sealed) => keyring.seal(`for:${purpose}`, keyring.open(`for:${purpose}`, sealed)),
        })
        retire()
        audit.append('key.rotated', actor, null, { what: 'data key', secrets: records.length })
        return records.length
      })
    },

    sealFor: (purpose, value) => keyring.seal(`for:${purpose}`, value),
    openFor: (purpose, sealed) => keyring.open(`for:${purpose}`, sealed),
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
  if (plaintext.length === 0) throw new AppError('invalid_request', 'The value is empty.')
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
