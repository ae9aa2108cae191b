import type { Action, Actor } from '../../identity/index.ts'
/**
 * The commands, once: `/help`, the menu in Telegram and TELEGRAM-COMMANDS.md are made from this table, and a command
 * without a row here has no handler.
 */
export interface CommandRow {
  readonly args: string
  /** One sentence, as the menu shows it. */
  readonly help: string
  /** Everybody, whoever is in the chat, or who may do this. */
  readonly who: 'anyone' | 'chat' | Action
  /** What else there is to know, for the page. */
  readonly more: string
}

export const COMMANDS = {
  start: {
    args: '',
    help: "Say this chat's id",
    who: 'anyone',
    more: 'Answers with the id of the chat and, in a group, of the one who asks. Nothing else is said to strangers.',
  },
  id: { args: '', help: "Say this chat's id", who: 'anyone', more: 'The same as `/start`.' },
  help: { args: '', help: 'List the commands', who: 'chat', more: '' },
  add_secret: {
    args: 'NAME[:HOSTS] value',
    help: 'Store a secret; the message is deleted at once',
    who: 'secret.write',
    more:
      'Everything behind the one space (or line break) after the name is the value, line breaks included. Telegram itself trims ' +
      'blanks at the end of a message. `/add_secret NAME` asks for the value: reply to the question, and the reply is deleted. ' +
      'If a message cannot be deleted, the bot says so: delete it yourself. In a group the bot deletes only as an administrator. ' +
      '`/add_secret NAME:api.example.com,b.example.com value` binds it to these hosts; without them a name keeps those that it was bound to. ' +
      'A question is good once, and goes when it was answered.',
  },
  list_secrets: { args: '', help: 'List secret names, never values', who: 'secret.list', more: '' },
  remove_secret: {
    args: 'NAME',
    help: 'Remove a secret',
    who: 'secret.remove',
    more: 'A new value under its name goes to no other hosts than the old one.',
  },
  pending: {
    args: '',
    help: 'List what waits for an answer or a secret',
    who: 'approval.list',
    more: 'The numbered buttons bring each card, or the question for the value, back to the end of the chat.',
  },
  trusted: {
    args: '',
    help: 'List active grants: number, agent, secrets, hosts',
    who: 'grant.list',
    more: '',
  },
  revoke: {
    args: 'N',
    help: 'End grant N of /trusted, or PN of /grants',
    who: 'grant.revoke',
    more: "The number is the grant's own; it does not shift. What it lets run and is under way goes on, and is named.",
  },
  add_key: {
    args: 'PROVIDER[:LABEL] value',
    help: "Store a provider's key; the message is deleted at once",
    who: 'provider_key.write',
    more: '`/add_key PROVIDER` asks for the key: reply to the question, and the reply is deleted. A question is good once. A label tells several keys of a provider apart. Tags, weights and models: `oauth3 key add`.',
  },
  keys: { args: '', help: "List providers' keys, never their values", who: 'provider_key.list', more: '' },
  remove_key: { args: 'N', help: 'Remove key N of /keys', who: 'provider_key.remove', more: '' },
  grants: {
    args: '',
    help: 'List which agent may use which provider',
    who: 'grant.list',
    more: 'With models, paths, limits and how long. The numbers begin with P, as in `/revoke P3`.',
  },
  usage: {
    args: '[agent|model|day]',
    help: 'Show tokens and money of today and of 7 days',
    who: 'usage.read',
    more: 'By agent when nothing is named. Days are UTC days; money is what the price table says (`oauth3 price`).',
  },
  providers: { args: '', help: 'List the providers of LLMs that have a key', who: 'provider.list', more: '' },
  audit: {
    args: '[n]',
    help: 'Show the newest audit entries',
    who: 'audit.read',
    more: '10 entries, or up to 30.',
  },
  agents: { args: '', help: 'List agents', who: 'agent.list', more: '' },
  status: { args: '', help: 'Show how the daemon is', who: 'daemon.read', more: '' },
  panic: {
    args: '',
    help: 'Stop everything, after one more press',
    who: 'daemon.panic',
    more: 'Runs end, grants are revoked, what waits is cancelled, and no secret or key is opened until `oauth3 panic end` on the host.',
  },
} as const satisfies Record<string, CommandRow>

export type CommandName = keyof typeof COMMANDS

export const isCommandName = (text: string): text is CommandName => Object.hasOwn(COMMANDS, text)

export interface ParsedCommand {
  readonly name: string
  /** The bot that is addressed, without `@`; null when none is named. */
  readonly bot: string | null
  /** What follows the command and one separating blank, as it was typed. */
  readonly rest: string
}

/** One use of a command, by somebody who may. */
export interface CommandCall {
  readonly rest: string
  readonly actor: Actor
}

export interface CommandReply {
  readonly html: string
  /** Ask for a reply to this very message. */
  readonly forceReply?: boolean
  readonly keyboard?: readonly (readonly { readonly text: string; readonly callback_data: string }[])[]
}

const FORM = /^\/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s([\s\S]*))?$/

export function parseCommand(text: string | undefined): ParsedCommand | undefined {
  const parts = FORM.exec(text ?? '')
  return parts?.[1]
    ? { name: parts[1].toLowerCase(), bot: parts[2] ?? null, rest: parts[3] ?? '' }
    : undefined
}

