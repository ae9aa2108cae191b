import type { UnixMs } from '../kernel/index.ts'
import type { StoredAuditRow } from './proof/index.ts'

/** Every event there is. `docs/reference/audit-events.md` is generated from this table. */
export const AUDIT_EVENTS = {
  'daemon.started': 'The daemon opened the database.',
  'daemon.stopped': 'The daemon drained and closed.',
  'daemon.locked':
    'A person stopped everything: runs end, grants are revoked, what waits is cancelled, no secret is opened.',
  'daemon.unlocked': 'A person ended that.',
  'agent.added': 'An agent token was made.',
  'agent.revoked': 'An agent token was revoked.',
  'agent.token_rotated': 'An agent got a new token; until when the old one is good beside it.',
  'agent.token_ended': 'The old token of an agent is refused from now on.',
  'agent.tagged': 'The tags of an agent were changed.',
  'app.added': 'A token of an app was made, which has prompts run.',
  'app.changed': 'The owner changed what an app may: all of it, as it is from then on.',
  'app.token_rotated': 'An app got a new token; the old one is refused.',
  'app.revoked': 'The token of an app was revoked; what it had waiting or running ends.',
  'run.submitted':
    'An app asked for a run of a prompt: its SHA-256, characters, model, tools and files; never its text.',
  'run.started': 'The prompt of a run is handed over: from here on it is not run again, whatever happens.',
  'run.finished':
    'A run came to its end: code, characters, tokens, cost in millionths of a US dollar where it is known, milliseconds.',
  'run.cancelled': 'A run was ended before its end: why, and what it had used.',
  'tool_call.asked':
    'A run of an app asked to use a tool that leaves its walls: the tool, what a yes does, the hash that a decision is bound to.',
  'tool_call.decided': 'A person answered such a question.',
  'tool_call.ended': 'Such a question ended without an answer: nobody gave one in time, or the run was over.',
  'tool_call.covered': 'A yes for the rest of the run covered the same call once more.',
  'tool_call.refused': 'A call of a tool was refused before anybody was asked; why.',
  'file.uploaded': 'An app uploaded a file for its runs: bytes, and until when it is kept.',
  'file.removed': 'A file of an app was removed, by the app or the owner.',
  'run_session.removed': 'A conversation of an app was forgotten, as the app or the owner asked.',
  'request.refused': 'A request was refused before anything was stored.',
  'request.received':
    'An execution was stored: its consent hash, its agent, and the names of the secrets and hosts that it asks for.',
  'approval.asked': 'A card was delivered.',
  'approval.decided': 'A person decided.',
  'approval.voted':
    'A person said yes to what takes several, or a passkey: by which channel, to which consent hash, and how many have.',
  'approval.refused': 'A decision was not accepted: wrong person, wrong chat, stale or forged.',
  'approval.asked_again': 'A person had what expired asked once more; the new request is named.',
  'approval.reminded': 'Whoever is asked was reminded of what had a quarter of its time left.',
  'trust.granted': 'A grant was stored.',
  'trust.used': 'A stored grant covered a request.',
  'trust.ended': 'A grant reached its end.',
  'trust.revoked': 'A person revoked a grant.',
  'execution.awaiting_secrets': 'Approved code waits for secrets that are not stored.',
  'execution.started': 'The code was handed to a sandbox.',
  'execution.postponed': 'No sandbox could take the run; the code was not handed over and it waits again.',
  'execution.finished': 'The run ended; the status is named.',
  'execution.cancelled': 'The agent cancelled what had not started.',
  'execution.stopped':
    'A person stopped what was approved, under way or about to begin; `execution.finished` tells its end.',
  'execution.expired': 'Nobody answered in time.',
  'execution.acknowledged': 'The agent has the result.',
  'secret.stored': 'A secret was stored or replaced.',
  'secret.renamed': 'A secret was renamed.',
  'secret.removed': 'A secret was removed.',
  'secret.risk_set': 'The risk of a secret was changed: what it is by now, and what it was.',
  'secret.opened':
    'A secret was decrypted for a run; or all of them, to be cut out of what a machine says: `for` says `scrub`.',
  'egress.request':
    'A run made a request through the gateway: path without query, names of the secrets put in. Or the daemon did for an agent: `for` says `imports`, `skill_url` or `skill`; or a hosted agent: `machine`.',
  'egress.refused':
    'The gateway refused a request of a run, or the daemon a `skill_url`, a `skill` or an import; the rule is named.',
  'registry.added': 'The owner added a registry of skills and confirmed its key.',
  'registry.removed': 'The owner removed a registry of skills.',
  'registry.refreshed': 'A newer index of a registry was taken.',
  'registry.refused': 'An index was not taken: its form, signature, key, number or end.',
  'skill.pinned': 'The owner pinned a version of a skill to its bytes.',
  'skill.unpinned': 'The owner unpinned a version of a skill.',
  'skill.publisher_accepted':
    'Code signed by a key that is new for its name was approved; the key is expected of that name from now on.',
  'provider.added': 'The owner added a provider of LLMs.',
  'provider.removed': 'The owner removed a provider.',
  'provider.changed': 'The owner filled in a parameter of a provider.',
  'provider.key_added': "A provider's key was stored.",
  'provider.key_removed': "A provider's key was removed.",
  'provider.key_opened':
    "A provider's key was decrypted for requests; it is kept in memory for a short time. Or all of them, to be cut out of what a machine says: `for` says `scrub`.",
  'provider.asked': 'An agent used a provider that it has no grant for; the owner is asked.',
  'provider.decided': 'A person answered what an agent may use of a provider.',
  'provider.granted': 'A grant for a provider was stored.',
  'provider.changed_grant': 'The owner changed the limits, models or paths of a grant.',
  'provider.ended': 'A grant for a provider reached its end.',
  'provider.revoked': 'A person revoked a grant for a provider.',
  'provider.expired': 'Nobody answered what an agent may use of a provider in time.',
  'provider.limit_passed': 'An agent passed a limit of its grant; told once for each window.',
  'price.set': 'The owner set or removed the price of a model.',
  'machine.created': 'A machine was ordered: image, limits.',
  'machine.rolled_back':
    'Kept files of a machine were put in the place of those that it had; those stay kept.',
  'machine.egress': 'The owner changed the hosts that a machine may reach; those there are by now.',
  'machine.inspected':
    'Somebody looked at the processes of a machine or at its log, or the path of a file was cleaned for a row; by whom. Nothing of what was seen is kept.',
  'machine.file_put':
    'Somebody gives a file to a hosted agent: path in its workspace without secrets, bytes, SHA-256; never the content. Written before it is there.',
  'machine.file_taken':
    "Somebody takes a file out of a hosted agent's workspace: path without secrets, bytes, SHA-256; never the content. Written before a byte of it leaves.",
  'machine.desired':
    'Somebody, an access or the sleep ladder wants a machine in another state; from what, to what, and why.',
  'machine.changed': 'A machine entered another state; from which, to which, for which cause.',
  'machine.identified':
    'An instance of EC2 has shown itself as a machine, by what it was handed for that once.',
  'machine.identity_taken':
    'Somebody else has shown itself as a machine as well, or as one whose instance it is not; what ran was ended.',
  'chat.asked':
    'Somebody said something to a hosted agent: which turn of which machine, by which model, how many characters; never the text.',
  'chat.woken':
    'A hosted agent said something that nobody asked for: which turn of which machine, and the request whose outcome woke it.',
  'chat.ended':
    'A turn of a chat with a hosted agent ended: how, with how many characters, and how many uses of tools.',
  'bot.added':
    'The owner gave a hosted agent a bot in Telegram: what it is called there, and the last four characters of its token.',
  'bot.removed':
    'The bot of a hosted agent was taken away, or went with the agent; chats that were paired are no more.',
  'bot.code_made':
    'The owner made a code that pairs one chat with the bot of a hosted agent, and until when.',
  'bot.code_burnt':
    'Such a code was shown to the bot in a group, where others read it: it pairs nobody any more.',
  'bot.paired': 'A private chat in Telegram was paired: whoever has it talks to that hosted agent.',
  'bot.unpaired': 'The owner took such a chat away again.',
  'completion.asked':
    'Somebody asked a hosted agent in the form of OpenAI, of which nothing is kept: which machine, by which model, how many messages.',
  'completion.ended': 'Such an answer ended: how, and with how many characters.',
  'socket.opened':
    'A WebSocket to a hosted agent or a browser was opened: what for, which machine or target, and by a header, a ticket or a page.',
  'socket.ended':
    'Such a WebSocket ended: bytes both ways, milliseconds; of one to a hosted agent its close code and messages too.',
  'key.rotated': 'The data key or master key was replaced.',
  'storage.pruned':
    'Output, ended requests, grants and asks, or usage were dropped, by age, size or by hand; how many.',
  'storage.low': 'The disk is nearly full: new requests are refused.',
  'storage.recovered': 'The disk has room again.',
  'audit.archived': 'Rows were moved into a sealed file; its name, range, head and digest.',
  'tenant.added': 'The owner of the host added a tenant; told to the tenant `default`.',
  'tenant.changed':
    'The owner of the host gave a tenant another chat, or none; told to the tenant `default`.',
  'tenant.removed':
    'The owner of the host removed a tenant: its keys and all that it had are deleted; told to the tenant `default`.',
  'member.added':
    'A person may decide for the tenant from now on: the channel, their id there, and the role.',
  'member.removed': 'A person may decide for the tenant no longer, as the settings do not name them.',
  'account.added':
    'Somebody signed up, or was invited: the account that this tenant belongs to, and how it came about.',
  'account.password_set': 'A person set the password of their account; their other sessions are over.',
  'account.sign_in_key_added':
    'A key at a provider signs this account in from now on; its last four characters.',
  'account.sign_in_key_removed': 'A key at a provider signs nobody in any more.',
  'account.access_key_added': 'A person made a key for a program of theirs: its name, and what it may.',
  'account.access_key_revoked': 'A key of a program is good no more.',
  'quota.set': 'The owner of the host changed what a tenant may have; told to the tenant `default`.',
  'session.invited': 'A link was made that signs a person in at the console, once; whom, and until when.',
  'session.opened': 'A person signed in at the console: by what, and from which address.',
  'session.ended':
    'A session of the console is good no more: signed out, revoked, or in the place of it there is a new one.',
  'passkey.added': 'A person registered a passkey.',
  'passkey.renamed': 'A person gave a passkey another label.',
  'passkey.removed': 'A person removed a passkey; sessions that it signed in are over.',
  'push.subscribed': 'A browser of a person is told from now on when something waits; by which service.',
  'push.unsubscribed': 'A person ended that a browser of theirs is told.',
  'approval.proved':
    'A passkey signed a decision. What it signed stands once, as `proof` of the verdict, or of the yes (`approval.voted`) that more had to follow.',
  'quorum.set':
    'The owner changed how many persons have to approve what a secret, an agent, an app or a tag covers.',
  'quorum.owner_set': 'The owner said which of the approvers they are, or that they are none of them.',
  'wake.delivered': 'A wake target accepted a wake.',
  'wake.failed': 'A wake target refused or did not answer.',
  'wake.given_up': 'The agent never fetched the outcome and is not woken for it again.',
  'telegram.chat_moved': 'The chat became a supergroup with another id, and is followed there.',
  'telegram.given_up': 'A message to the chat can never be delivered; it was taken out of the queue.',
  'telegram.rejected': 'A message or press of a stranger was ignored.',
} as const

