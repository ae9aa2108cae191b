import { it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import { idOf, type Tenant, tenantsOf } from '../../test/support/tenants.ts'
import { createContentStore } from './content-store.ts'
import type { ContentStore, Held, RetentionStore } from './ports.ts'
import { createRetentionStore } from './retention-store.ts'

const held = (own: Tenant, codeHash: string): Held => ({
  agentId: idOf(own, 'agt_1'),
  codeHash: codeHash as never,
  importsLock: null,
})
const NUMBERS = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)'

/** Indexes that hold few rows, or that are read from their beginning. */
const FEW_CONTENTS = ['executions_open', 'released_content']
/**
 * Agents are few, and so are messages on their way: their rows may be read as a whole. The newest row stands at an
 * index's end, and a page is no table.
 */
const FEW_KEPT = ['agent_storage', 'SEARCH s ', 'SEARCH o ', 'outbox', 'newest', 'SCAN page']

storeContract('what is asked of who keeps what', { contents: createContentStore }, (kit) => {
  const tenant = tenantsOf(kit)

  it.each<[string, (contents: ContentStore, own: Tenant) => Promise<unknown>, used?: string]>([
    ['what an agent keeps', (contents, own) => contents.bytesOf(idOf(own, 'agt_1'))],
    ['whether code is held', (contents, own) => contents.isHeld(held(own, 'c1'))],
    [
      'what can be let go of',
      (contents, own) => contents.release(idOf(own, 'agt_1'), 'c1' as never, { ran: 5, expired: 5 }),
      'approvals_standing_code',
    ],
    ['that code ran', (contents, own) => contents.ran(idOf(own, 'agt_1'), 'c1' as never, 5)],
    [
      'the next holdings',
      (contents, own) => contents.releaseNext(held(own, 'c50'), 5, { ran: 5, expired: 5 }),
      'approvals_standing_code',
    ],
    ['what nobody holds', (contents) => contents.deleteReleased()],
  ])('is found through an index: %s', async (what, work, used) => {
    const own = await tenant()
    await fill(own)
    const names = used === undefined ? [] : [used]
    await kit.expectIndexed(what, (tx) => work(tx.contents, own), FEW_CONTENTS, names)
  })

  it('is found through an index: whether imports are held again', async () => {
    const own = await tenant()
    await fill(own)
    await own.rows("INSERT INTO released_content (tenant_id, code_hash, imports_lock) VALUES (?, '', 'l3')")
    const deleteNext: Parameters<typeof kit.expectIndexed>[1] = (tx) => tx.contents.deleteReleased()
    await kit.expectIndexed('the lock', deleteNext, FEW_CONTENTS, ['content_holders_of_lock'])
  })

  const fill = async (own: Tenant): Promise<void> => {
    await own.rows(`${NUMBERS} INSERT INTO content_holders (tenant_id, code_hash, agent_id, imports_lock, bytes)
      SELECT ?, 'c' || i, 'agt_' || (i % 50) || '_${own.id}', CASE WHEN i % 3 = 0 THEN 'l' || i ELSE '' END, 1 FROM n`)
    await own.rows(`${NUMBERS} INSERT INTO executions (tenant_id, request_id, skill_id, code_hash, status, created_at, agent_id,
        consent, consent_hash, changes, expires_at, trusted, finished_at)
      SELECT ?, 'req_' || i || '_${own.id}', 's', 'c' || (i % 500), 'success', i, '${idOf(own, 'agt_2')}', '{}', 'x' || i, '[]', 9, 1, i
      FROM n`)
    await own.rows(
      `${NUMBERS} INSERT INTO consents (tenant_id, hash, agent_id, text) SELECT ?, 'x' || i, '${idOf(own, 'agt_2')}', '{}' FROM n`,
    )
    await own.rows(`${NUMBERS} INSERT INTO approvals (tenant_id, skill_id, code_hash, trust_level, approved_at, any_args, scope_hash,
        consent, consent_hash, request_id, approved_by)
      SELECT ?, 's', 'c' || i, 'forever', 1, 0, 'x' || i, '{}', 'x', 'r' || i, 'cli:0' FROM n`)
    await own.rows(
      `${NUMBERS} INSERT INTO released_content (tenant_id, code_hash, imports_lock) SELECT ?, 'r' || i, '' FROM n`,
    )
    await own.rows(
      `${NUMBERS} INSERT INTO code (tenant_id, hash, text, created_at) SELECT ?, 'r' || i, 'text', 1 FROM n`,
    )
    await own.rows(`${NUMBERS} INSERT INTO code_facts (tenant_id, hash, language, version, facts)
      SELECT ?, 'r' || i, 'js', 1, '{}' FROM n`)
    if (kit.engine === 'postgres') await kit.sql('ANALYZE')
  }
})

