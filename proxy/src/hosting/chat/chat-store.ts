import { type Selectable, type SqlBool, sql } from 'kysely'
import type { MachineId, RequestId, TenantId, UnixMs } from '../../kernel/index.ts'
import { keptText, type Queries } from '../../storage/index.ts'
import type { Chat, ChatStore, Turn, TurnOrigin, TurnState } from './ports.ts'

interface ChatTable {
  tenant_id: TenantId
  machine_id: MachineId
  chat_key: string
  last_number: number
}

interface TurnTable {
  tenant_id: TenantId
  machine_id: MachineId
  number: number
  state: TurnState
  model: string
  asked: string
  answer: string | null
  problem: string | null
  bytes: number
  created_at: UnixMs
  ended_at: UnixMs | null
  origin: TurnOrigin
  request_id: RequestId | null
  run: string | null
  tools: string | null
}

declare module '../../storage/tables.ts' {
  interface Tables {
    machine_chats: ChatTable
    machine_turns: TurnTable
  }
}

// Word for word the condition of the partial index, which is not used otherwise.
const IS_OPEN = sql<SqlBool>`state = 'open'`

export function createChatStore({ db }: Queries, tenant: TenantId): ChatStore {
  const chats = () => db.selectFrom('machine_chats').where('tenant_id', '=', tenant)
  const turns = () => db.selectFrom('machine_turns').where('tenant_id', '=', tenant)
  return {
    async find(machine) {
      const row = await chats().selectAll().where('machine_id', '=', machine).executeTakeFirst()
      return row && chatFromRow(row)
    },
    all: async () => (await chats().selectAll().orderBy('machine_id').execute()).map(chatFromRow),
    async turn(machine, number) {
      const row = await turns()
        .selectAll()
        .where('machine_id', '=', machine)
        .where('number', '=', number)
        .executeTakeFirst()
      return row && turnFromRow(row)
    },
    async turns(machine, before, limit) {
      const rows = await turns()
        .selectAll()
        .where('machine_id', '=', machine)
        .where('number', '<', before)
        .orderBy('number', 'desc')
        .limit(limit)
        .execute()
      return rows.map(turnFromRow)
    },
    open: async () =>
      (await turns().selectAll().where(IS_OPEN).orderBy('machine_id').orderBy('number').execute()).map(
        turnFromRow,
      ),
    runs: async (machine, limit) =>
      (
        await turns()
          .select('run')
          .where('machine_id', '=', machine)
          .orderBy('number', 'desc')
          .limit(limit)
          .execute()
      ).flatMap(({ run }) => run ?? []),
    sizes: async (machine) =>
      await turns()
        .select(['number', 'bytes'])
        .where('machine_id', '=', machine)
        .orderBy('number', 'desc')
        .execute(),
    async insert(chat) {
      await db
        .insertInto('machine_chats')
        .values({ tenant_id: tenant, machine_id: chat.machine, ...chatColumns(chat) })
        .execute()
    },
    async update(chat) {
      await db
        .updateTable('machine_chats')
        .set(chatColumns(chat))
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', chat.machine)
        .execute()
    },
    async insertTurn(turn) {
      await db
        .insertInto('machine_turns')
        .values({
          ...{ tenant_id: tenant, machine_id: turn.machine, number: turn.number, model: turn.model },
          ...{ asked: turn.asked, origin: turn.origin, created_at: turn.createdAt, ...endColumns(turn) },
        })
        .execute()
    },
    async endTurn(turn) {
      await db
        .updateTable('machine_turns')
        .set(endColumns(turn))
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', turn.machine)
        .where('number', '=', turn.number)
        .execute()
    },
    async removeTurn({ machine, number }) {
      await db
        .deleteFrom('machine_turns')
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', machine)
        .where('number', '=', number)
        .execute()
    },
    async dropTurns(machine, upTo) {
      await db
        .deleteFrom('machine_turns')
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', machine)
        .where('number', '<=', upTo)
        .where('state', '<>', 'open')
        .execute()
    },
    async remove(machine) {
      for (const table of ['machine_turns', 'machine_chats'] as const)
        await db.deleteFrom(table).where('tenant_id', '=', tenant).where('machine_id', '=', machine).execute()
    },
  }
}

const chatColumns = ({ key, lastNumber }: Chat) => ({ chat_key: key, last_number: lastNumber })

const endColumns = ({ state, answer, problem, bytes, endedAt, run, requestId, tools }: Turn) => ({
  ...{ state, answer, bytes, ended_at: endedAt, run, request_id: requestId, tools },
  problem: problem === null ? null : keptText(problem),
})

const chatFromRow = (row: Selectable<ChatTable>): Chat => ({
  ...{ machine: row.machine_id, key: row.chat_key, lastNumber: row.last_number },
})

const turnFromRow = (row: Selectable<TurnTable>): Turn => ({
  ...{ machine: row.machine_id, number: row.number, state: row.state, model: row.model },
  ...{ asked: row.asked, answer: row.answer, problem: row.problem, bytes: row.bytes },
  ...{ createdAt: row.created_at, endedAt: row.ended_at, origin: row.origin },
  ...{ requestId: row.request_id, run: row.run, tools: row.tools },
})
