import type { TenantId, UnixMs } from '../../kernel/index.ts'

/** A row of `tenants`. */
export interface Tenant {
  readonly id: TenantId
  /** As its owner says it; of those that are not removed no two have the same. */
  readonly name: string
  readonly createdAt: UnixMs
  /** Since when nothing of it works any more; the row goes when nothing else of it is left. */
  readonly removedAt: UnixMs | null
}

interface TenantReader {
  /** Removed ones among them, the oldest first. */
  list(): Promise<readonly Tenant[]>
}

export interface TenantStore extends TenantReader {
  insert(tenant: Tenant): Promise<void>
  /** One that was inserted as removed is none any more. */
  confirm(id: TenantId): Promise<void>
  markRemoved(id: TenantId, at: UnixMs): Promise<void>
  forget(id: TenantId): Promise<void>
}

/** A person who belongs to the tenant, by the account that a channel vouches for. */
export interface Membership {
  readonly channel: 'telegram' | 'account'
  /** Of Telegram the user id, in decimal digits; of who signed up the id of their account. */
  readonly person: string
  readonly role: 'approver' | 'owner'
  readonly since: UnixMs
}

interface MemberReader {
  /** By channel and person. */
  list(): Promise<readonly Membership[]>
}

export interface MemberStore extends MemberReader {
  insert(membership: Membership): Promise<void>
  remove(of: Pick<Membership, 'channel' | 'person'>): Promise<void>
}

/** Every row of the tenant whose unit of work it is, whatever feature it belongs to. */
export interface TenantRowsStore {
  /** Of a removed tenant: deletes so many at most, those first that nothing refers to; false when none is left. */
  deleteSome(limit: number): Promise<boolean>
}

export type QuotaWhat = 'tenants' | 'machines' | 'memory_mib'

interface QuotaReader {
  list(): Promise<ReadonlyMap<QuotaWhat, number>>
}

export interface QuotaStore extends QuotaReader {
  /** Null: as for all. */
  set(what: QuotaWhat, amount: number | null): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly members: StorePort<MemberReader, MemberStore>
    readonly quotas: StorePort<QuotaReader, QuotaStore>
    readonly tenants: StorePort<TenantReader, TenantStore>
    readonly tenantRows: StorePort<unknown, TenantRowsStore>
  }
}