storeContract('what is asked of what is kept', { retention: createRetentionStore }, (kit) => {
  const tenant = tenantsOf(kit)

  it.each<
    [string, used: readonly string[], work: (retention: RetentionStore, own: Tenant) => Promise<unknown>]
  >([
    [
      "an agent's oldest output",
      ['executions_output_of_agent'],
      (retention, own) => retention.dropOutputs({ agentId: idOf(own, 'agt_1') }, 5, 100),
    ],
    [
      'the oldest output of all',
      ['executions_output_of_agent'],
      (retention) => retention.dropOutputs({}, 5, 100),
    ],
    [
      "an agent's oldest requests",
      ['executions_undecided_of_agent', 'outbox_of_request'],
      (retention, own) =>
        retention.dropExecutions(
          { agentId: idOf(own, 'agt_1'), endedBefore: 500 },
          { finishedAt: 100, id: 7 },
          5,
        ),
    ],
    [
      'the next requests',
      ['outbox_of_request'],
      (retention) => retention.dropExecutions({ endedBefore: 5, undecided: true }, undefined, 5),
    ],
    [
      'what has ended',
      ['approvals_ended', 'provider_asks_settled', 'provider_grants_ended', 'tool_calls_ended'],
      (retention) => retention.dropEnded(20, 5),
    ],
    ['usage of days', [], (retention) => retention.dropUsage('2000-01-20', 5)],
    [
      'the next requests to count',
      ['outbox_of_request'],
      (retention) => retention.countNext({ outputs: 5, code: 5, executions: 5, usageDay: '' }, 10, 20),
    ],
  ])('is found through an index: %s', async (what, used, work) => {
    const own = await tenant()
    await fill(own)
    await kit.expectIndexed(what, (tx) => work(tx.retention, own), FEW_KEPT, used)
  })

  const fill = async (own: Tenant): Promise<void> => {
    const day = "'2000-01-' || (10 + i % 20)"
    await own.rows(`${NUMBERS} INSERT INTO executions (tenant_id, request_id, skill_id, code_hash, status, created_at, agent_id,
        consent, consent_hash, changes, expires_at, trusted, finished_at, output_bytes, decision)
      SELECT ?, 'req_' || i || '_${own.id}', 's', 'c', 'success', i, 'agt_' || (1 + i % 3) || '_${own.id}', '{}', 'x' || i, '[]', 9, 1,
        i, CASE WHEN i % 5 = 0 THEN 9 ELSE 0 END, CASE WHEN i % 7 = 0 THEN 'once' END FROM n`)
    await own.rows(`${NUMBERS} INSERT INTO wakes (tenant_id, request_id, agent_id, next_at, created_at)
      SELECT ?, 'req_' || i || '_${own.id}', '${idOf(own, 'agt_1')}', 9, 9 FROM n WHERE i % 2 = 0`)
    await own.rows(`${NUMBERS} INSERT INTO approvals (tenant_id, skill_id, code_hash, trust_level, approved_at, any_args, scope_hash,
        consent, consent_hash, request_id, approved_by, ended_at)
      SELECT ?, 's', 'c' || i, 'forever', 1, 0, 'x' || i, '{}', 'x', 'r' || i, 'cli:0', i FROM n`)
    await own.rows(`${NUMBERS} INSERT INTO provider_asks (tenant_id, id, agent_id, provider, endpoint_group, path, status, created_at,
        expires_at, decided_at)
      SELECT ?, 'ask_' || i || '_${own.id}', '${idOf(own, 'agt_1')}', 'openai', 'inference', '/', 'denied', i, 2, i FROM n`)
    await own.rows(`INSERT INTO apps (tenant_id, id, name, token_sha256, cidrs, scopes, tools, provider, limits, keeps_prompts, created_at)
      VALUES (?, '${idOf(own, 'app_1')}', 'a', 'x', '[]', '[]', '[]', 'p', '{}', 0, 1)`)
    await own.rows(`${NUMBERS} INSERT INTO tool_calls (tenant_id, id, app_id, run_id, prompt_sha256, tool, input, effect, status,
        created_at, expires_at, ended_at)
      SELECT ?, 'call_' || i || '_${own.id}', '${idOf(own, 'app_1')}', 'run_1', 'x', 'WebFetch', '{}', '{}', 'denied', i, 2, i FROM n`)
    await own.rows(`${NUMBERS} INSERT INTO cards (tenant_id, token, request_id, chat_id, consent_hash, created_at)
      SELECT ?, 't' || i || '_${own.id}', CASE WHEN i % 100 = 0 THEN 'ask_' ELSE 'req_' END || i, '1', 'x', i FROM n`)
    await own.rows(`${NUMBERS} INSERT INTO approval_votes (tenant_id, request_id, person, account, channel, consent_hash, answer, label,
        proved, created_at)
      SELECT ?, CASE WHEN i % 100 = 0 THEN 'ask_' ELSE 'req_' END || i, 'owner', 'owner', 'terminal', 'x', '{}', 'l', 0, i FROM n`)
    await own.rows(`${NUMBERS} INSERT INTO provider_grants (tenant_id, agent_id, provider, groups, granted_by, granted_at, ended_at)
      SELECT ?, '${idOf(own, 'agt_1')}', 'openai', '[]', 'cli:0', 1, i FROM n`)
    await own.rows(`${NUMBERS} INSERT INTO usage_by_day (tenant_id, day, agent_id, provider, model, key_id, requests, failed, untold,
        input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, micro_usd, unpriced)
      SELECT ?, ${day}, 'a', 'openai', 'm', i, 1, 0, 0, 0, 0, 0, 0, 0, 0 FROM n`)
    await own.rows(`${NUMBERS} INSERT INTO machine_days (tenant_id, day, machine_id, awake_ms, held_ms)
      SELECT ?, ${day}, 'm' || i, 1, 1 FROM n`)
    await own.rows(`${NUMBERS} INSERT INTO outbox (tenant_id, lane, kind, payload, next_at, created_at)
      SELECT ?, 'telegram:1', 'card', '{"requestId":"req_' || i || '"}', 1, 1 FROM n`)
    if (kit.engine === 'postgres') await kit.sql('ANALYZE')
  }
})
