/** Bindings that outlive their value; grants for groups of endpoints. */
export const ENDPOINT_GROUPS: readonly string[] = [
  // The hosts of names whose value was removed or renamed: a new value under the name is bound to them.
  `
  CREATE TABLE kept_bindings (
    name TEXT PRIMARY KEY,
    hosts TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,

  `
  -- A grant is for groups of endpoints. One that named no paths becomes what its card showed; one whose owner wrote
  -- paths keeps the groups that these name. Asks that wait showed no group: they are asked anew.
  ALTER TABLE provider_grants ADD COLUMN groups TEXT NOT NULL DEFAULT '["inference","models"]';
  UPDATE provider_grants SET groups = '["inference","models"'
    || CASE WHEN paths LIKE '%"/files%' OR paths LIKE '%"/uploads%' THEN ',"files"' ELSE '' END
    || CASE WHEN paths LIKE '%"/batches%' OR paths LIKE '%"/messages/batches%' THEN ',"batches"' ELSE '' END
    || CASE WHEN paths LIKE '%"/fine_tuning%' OR paths LIKE '%"/fine-tunes%' THEN ',"fine_tuning"' ELSE '' END
    || CASE WHEN paths LIKE '%"/assistants%' OR paths LIKE '%"/threads%' OR paths LIKE '%"/vector_stores%' OR paths LIKE '%"/conversations%' OR paths LIKE '%"/containers%' OR paths LIKE '%"/cachedContents%' THEN ',"stored"' ELSE '' END
    || CASE WHEN paths LIKE '%"/realtime%' THEN ',"realtime"' ELSE '' END
    || CASE WHEN paths LIKE '%"/videos%' OR paths LIKE '%"/predictions%' THEN ',"deferred"' ELSE '' END
    || CASE WHEN paths LIKE '%"/organization%' THEN ',"organization"' ELSE '' END
    || ']' WHERE paths IS NOT NULL;
  ALTER TABLE provider_asks ADD COLUMN endpoint_group TEXT NOT NULL DEFAULT 'inference';
  UPDATE provider_asks SET status = 'expired', decided_at = created_at WHERE status = 'pending';
  DROP INDEX provider_asks_waiting_twin;
  CREATE UNIQUE INDEX provider_asks_waiting_twin
    ON provider_asks (agent_id, provider, ifnull(model, ''), endpoint_group) WHERE status = 'pending';

  -- Apart from the books, which may be cut one day: who has ever used a key decides what passes with it.
  CREATE TABLE provider_key_users (
    provider TEXT NOT NULL,
    key_id INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    first_used_at INTEGER NOT NULL,
    PRIMARY KEY (provider, key_id, agent_id)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO provider_key_users (provider, key_id, agent_id, first_used_at)
    SELECT provider, key_id, agent_id, unixepoch(min(day)) * 1000 FROM usage_by_day GROUP BY provider, key_id, agent_id;
  `,
]
