import type { Selectable } from 'kysely'
import type { AgentId, MachineId, TenantId, UnixMs } from '../../kernel/index.ts'
import { keptText, type Queries } from '../../storage/index.ts'
import type { AgentBot, AgentBotStore, OwedAnswer, PairedChat } from './ports.ts'

interface BotTable {
  tenant_id: TenantId
  machine_id: MachineId
  agent_id: AgentId
  bot: string
  username: string
  token: string
  last_four: string
  last_update: number
  code_sha256: string | null
  code_until: UnixMs | null
  created_at: UnixMs
}
interface ChatTable {
  tenant_id: TenantId
  machine_id: MachineId
  chat_id: string
  name: string
  paired_at: UnixMs
}
interface AnswerTable {
  tenant_id: TenantId
  machine_id: MachineId
  turn: number
  chat_id: string
  sent: number
}

declare module '../../storage/tables.ts' {
  interface Tables {
    agent_bots: BotTable
    agent_bot_chats: ChatTable
    agent_bot_answers: AnswerTable
  }
}

export function createAgentBotStore({ db }: Queries, tenant: TenantId): AgentBotStore {
  const bots = () => db.selectFrom('agent_bots').where('tenant_id', '=', tenant)
  const chats = (machine: MachineId) =>
    db.selectFrom('agent_bot_chats').where('tenant_id', '=', tenant).where('machine_id', '=', machine)
  return {
    all: async () => (await bots().selectAll().orderBy('machine_id').execute()).map(botFromRow),
    async find(machine) {
      const row = await bots().selectAll().where('machine_id', '=', machine).executeTakeFirst()
      return row && botFromRow(row)
    },
    chats: async (machine) =>
      (await chats(machine).selectAll().orderBy('paired_at').orderBy('chat_id').execute()).map(chatFromRow),
    async chat(machine, chat) {
      const row = await chats(machine).selectAll().where('chat_id', '=', chat).executeTakeFirst()
      return row && chatFromRow(row)
    },
    async owed(machine) {
      const rows = await db
        .selectFrom('agent_bot_answers')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', machine)
        .orderBy('turn')
        .execute()
      return rows.map(answerFromRow)
    },
    async insert(bot) {
      await db
        .insertInto('agent_bots')
        .values({ tenant_id: tenant, machine_id: bot.machine, ...columnsOf(bot) })
        .execute()
    },
    async update(bot) {
      await db
        .updateTable('agent_bots')
        .set(columnsOf(bot))
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', bot.machine)
        .execute()
    },
    async remove(machine) {
      for (const table of ['agent_bot_answers', 'agent_bot_chats', 'agent_bots'] as const)
        await db.deleteFrom(table).where('tenant_id', '=', tenant).where('machine_id', '=', machine).execute()
    },
    async pair({ machine, chat, name, pairedAt }) {
      await db
        .insertInto('agent_bot_chats')
        .values({
          ...{ tenant_id: tenant, machine_id: machine, chat_id: chat },
          ...{ name: keptText(name), paired_at: pairedAt },
        })
        .execute()
    },
    async unpair(machine, chat) {
      for (const table of ['agent_bot_answers', 'agent_bot_chats'] as const)
        await db
          .deleteFrom(table)
          .where('tenant_id', '=', tenant)
          .where('machine_id', '=', machine)
          .where('chat_id', '=', chat)
          .execute()
    },
    async owe({ machine, turn, chat, sent }) {
      await db
        .insertInto('agent_bot_answers')
        .values({ tenant_id: tenant, machine_id: machine, turn, chat_id: chat, sent })
        .execute()
    },
    async sent({ machine, turn, sent }) {
      await db
        .updateTable('agent_bot_answers')
        .set({ sent })
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', machine)
        .where('turn', '=', turn)
        .execute()
    },
    async settle(machine, turn) {
      await db
        .deleteFrom('agent_bot_answers')
        .where('tenant_id', '=', tenant)
        .where('machine_id', '=', machine)
        .where('turn', '=', turn)
        .execute()
    },
  }
}

const columnsOf = (bot: AgentBot) => ({
  ...{ agent_id: bot.agent, bot: bot.bot, username: keptText(bot.username), token: bot.token },
  ...{ last_four: bot.lastFour, last_update: bot.lastUpdate, created_at: bot.createdAt },
  ...{ code_sha256: bot.code?.sha256 ?? null, code_until: bot.code?.until ?? null },
})

const botFromRow = (row: Selectable<BotTable>): AgentBot => ({
  ...{ machine: row.machine_id, agent: row.agent_id, bot: row.bot, username: row.username },
  ...{ token: row.token, lastFour: row.last_four, lastUpdate: row.last_update, createdAt: row.created_at },
  code:
    row.code_sha256 === null || row.code_until === null
      ? null
      : { sha256: row.code_sha256, until: row.code_until },
})

const chatFromRow = (row: Selectable<ChatTable>): PairedChat => ({
  ...{ machine: row.machine_id, chat: row.chat_id, name: row.name, pairedAt: row.paired_at },
})

const answerFromRow = (row: Selectable<AnswerTable>): OwedAnswer => ({
  ...{ machine: row.machine_id, turn: row.turn, chat: row.chat_id, sent: row.sent },
})