const usage = (name: string, row: CommandRow): string => `/${name}${row.args === '' ? '' : ` ${row.args}`}`

/** For `/help`, as plain lines. */
export const helpLines = (): readonly string[] =>
  Object.entries(COMMANDS).map(([name, row]) => `${usage(name, row)} — ${row.help}`)

function describeWho(who: CommandRow['who']): string {
  if (who === 'anyone') return 'anyone'
  return who === 'chat' ? 'the configured chat' : 'approvers, in the configured chat'
}

/** TELEGRAM-COMMANDS.md. */
export function renderCommandsPage(): string {
  const rows = Object.entries(COMMANDS).map(([name, row]: [string, CommandRow]) => {
    return `| \`${usage(name, row).replaceAll('|', '\\|')}\` | ${row.help}. | ${describeWho(row.who)} |`
  })
  const notes = Object.entries(COMMANDS)
    .filter(([, row]) => row.more !== '')
    .map(([name, row]) => `- \`/${name}\`: ${row.more}`)
  return `# Telegram commands

<!-- Generated from proxy/src/notify/telegram/commands.ts; a test compares. -->

The bot serves one chat (\`TELEGRAM_CHAT_ID\`). In a group, \`/command@botname\` works as well.

| command | does | who |
|---|---|---|
${rows.join('\n')}

${notes.join('\n')}

## Buttons on a card

| button | does |
|---|---|
| ✅ Run Once | Runs exactly what the card shows, once. |
| ❌ Deny | Refuses it. |
| ⏱ Trust 24h | Runs it, and the same again unasked for 24 hours. |
| ♾ Always Trust | Runs it, and the same again unasked until revoked. |
| ⏹ Stop | Ends what was approved, while it runs or is about to; in the first two seconds it takes one more press. |
| 🔁 Ask again | On what expired: asks the same once more. |
| #️⃣ 1a2b3c… | Tells the whole SHA-256 of the code; decides nothing. |
| ⏱ 24h, any args · ♾ Always, any args | As above with whatever args come; only on cards with args. |

"The same" is the same code for the same agent with the secrets, hosts, methods, paths, requests, time and memory that the card
showed, and with the same args unless "any args" was chosen. More is asked anew, and so is less, which can make code take another branch; the
card leads with what changed.

The line \`Sends\` says what the run may send, what can change things first; the gateway refuses everything else. Warnings stand
above it, the worst first; those that there is no room for are named.

A card that takes several approvals says how many there are (\`1 of 2\`) and keeps its buttons until the last of them. One of high risk
takes a passkey: a yes is given at the console's page that it names, a no by its button as well.

A card that nobody answers is reminded of once, when a quarter of its time is left. Once it has expired it offers 🔁 Ask again: the same comes as a
new card, which is answered like any other. It can be asked again once, and within a day. \`oauth3 approve ID --uses 3 --until 2026-12-31\` gives a
yes with limits, which no button has.

While what a card asked for runs, or is about to, the card has ⏹ Stop, which ends it; what it has sent stays sent, and a grant that was given with it stands. A run of a
grant has no card: stop it at the console, or with \`oauth3 stop ID\`.

Code that does not fit the screen arrives as a file before the card. A card may come twice when the daemon stopped at
the wrong moment: both work, and the first press decides.

## Buttons on a provider's card

The first time an agent uses a provider of LLMs, the bot asks. The agent never sees the provider's key. The line \`Gives\` says what a
grant gives: for a chat, answers and the list of models. Files, batches, stored answers, realtime sessions and later work have a
card each; the account's administration has none (\`oauth3 grant add --groups organization\`).

| button | does |
|---|---|
| ⏱ 1 hour · ⏱ 24 hours | The agent may do that with all of the provider's models for so long. |
| ♾ Always | The same, until revoked. |
| ❌ Deny | Refuses it; the agent may ask again after 10 minutes. |
| ⏱ 24 h, ≤ $1 a day · ♾ Always, ≤ $1 a day | As above, for at most $1 a day; what has no price is refused then. |
| ⏱ 24 h, ≤ 200k tokens · ♾ Always, ≤ 200k a day | As above, for at most 200,000 tokens a day. |
| Only MODEL: 1 h · 24 h · always | As above for the one model that the request named. |

There is no limit on requests, tokens or money unless a button names it, or you set one: \`oauth3 grant limit\`. A grant of all models takes
the place of those that it includes. A new grant comes with the lowest of the limits that stand for the agent at this provider;
a limit counts all that the agent uses there, by whichever grant. Grants that stay beside it keep their own limits,
or none. When a limit is passed, the bot says so once for each window.

## Missing secrets

When approved code needs a secret that is not stored, the bot asks for it. Reply to the question with the value; the
reply is deleted, and the run goes on by itself.

The question says where the value will be able to go: to the hosts that the name was bound to before, else to those that the card
showed. It is good for its request alone. Once that was denied, cancelled, has expired or has what it needs, a reply is deleted and stores
nothing. A question of \`/add_secret NAME\` is good until the secret is stored by any other way.
`
}