export type AuditEventName = keyof typeof AUDIT_EVENTS
export type { StoredAuditRow }

/** The newest row's id and hash under a MAC of the audit key, so that cutting off the tail shows. */
export interface AuditSeal {
  readonly id: number
  readonly hash: string
  readonly mac: string
}

/** Where the live rows go on from: the last archived row, under a MAC of the audit key. */
export interface AuditAnchor {
  readonly id: number
  readonly hash: string
  /** Of the archive that ends there. */
  readonly digest: string
  readonly mac: string
}

/** Up to which row a check found all good, under a MAC of the audit key. */
export interface AuditCheckpoint {
  readonly id: number
  readonly hash: string
  /** When the check began that read all rows up to here. */
  readonly since: UnixMs
  readonly mac: string
}

/** A sealed file of archived rows. */
export interface AuditArchive {
  readonly name: string
  readonly first: number
  readonly last: number
  /** The hash of the row before the first. */
  readonly previous: string
  /** The hash of the last row. */
  readonly head: string
  /** SHA-256 of its rows' lines. */
  readonly digest: string
  readonly bytes: number
  readonly archivedAt: UnixMs
}

/** The folder of archives. */
export interface AuditArchiveFiles {
  /** When it resolves the file is whole and on disk under its name; when it rejects there is none. */
  write(name: string, text: AsyncIterable<string>): Promise<void>
  /** The file's lines; rejects when there is no such file, or it is no text in lines. */
  lines(name: string): AsyncIterable<string>
  /** Removes files that begin with row `first` and are not listed, and what was never finished. */
  removeFrom(first: number, listed: ReadonlySet<string>): Promise<void>
}

