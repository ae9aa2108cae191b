/** Bots in Telegram of hosted agents, the chats that may speak to them, and answers that are owed there. */
export const AGENT_BOTS: readonly string[] = [
  `
  CREATE TABLE agent_bots (
    tenant_id TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    bot TEXT NOT NULL,
    username TEXT NOT NULL,
    token TEXT NOT NULL,
    last_four TEXT NOT NULL,
    last_update INTEGER NOT NULL,
    code_sha256 TEXT,
    code_until INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, machine_id)
  ) STRICT;
  CREATE TABLE agent_bot_chats (
    tenant_id TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    chat_id TEXT NOT NULL,
    name TEXT NOT NULL,
    paired_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, chat_id),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES agent_bots (tenant_id, machine_id)
  ) STRICT;
  CREATE TABLE agent_bot_answers (
    tenant_id TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    turn INTEGER NOT NULL,
    chat_id TEXT NOT NULL,
    sent INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, turn),
    FOREIGN KEY (tenant_id, machine_id, chat_id) REFERENCES agent_bot_chats (tenant_id, machine_id, chat_id)
  ) STRICT;
`,
]
