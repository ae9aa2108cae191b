/** `all`: whatever is the tenant's. `own`: what belongs to the principal itself. */
type Reach = 'all' | 'own'

interface Permission {
  /** For the reference: what it is. */
  readonly does: string
  /** Who may, and how far; whoever is not named may not. A session may what its person may. */
  readonly may: { readonly [role in 'owner' | 'approver' | 'agent' | 'app']?: Reach }
  /**
   * Step-up. `true`: a session only just after its person has proved again who they are; `passkey`: only if by a passkey. `if_high_risk`:
   * whoever says yes to what is of high risk signs that very consent with a passkey; `approvals` demands it, where the risk is known.
   */
  readonly stepUp?: true | 'passkey' | 'if_high_risk'
  /**
   * Reaches beyond the tenant: the host's user may it at the admin socket, whichever tenant they name there; sessions and approvers
   * of the tenant `default` alone, which is the installation's own.
   */
  readonly scope?: 'installation'
}

const PEOPLE = { owner: 'all', approver: 'all' } as const
const OWNER = { owner: 'all' } as const
const INSTALLATION = { may: OWNER, scope: 'installation' } as const

/**
 * Who may do what: the one table. The word before the dot is the kind of thing that it is done to. What has no row here
 * is denied. `docs/reference/permissions.md` is generated from it.
 */
