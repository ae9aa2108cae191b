/**
 * No two tenants have one name; and of a tenant that is removed the audit may go, as all else of it does. Nothing else of the audit
 * may, but what is in archives.
 */
export const TENANT_REMOVAL: readonly string[] = [
  `
  CREATE UNIQUE INDEX tenants_by_name ON tenants (name) WHERE removed_at IS NULL;
  DROP TRIGGER audit_log_no_delete;
  CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    WHEN OLD.id > ifnull((SELECT last_id FROM audit_archives WHERE tenant_id = OLD.tenant_id
      ORDER BY first_id DESC LIMIT 1), 0)
    AND NOT EXISTS (SELECT 1 FROM tenants WHERE id = OLD.tenant_id AND id <> 'default' AND removed_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
`,
]
