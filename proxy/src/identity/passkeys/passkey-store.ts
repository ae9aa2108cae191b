import type { TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { Passkey, PasskeyStore } from './ports.ts'

interface PasskeyTable {
  tenant_id: TenantId
  credential_id: string
  person: Passkey['person']
  name: string
  user_handle: string
  public_key: Uint8Array
  counter: number
  /** Separated by spaces. */
  transports: string
  label: string
  created_at: UnixMs
  last_used_at: UnixMs | null
}

declare module '../../storage/tables.ts' {
  interface Tables {
    passkeys: PasskeyTable
  }
}

export function createPasskeyStore({ db }: Queries, tenant: TenantId): PasskeyStore {
  const passkeys = () => db.selectFrom('passkeys').selectAll().where('tenant_id', '=', tenant)
  type Of = Parameters<PasskeyStore['rename']>[0]
  const change = ({ credentialId, person }: Of) =>
    db
      .updateTable('passkeys')
      .where('tenant_id', '=', tenant)
      .where('credential_id', '=', credentialId)
      .where('person', '=', person)

  return {
    async all() {
      const rows = await passkeys().orderBy('person').orderBy('created_at').orderBy('credential_id').execute()
      return rows.map(read)
    },
    async ofPerson(person) {
      const rows = await passkeys()
        .where('person', '=', person)
        .orderBy('created_at')
        .orderBy('credential_id')
        .execute()
      return rows.map(read)
    },
    async find(credentialId) {
      const row = await passkeys().where('credential_id', '=', credentialId).executeTakeFirst()
      return row && read(row)
    },
    async insert(passkey) {
      const { numInsertedOrUpdatedRows = 0n } = await db
        .insertInto('passkeys')
        .values({
          tenant_id: tenant,
          credential_id: passkey.credentialId,
          person: passkey.person,
          name: passkey.name,
          user_handle: passkey.userHandle,
          public_key: passkey.publicKey,
          counter: passkey.counter,
          transports: passkey.transports.join(' '),
          label: passkey.label,
          created_at: passkey.createdAt,
          last_used_at: passkey.lastUsedAt,
        })
        .onConflict((conflict) => conflict.columns(['tenant_id', 'credential_id']).doNothing())
        .executeTakeFirst()
      return numInsertedOrUpdatedRows > 0n
    },
    async used(of, counter, at) {
      const { numUpdatedRows } = await change(of)
        .set({ counter, last_used_at: at })
        .where((where) =>
          where.or([
            where('counter', '<', counter),
            where.and([where('counter', '=', 0), where(where.val(counter), '=', 0)]),
          ]),
        )
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async rename(of, label) {
      const { numUpdatedRows } = await change(of).set({ label }).executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async remove({ credentialId, person }) {
      const { numDeletedRows } = await db
        .deleteFrom('passkeys')
        .where('tenant_id', '=', tenant)
        .where('credential_id', '=', credentialId)
        .where('person', '=', person)
        .executeTakeFirst()
      return numDeletedRows > 0n
    },
  }
}

const read = (row: PasskeyTable): Passkey => ({
  credentialId: row.credential_id,
  person: row.person,
  name: row.name,
  userHandle: row.user_handle,
  publicKey: row.public_key,
  counter: row.counter,
  transports: row.transports.split(' ').filter((name) => name !== ''),
  label: row.label,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
})
