/** What may go, in the order in which it ended. */
export const RETENTION_ORDER: readonly string[] = [
  `
  -- In the order in which they ended. A row stands in one of the two: a run costs no more than it did.
  DROP INDEX executions_output_of_agent;
  CREATE INDEX executions_output_of_agent ON executions (agent_id, finished_at, output_bytes) WHERE output_bytes > 0;
  CREATE INDEX executions_undecided_of_agent ON executions (agent_id, finished_at)
    WHERE output_bytes = 0 AND decision IS NULL AND finished_at IS NOT NULL;

  -- What came before there were holders: a grant's agent keeps what it needs, and what nobody keeps goes.
  INSERT OR IGNORE INTO content_holders (code_hash, agent_id, imports_lock, bytes)
    SELECT code_hash, agent_id, '', octet_length(text) FROM (
      SELECT code_hash, CASE WHEN json_valid(consent) THEN json_extract(consent, '$.agent.id') END AS agent_id
      FROM approvals WHERE ended_at IS NULL) AS granted
    JOIN code ON code.hash = code_hash JOIN agents ON agents.id = agent_id;
  INSERT OR IGNORE INTO content_holders (code_hash, agent_id, imports_lock, bytes)
    SELECT code_hash, json_extract(consent, '$.agent.id'), json_extract(consent, '$.imports.lock'),
      ifnull(json_extract(consent, '$.imports.bytes'), 0)
    FROM (SELECT code_hash, CASE WHEN json_valid(consent) THEN consent ELSE '{}' END AS consent
      FROM approvals WHERE ended_at IS NULL)
    WHERE json_extract(consent, '$.imports.lock') IS NOT NULL AND json_extract(consent, '$.agent.id') IN (SELECT id FROM agents);
  INSERT OR IGNORE INTO released_content (code_hash, imports_lock)
    SELECT hash, '' FROM code WHERE hash NOT IN (SELECT code_hash FROM content_holders WHERE imports_lock = '')
      AND hash NOT IN (SELECT code_hash FROM approvals WHERE ended_at IS NULL);
  INSERT OR IGNORE INTO released_content (code_hash, imports_lock)
    SELECT '', hash FROM import_locks WHERE hash NOT IN (SELECT imports_lock FROM content_holders)
      AND hash NOT IN (SELECT ifnull(CASE WHEN json_valid(consent) THEN json_extract(consent, '$.imports.lock') END, '')
        FROM approvals WHERE ended_at IS NULL);
  DELETE FROM code_facts WHERE hash NOT IN (SELECT hash FROM code);
  DELETE FROM import_files WHERE sha256 NOT IN (SELECT sha256 FROM import_lock_files);
  `,
]
