/** The indexes of migration 09; the same statements are those of PostgreSQL. */
export const INDEXES = `
  CREATE UNIQUE INDEX agents_active_name ON agents (tenant_id, name) WHERE revoked_at IS NULL;
  CREATE INDEX agents_of_previous_token ON agents (tenant_id, previous_sha256) WHERE previous_token IS NOT NULL;

  CREATE INDEX approvals_of_tenant ON approvals (tenant_id, id);
  CREATE UNIQUE INDEX approvals_standing_scope ON approvals (tenant_id, scope_hash) WHERE ended_at IS NULL;
  CREATE INDEX approvals_standing ON approvals (tenant_id, skill_id, code_hash) WHERE ended_at IS NULL;
  CREATE INDEX approvals_standing_code ON approvals (tenant_id, code_hash) WHERE ended_at IS NULL;
  CREATE INDEX approvals_ending ON approvals (tenant_id, expires_at) WHERE ended_at IS NULL AND expires_at IS NOT NULL;
  CREATE INDEX approvals_ended ON approvals (tenant_id, ended_at) WHERE ended_at IS NOT NULL;
  CREATE UNIQUE INDEX approvals_once_per_request ON approvals (tenant_id, request_id);

  CREATE INDEX executions_of_tenant ON executions (tenant_id, id);
  CREATE INDEX executions_of_agent ON executions (tenant_id, agent_id, id);
  CREATE INDEX executions_of_agent_by_status ON executions (tenant_id, agent_id, status, id);
  CREATE INDEX executions_open ON executions (tenant_id, status, id)
    WHERE status IN ('pending', 'awaiting_secrets', 'approved', 'running');
  CREATE INDEX executions_expiring ON executions (tenant_id, expires_at) WHERE status IN ('pending', 'awaiting_secrets');
  CREATE UNIQUE INDEX executions_waiting_twin ON executions (tenant_id, agent_id, consent_hash)
    WHERE status IN ('pending', 'awaiting_secrets');
  -- A row stands in one of the two.
  CREATE INDEX executions_output_of_agent ON executions (tenant_id, agent_id, finished_at, output_bytes)
    WHERE output_bytes > 0;
  CREATE INDEX executions_undecided_of_agent ON executions (tenant_id, agent_id, finished_at, id)
    WHERE output_bytes = 0 AND decision IS NULL AND finished_at IS NOT NULL;

  CREATE INDEX idempotency_age ON idempotency (tenant_id, created_at);

  CREATE INDEX outbox_lane ON outbox (tenant_id, lane, id);
  CREATE INDEX outbox_of_request ON outbox (tenant_id, request_id) WHERE request_id IS NOT NULL;

  CREATE INDEX wakes_due ON wakes (tenant_id, next_at);
  CREATE INDEX wakes_of_agent ON wakes (tenant_id, agent_id, next_at, request_id);

  CREATE INDEX audit_of_request ON audit_log (tenant_id, request_id) WHERE request_id IS NOT NULL;

  CREATE INDEX import_lock_files_by_file ON import_lock_files (tenant_id, sha256);
  CREATE INDEX content_holders_of_lock ON content_holders (tenant_id, imports_lock) WHERE imports_lock <> '';

  CREATE UNIQUE INDEX provider_asks_waiting_twin
    ON provider_asks (tenant_id, agent_id, provider, (coalesce(model, '')), endpoint_group) WHERE status = 'pending';
  CREATE INDEX provider_asks_denied ON provider_asks (tenant_id, agent_id, provider, decided_at) WHERE status = 'denied';
  CREATE INDEX provider_asks_settled ON provider_asks (tenant_id, decided_at) WHERE status <> 'pending';

  CREATE INDEX provider_grants_standing ON provider_grants (tenant_id, agent_id, provider) WHERE ended_at IS NULL;
  CREATE INDEX provider_grants_ended ON provider_grants (tenant_id, ended_at) WHERE ended_at IS NOT NULL;
`