export const PERMISSIONS = {
  'execution.submit': { does: 'Ask to run code.', may: { agent: 'own' } },
  'execution.explain': {
    does: 'See the card that a program would lead to.',
    may: { agent: 'own', owner: 'all' },
  },
  'execution.list': { does: 'List executions.', may: { ...PEOPLE, agent: 'own' } },
  'execution.read': { does: 'Read an execution and follow it.', may: { ...PEOPLE, agent: 'own' } },
  'execution.cancel': { does: 'Cancel what has not started.', may: { agent: 'own' } },
  'execution.stop': { does: 'Stop what was approved: a run under way, or one about to begin.', may: PEOPLE },
  'execution.acknowledge': { does: 'Confirm that a result has arrived.', may: { agent: 'own' } },

  'approval.list': { does: 'List what waits for a person.', may: PEOPLE },
  'approval.read': { does: 'Read a card.', may: PEOPLE },
  'approval.follow': {
    does: 'See what of its own waits for a person, and how that was answered.',
    may: { agent: 'own' },
  },
  'approval.decide': { does: 'Approve or deny.', may: PEOPLE, stepUp: 'if_high_risk' },
  'approval.reach_host': {
    does: "Approve what reaches addresses of the daemon's own machine or network.",
    may: PEOPLE,
    scope: 'installation',
  },

  'quorum.list': { does: 'List rules of how many approve what.', may: PEOPLE },
  'quorum.manage': {
    does: 'Change how many approve what, and say who the owner is among the approvers.',
    may: OWNER,
    stepUp: true,
  },

  'grant.list': { does: 'List what is allowed unasked.', may: PEOPLE },
  'grant.revoke': { does: 'End a grant.', may: PEOPLE },
  'grant.write': {
    does: 'Give or change a grant for a provider unasked.',
    may: OWNER,
    stepUp: true,
  },

  'secret.list': { does: 'List names and hosts of secrets.', may: { ...PEOPLE, agent: 'all' } },
  'secret.write': { does: 'Store, replace or rename a secret.', may: PEOPLE, stepUp: true },
  'secret.set_risk': {
    does: "Raise a secret's risk; who may make rules lowers it.",
    may: PEOPLE,
    stepUp: true,
  },
  'secret.remove': { does: 'Remove a secret.', may: PEOPLE },

  'agent.list': { does: 'List agents.', may: PEOPLE },
  'agent.manage': {
    does: 'Add, tag and revoke agents, and rotate their tokens.',
    may: OWNER,
    stepUp: true,
  },

  'app.list': { does: 'List apps, which have prompts run.', may: PEOPLE },
  'app.manage': {
    does: 'Add, change and revoke apps, and rotate their tokens.',
    may: OWNER,
    stepUp: true,
  },
  'run.submit': { does: 'Have a prompt run by Claude Code.', may: { app: 'own' } },
  'run.list': { does: 'List runs of prompts.', may: PEOPLE },
  'run.read': { does: 'Read such a run, with its result, and follow it.', may: { ...PEOPLE, app: 'own' } },
  'run.cancel': { does: 'End such a run.', may: { ...PEOPLE, app: 'own' } },
  'file.upload': { does: 'Upload a file for runs, list and remove it.', may: { app: 'own' } },
  'file.list': { does: 'List what apps uploaded for their runs.', may: PEOPLE },
  'file.remove': { does: 'Remove a file of an app.', may: OWNER },
  'run_session.list': {
    does: 'List conversations that runs may continue.',
    may: { ...PEOPLE, app: 'own' },
  },
  'run_session.remove': { does: 'Forget such a conversation.', may: { ...OWNER, app: 'own' } },

  'hosted_agent.list': { does: 'List hosted agents, and how each is.', may: PEOPLE },
  'hosted_agent.manage': {
    does: 'Add hosted agents, wake, pause and stop them, roll their files back, and remove them with these.',
    may: OWNER,
    stepUp: true,
  },
  'hosted_agent.chat': { does: 'Talk to a hosted agent.', may: OWNER },
  'hosted_agent.operate': {
    does: "Speak to a hosted agent's own gateway, by its WebSocket or its own page.",
    may: OWNER,
  },
  'hosted_agent.desktop': { does: "See and use a hosted agent's desktop.", may: OWNER },
  'hosted_agent.inspect': {
    does: "See the processes of a hosted agent's machine, what it printed, and its versions.",
    may: OWNER,
  },
  'hosted_agent.files': {
    does: "See what is in a hosted agent's workspace, take files out of it and put files into it.",
    may: OWNER,
  },
  'browser.use': {
    does: "Use an agent's browser or the Chromium of its desktop: the agent its own, an account its agents', by the account's API.",
    may: { ...OWNER, agent: 'own' },
  },

  'provider.list': { does: 'List providers of LLMs.', may: PEOPLE },
  'provider.manage': { does: 'Add, change and remove providers.', may: OWNER, stepUp: true },
  'provider.use': { does: 'Send requests to a provider, as far as a grant goes.', may: { agent: 'own' } },
  'provider_key.list': { does: "List providers' keys, never values.", may: PEOPLE },
  'provider_key.write': { does: "Store a provider's key.", may: PEOPLE, stepUp: true },
  'provider_key.remove': { does: "Remove a provider's key.", may: PEOPLE },
  'usage.read': { does: 'Read what agents used.', may: PEOPLE },
  'price.list': { does: 'List prices.', may: OWNER },
  // Limits in money count by them: a price of nothing lifts them all.
  'price.write': { does: 'Set and remove prices.', may: OWNER, stepUp: true },

  'registry.list': { does: 'List registries, their skills and what is pinned.', may: PEOPLE },
  'registry.manage': {
    does: 'Add and remove registries, and pin versions of skills.',
    may: OWNER,
    stepUp: true,
  },
  'push.manage': { does: 'Have browsers of its own told when something waits.', may: PEOPLE },

  'audit.read': { does: 'Search and verify the audit.', may: PEOPLE },
  'audit.export': { does: 'Take the whole audit out.', may: OWNER },
  'archive.list': { does: 'List the files of rows of the audit.', may: PEOPLE, scope: 'installation' },
  'audit.archive': { does: 'Move rows of the audit into files.', ...INSTALLATION, stepUp: true },
  'storage.prune': { does: 'Drop what is over.', may: OWNER, stepUp: true },
  'key.rotate': { does: 'Replace the data key.', may: OWNER, stepUp: true },
  'master_key.rotate': { does: 'Replace the master key.', ...INSTALLATION, stepUp: true },
  'host.reach': {
    does: 'Have the daemon start a program, read a file, or call an address of its own machine or network.',
    ...INSTALLATION,
    stepUp: true,
  },
  'daemon.read': { does: 'See how the daemon is.', may: PEOPLE },
  'daemon.panic': { does: 'Stop everything at once.', may: PEOPLE },
  'daemon.unlock': { does: 'End such a stop.', may: OWNER, stepUp: 'passkey' },
  'daemon.diagnose': { does: 'Try every part of the daemon.', ...INSTALLATION },
  'passkey.list': { does: "See one's passkeys; the owner everybody's.", may: PEOPLE },
  'passkey.manage': {
    does: "Register, rename and remove one's passkeys; the owner removes anybody's.",
    may: PEOPLE,
    stepUp: true,
  },
  'session.invite': { does: 'Make a link that signs oneself in at the console.', may: PEOPLE, stepUp: true },
  'session.list': { does: 'See which browsers are signed in.', may: OWNER },
  'session.revoke': { does: 'Sign a browser out.', may: OWNER },
  'account.read': { does: 'See the account that one signed up for, and what signs it in.', may: OWNER },
  'account.manage': {
    does: "Change the account's password, what signs it in, and keys of its programs.",
    may: OWNER,
    stepUp: true,
  },
  'user_key.list': {
    does: "List the providers that the account brought keys of, by the account's API.",
    may: OWNER,
  },
  'user_key.write': { does: "Store, replace and remove such a key, by the account's API.", may: OWNER },
  'instance.list': { does: "See the account's hosted agents, by the account's API.", may: OWNER },
  'instance.manage': {
    does: "Add, start, stop, roll back and remove the account's hosted agents and their desktops, by the account's API.",
    may: OWNER,
  },
  'member.list': { does: 'List who may decide.', may: OWNER },
  'tenant.manage': { does: 'Add, list and remove tenants.', ...INSTALLATION, stepUp: true },
} as const satisfies Readonly<Record<`${string}.${string}`, Permission>>

export type Action = keyof typeof PERMISSIONS

/** Undefined for what is no action, however it came by its type. */
export const permissionOf = (action: Action): Permission | undefined =>
  Object.hasOwn(PERMISSIONS, action) ? PERMISSIONS[action] : undefined
