/** See the migration of SQLite of the same name. */
export const TENANT_REMOVAL: readonly string[] = [
  `
  CREATE UNIQUE INDEX tenants_by_name ON tenants (name) WHERE removed_at IS NULL;
  CREATE OR REPLACE FUNCTION audit_log_no_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.id > coalesce((SELECT last_id FROM audit_archives WHERE tenant_id = OLD.tenant_id
      ORDER BY first_id DESC LIMIT 1), 0)
      AND NOT EXISTS (SELECT 1 FROM tenants WHERE id = OLD.tenant_id AND id <> 'default' AND removed_at IS NOT NULL)
    THEN
      RAISE EXCEPTION 'audit_log is append-only';
    END IF;
    RETURN OLD;
  END $$;
`,
]
