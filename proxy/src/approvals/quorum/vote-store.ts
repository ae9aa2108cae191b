import type { ConsentHash, TenantId, UnixMs } from '../../kernel/index.ts'
import type { Queries } from '../../storage/index.ts'
import type { ApprovalVoteStore, Vote } from './ports.ts'

interface ApprovalVoteTable {
  tenant_id: TenantId
  request_id: string
  person: Vote['person']
  account: Vote['account']
  name: string | null
  channel: Vote['channel']
  consent_hash: ConsentHash
  answer: string
  label: string
  proved: number
  created_at: UnixMs
}

declare module '../../storage/tables.ts' {
  interface Tables {
    approval_votes: ApprovalVoteTable
  }
}

/** Ids in one statement. */
const AT_ONCE = 500

export function createApprovalVoteStore({ db }: Queries, tenant: TenantId): ApprovalVoteStore {
  return {
    async of(requestIds) {
      const found: Vote[] = []
      for (let at = 0; at < requestIds.length; at += AT_ONCE) {
        const rows = await db
          .selectFrom('approval_votes')
          .selectAll()
          .where('tenant_id', '=', tenant)
          .where('request_id', 'in', requestIds.slice(at, at + AT_ONCE))
          .orderBy('created_at')
          .orderBy('person')
          .execute()
        for (const row of rows)
          found.push({
            ...{ requestId: row.request_id, person: row.person, account: row.account, name: row.name },
            ...{ channel: row.channel, consentHash: row.consent_hash, answer: row.answer },
            ...{ label: row.label, proved: row.proved === 1, createdAt: row.created_at },
          })
      }
      return found
    },
    async put(vote) {
      const changed = {
        ...{ account: vote.account, name: vote.name, channel: vote.channel, answer: vote.answer },
        ...{
          consent_hash: vote.consentHash,
          label: vote.label,
          proved: vote.proved ? 1 : 0,
          created_at: vote.createdAt,
        },
      }
      await db
        .insertInto('approval_votes')
        .values({ tenant_id: tenant, request_id: vote.requestId, person: vote.person, ...changed })
        .onConflict((on) => on.columns(['tenant_id', 'request_id', 'person']).doUpdateSet(changed))
        .execute()
    },
  }
}
