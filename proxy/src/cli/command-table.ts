import type { Command } from 'commander'
import type { InstallationPrograms } from './commands/installation.ts'
import type { MigratePrograms } from './commands/migrate.ts'
import type { CommandContext } from './context.ts'

type AddCommands = (
  program: Command,
  context: CommandContext,
  programs: InstallationPrograms & MigratePrograms,
) => void

interface CommandModule {
  /** The first words of its command lines. */
  readonly words: readonly string[]
  load(): Promise<AddCommands>
}

/** In the order of the help. A command line loads what its first word names; a module brings contracts and schemas with it. */
export const COMMAND_MODULES: readonly CommandModule[] = [
  {
    words: ['requests', 'pending', 'show', 'approve', 'deny', 'stop'],
    load: async () => (await import('./commands/requests.ts')).addRequestCommands,
  },
  { words: ['watch'], load: async () => (await import('./commands/watch.ts')).addWatchCommand },
  { words: ['explain'], load: async () => (await import('./commands/explain.ts')).addExplainCommand },
  { words: ['secret'], load: async () => (await import('./commands/secrets.ts')).addSecretCommands },
  { words: ['agent'], load: async () => (await import('./commands/agents.ts')).addAgentCommands },
  { words: ['app'], load: async () => (await import('./commands/apps.ts')).addAppCommands },
  { words: ['host'], load: async () => (await import('./commands/hosts.ts')).addHostCommands },
  { words: ['run'], load: async () => (await import('./commands/runs.ts')).addRunCommands },
  { words: ['grants'], load: async () => (await import('./commands/granted.ts')).addGrantedCommands },
  { words: ['trust'], load: async () => (await import('./commands/trust.ts')).addTrustCommands },
  { words: ['provider'], load: async () => (await import('./commands/providers.ts')).addProviderCommands },
  { words: ['key'], load: async () => (await import('./commands/keys.ts')).addKeyCommands },
  { words: ['grant'], load: async () => (await import('./commands/grants.ts')).addGrantCommands },
  { words: ['usage'], load: async () => (await import('./commands/usage.ts')).addUsageCommands },
  { words: ['price'], load: async () => (await import('./commands/prices.ts')).addPriceCommands },
  { words: ['audit'], load: async () => (await import('./commands/audit.ts')).addAuditCommands },
  { words: ['push'], load: async () => (await import('./commands/push.ts')).addPushCommands },
  { words: ['panic'], load: async () => (await import('./commands/panic.ts')).addPanicCommands },
  { words: ['receipt'], load: async () => (await import('./commands/receipts.ts')).addReceiptCommands },
  { words: ['prune'], load: async () => (await import('./commands/prune.ts')).addPruneCommand },
  { words: ['doctor', 'status'], load: async () => (await import('./commands/upkeep.ts')).addUpkeepCommands },
  {
    words: ['console', 'session'],
    load: async () => (await import('./commands/console.ts')).addConsoleCommands,
  },
  { words: ['quorum'], load: async () => (await import('./commands/quorum.ts')).addQuorumCommands },
  { words: ['passkey'], load: async () => (await import('./commands/passkeys.ts')).addPasskeyCommands },
  { words: ['account'], load: async () => (await import('./commands/accounts.ts')).addAccountCommands },
  { words: ['tenant'], load: async () => (await import('./commands/tenants.ts')).addTenantCommands },
  {
    words: ['registry'],
    load: async () => (await import('./commands/registries.ts')).addRegistryCommands,
  },
  { words: ['skill'], load: async () => (await import('./commands/skills.ts')).addSkillCommands },
  {
    words: ['backup', 'restore', 'uninstall'],
    load: async () => (await import('./commands/installation.ts')).addInstallationCommands,
  },
  { words: ['migrate'], load: async () => (await import('./commands/migrate.ts')).addMigrateCommand },
  {
    words: ['completion'],
    load: async () => (await import('./commands/completion.ts')).addCompletionCommand,
  },
]

/** Options of the program itself that take the word behind them. */
const WITH_VALUE: readonly string[] = ['--tenant', '--socket']

/**
 * The modules that a command line needs. `withoutModule`: words of the program itself, which need none. All of them where the line
 * asks for an overview (help, completion), or begins with what is no command, for which the nearest word is looked for.
 */
export function modulesFor(
  argv: readonly string[],
  withoutModule: readonly string[],
): readonly CommandModule[] {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string
    if (WITH_VALUE.includes(word)) at += 1
    else if (word === '--version' || word === '-V' || withoutModule.includes(word)) return []
    else if (word === 'completion') return COMMAND_MODULES
    else if (!word.startsWith('-')) {
      const named = COMMAND_MODULES.filter(({ words }) => words.includes(word))
      return named.length > 0 ? named : COMMAND_MODULES
    } else if (!/^--(?:json|tenant=.*|socket=.*)$/s.test(word)) return COMMAND_MODULES
  }
  return COMMAND_MODULES
}
