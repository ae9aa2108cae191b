/** See the migration of SQLite of the same name. */
export const AGENT_BOTS: readonly string[] = [
  `
  CREATE TABLE agent_bots (
    tenant_id TEXT COLLATE "C" NOT NULL,
    machine_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    bot TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    token TEXT COLLATE "C" NOT NULL,
    last_four TEXT COLLATE "C" NOT NULL,
    last_update BIGINT NOT NULL,
    code_sha256 TEXT COLLATE "C",
    code_until BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, machine_id)
  );
  CREATE TABLE agent_bot_chats (
    tenant_id TEXT COLLATE "C" NOT NULL,
    machine_id TEXT COLLATE "C" NOT NULL,
    chat_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    paired_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, chat_id),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES agent_bots (tenant_id, machine_id)
  );
  CREATE TABLE agent_bot_answers (
    tenant_id TEXT COLLATE "C" NOT NULL,
    machine_id TEXT COLLATE "C" NOT NULL,
    turn BIGINT NOT NULL,
    chat_id TEXT COLLATE "C" NOT NULL,
    sent BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, turn),
    FOREIGN KEY (tenant_id, machine_id, chat_id) REFERENCES agent_bot_chats (tenant_id, machine_id, chat_id)
  );
  ALTER TABLE agent_bots ENABLE ROW LEVEL SECURITY;
  ALTER TABLE agent_bots FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON agent_bots USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE agent_bot_chats ENABLE ROW LEVEL SECURITY;
  ALTER TABLE agent_bot_chats FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON agent_bot_chats USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE agent_bot_answers ENABLE ROW LEVEL SECURITY;
  ALTER TABLE agent_bot_answers FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON agent_bot_answers USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
