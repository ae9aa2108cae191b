import { createCardStore, createClockStore } from '../approvals/index.ts'
import { createApprovalRuleStore, createApprovalVoteStore } from '../approvals/quorum/index.ts'
import { createGrantStore } from '../approvals/trust/index.ts'
import { createAuditStore } from '../audit/index.ts'
import { createAppStore } from '../claude-runs/apps/index.ts'
import { createAppFileStore } from '../claude-runs/files/index.ts'
import { createClaudeRunStore } from '../claude-runs/runs/index.ts'
import { createRunSessionStore } from '../claude-runs/sessions/index.ts'
import { createToolCallStore } from '../claude-runs/tool-calls/index.ts'
import { createCodeStore } from '../executions/code/index.ts'
import { createFactsStore } from '../executions/facts/index.ts'
import { createExecutionStore } from '../executions/index.ts'
import { createSkillStore } from '../executions/registry/index.ts'
import { createAgentBotStore } from '../hosting/bots/index.ts'
import { createChatStore } from '../hosting/chat/index.ts'
import { createMachineStore } from '../hosting/machines/index.ts'
import { createMachineFilesStore } from '../hosting/persistence/index.ts'
import { createAccountStore } from '../identity/accounts/index.ts'
import { createAgentStore } from '../identity/agents/index.ts'
import { createChallengeStore, createPasskeyStore } from '../identity/passkeys/index.ts'
import { createSessionStore } from '../identity/sessions/index.ts'
import {
  createMemberStore,
  createQuotaStore,
  createTenantRowsStore,
  createTenantStore,
} from '../identity/tenants/index.ts'
import { createKeyUserStore, createProviderAccessStore } from '../llm/provider-access/index.ts'
import { createProviderKeyStore } from '../llm/provider-keys/index.ts'
import { createProviderStore } from '../llm/providers/index.ts'
import { createUsageStore } from '../llm/usage/index.ts'
import { createOutboxStore } from '../notify/outbox/index.ts'
import { createWakeStore } from '../notify/wake/index.ts'
import { createContentStore, createRetentionStore } from '../retention/index.ts'
import { createImportStore } from '../sandbox/imports/index.ts'
import { createMetaStore, type StoreFactories } from '../storage/index.ts'
import { createDataKeyStore, createSecretStore } from '../vault/index.ts'

/** Every store there is, as `tx` names it. */
export const STORES: StoreFactories = {
  accounts: createAccountStore,
  agentBots: createAgentBotStore,
  agents: createAgentStore,
  appFiles: createAppFileStore,
  apps: createAppStore,
  approvalRules: createApprovalRuleStore,
  approvalVotes: createApprovalVoteStore,
  audit: createAuditStore,
  cards: createCardStore,
  clock: createClockStore,
  claudeRuns: createClaudeRunStore,
  codes: createCodeStore,
  contents: createContentStore,
  dataKeys: createDataKeyStore,
  executions: createExecutionStore,
  facts: createFactsStore,
  grants: createGrantStore,
  imports: createImportStore,
  keyUsers: createKeyUserStore,
  machineChats: createChatStore,
  machines: createMachineStore,
  machineFiles: createMachineFilesStore,
  members: createMemberStore,
  meta: createMetaStore,
  outbox: createOutboxStore,
  passkeyChallenges: createChallengeStore,
  passkeys: createPasskeyStore,
  providerAccess: createProviderAccessStore,
  providerKeys: createProviderKeyStore,
  providers: createProviderStore,
  quotas: createQuotaStore,
  retention: createRetentionStore,
  runSessions: createRunSessionStore,
  secrets: createSecretStore,
  sessions: createSessionStore,
  skills: createSkillStore,
  tenantRows: createTenantRowsStore,
  tenants: createTenantStore,
  toolCalls: createToolCallStore,
  usage: createUsageStore,
  wakes: createWakeStore,
}
