/** See the migration of SQLite of the same name. */
export const MACHINE_CHATS: readonly string[] = [
  `
  CREATE TABLE machine_chats (
    tenant_id TEXT COLLATE "C" NOT NULL,
    machine_id TEXT COLLATE "C" NOT NULL,
    chat_key TEXT COLLATE "C" NOT NULL,
    last_number BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, machine_id)
  );
  CREATE TABLE machine_turns (
    tenant_id TEXT COLLATE "C" NOT NULL,
    machine_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    asked TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C",
    problem TEXT COLLATE "C",
    bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (tenant_id, machine_id, number),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES machine_chats (tenant_id, machine_id)
  );
  CREATE INDEX machine_turns_open ON machine_turns (tenant_id, machine_id, number) WHERE state = 'open';
  CREATE INDEX machine_turns_ended ON machine_turns (tenant_id, ended_at);
  ALTER TABLE machine_chats ENABLE ROW LEVEL SECURITY;
  ALTER TABLE machine_chats FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON machine_chats USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE machine_turns ENABLE ROW LEVEL SECURITY;
  ALTER TABLE machine_turns FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON machine_turns USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
