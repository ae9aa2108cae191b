/** Conversations with machines: each with a key of its own, which seals what is said in its turns. */
export const MACHINE_CHATS: readonly string[] = [
  `
  CREATE TABLE machine_chats (
    tenant_id TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    chat_key TEXT NOT NULL,
    last_number INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, machine_id)
  ) STRICT;
  CREATE TABLE machine_turns (
    tenant_id TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    model TEXT NOT NULL,
    asked TEXT NOT NULL,
    answer TEXT,
    problem TEXT,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (tenant_id, machine_id, number),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES machine_chats (tenant_id, machine_id)
  ) STRICT;
  CREATE INDEX machine_turns_open ON machine_turns (tenant_id, machine_id, number) WHERE state = 'open';
  CREATE INDEX machine_turns_ended ON machine_turns (tenant_id, ended_at);
`,
]