export interface AuditReader {
  /** Rows in order of id, as stored; `data` is the text, since a changed byte must show. */
  rows(afterId: number, limit: number): Promise<readonly StoredAuditRow[]>
  newest(limit: number): Promise<readonly StoredAuditRow[]>
  /** Before a row, the newest first. */
  before(id: number, limit: number): Promise<readonly StoredAuditRow[]>
  /** Those of one execution or access request, the newest first. */
  ofRequest(requestId: string, before: number, limit: number): Promise<readonly StoredAuditRow[]>
  /** The oldest row about it that is in no archive. */
  firstOf(requestId: string): Promise<StoredAuditRow | undefined>
  /** The last row that the index covers, as it does all before it; 0: none. */
  indexedUpTo(): Promise<number>
  /** The last block, none behind `atMost`, in which one of the terms stands; null: none. */
  lastBlockNaming(terms: readonly string[], atMost: number): Promise<number | null>
  /** The last block, none behind `atMost`, that may have rows from `since` on and before `until`; null: none. */
  lastBlockWithin(since: UnixMs | null, until: UnixMs | null, atMost: number): Promise<number | null>
  seal(): Promise<AuditSeal | undefined>
  anchor(): Promise<AuditAnchor | undefined>
  checkpoint(): Promise<AuditCheckpoint | undefined>
  /** By range, the oldest first. */
  archives(): Promise<readonly AuditArchive[]>
}

/** What stands in `BLOCK_ROWS` rows that come one behind the other. */
export interface AuditBlock {
  readonly block: number
  readonly firstAt: UnixMs
  readonly lastAt: UnixMs
  readonly terms: ReadonlySet<string>
}

export interface AuditStore extends AuditReader {
  addBlock(block: AuditBlock): Promise<void>
  insert(row: StoredAuditRow): Promise<void>
  writeSeal(seal: AuditSeal): Promise<void>
  writeAnchor(anchor: AuditAnchor): Promise<void>
  /** Null: there is none any more. */
  writeCheckpoint(checkpoint: AuditCheckpoint | null): Promise<void>
  addArchive(archive: AuditArchive): Promise<void>
  /** Deletes the oldest rows, none beyond `id`; how many. Refused by the table beyond what is archived. */
  deleteUpTo(id: number, limit: number): Promise<number>
}

declare module '../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly audit: StorePort<AuditReader, AuditStore>
  }
}
