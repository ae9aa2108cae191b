import type { TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { Challenge, ChallengeStore } from './ports.ts'

interface ChallengeTable {
  tenant_id: TenantId
  challenge: string
  purpose: Challenge['purpose']
  person: Challenge['person']
  session: string
  statement: string
  created_at: UnixMs
  expires_at: UnixMs
  used_at: UnixMs | null
}

declare module '../../storage/tables.ts' {
  interface Tables {
    passkey_challenges: ChallengeTable
  }
}

export function createChallengeStore({ db }: Queries, tenant: TenantId): ChallengeStore {
  const dropped = () => db.deleteFrom('passkey_challenges').where('tenant_id', '=', tenant)
  return {
    async insert({ challenge, purpose, person, session, statement, createdAt, expiresAt }) {
      await db
        .insertInto('passkey_challenges')
        .values({
          ...{ tenant_id: tenant, challenge, purpose, person, session, statement },
          ...{ created_at: createdAt, expires_at: expiresAt, used_at: null },
        })
        .execute()
    },
    // Single use: compare and set, whoever answers at the same time.
    async burn(challenge, { purpose, person, session }, now) {
      const row = await db
        .updateTable('passkey_challenges')
        .set({ used_at: now })
        .where('tenant_id', '=', tenant)
        .where('challenge', '=', challenge)
        .where('purpose', '=', purpose)
        .where('person', '=', person)
        .where('session', '=', session)
        .where('expires_at', '>', now)
        // A clock that was put back makes nothing good again that was given out later.
        .where('created_at', '<=', now)
        .where('used_at', 'is', null)
        .returning(['statement', 'created_at as createdAt', 'expires_at as expiresAt'])
        .executeTakeFirst()
      return row && { challenge, purpose, person, session, ...row }
    },
    async prune(session, keep, now) {
      await dropped().where('expires_at', '<=', now).execute()
      const older = await db
        .selectFrom('passkey_challenges')
        .select('challenge')
        .where('tenant_id', '=', tenant)
        .where('session', '=', session)
        .orderBy('created_at', 'desc')
        .orderBy('challenge')
        .offset(keep)
        .limit(1_000)
        .execute()
      if (older.length > 0) {
        await dropped()
          .where(
            'challenge',
            'in',
            older.map((row) => row.challenge),
          )
          .execute()
      }
    },
  }
}
