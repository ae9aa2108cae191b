import type { ApprovalView } from '../../approvals/index.ts'
import { type Grant, scopeOfGrant } from '../../approvals/trust/index.ts'
import type { StoredAuditRow } from '../../audit/index.ts'
import { type Actor, describeActor } from '../../identity/index.ts'
import {
  AppError,
  formatHostPattern,
  isReservedName,
  oneLine,
  parseHostPattern,
  SECRET_NAME,
  SecretValue,
  type Tx,
  type UnixMs,
} from '../../kernel/index.ts'
import type { SecretRecord } from '../../vault/index.ts'
import { type CommandCall, type CommandName, type CommandReply, helpLines } from './commands.ts'
import type { TelegramDeps } from './deps.ts'
import { bold, code, escapeHtml, fitLines } from './html.ts'
import { linesHtml } from './lines-message.ts'
import { createLlmCommands } from './llm-commands.ts'
import type { PanicButton } from './panic-button.ts'
import { listOfWaiting, type Waits } from './pending-list.ts'
import { type Asked, type KeySlot, secretPrompt } from './prompts.ts'

/** `/start` and `/id` are answered before this, see messages.ts. */
export type HandledCommand = Exclude<CommandName, 'start' | 'id'>

export type CommandHandlers = Record<
  HandledCommand,
  (call: CommandCall) => CommandReply | Promise<CommandReply>
>

const MAX_LISTED = 30

export function createCommandHandlers(
  deps: TelegramDeps & { readonly panic: PanicButton },
): CommandHandlers & {
  /** The answer to a question for a value; without `asked` the question is from an earlier version. */
  answerSecret(name: string, asked: Asked | undefined, value: string, actor: Actor): Promise<CommandReply>
  /** The answer to a question for a key of this number. */
  answerKey(slot: KeySlot, number: number, value: string, actor: Actor): Promise<CommandReply>
} {
  const { executions, vault, trust, audit, agents, storage, clock } = deps
  const describeWaiting = ({ id, requester, state, status, summary, expiresAt }: ApprovalView): Waits => {
    const who = oneLine(requester.name, 64)
    const minutes = Math.max(0, Math.ceil((expiresAt - clock.now()) / 60_000))
    const mark = state === 'pending' ? '⏳' : `🔑 ${status.replaceAll('_', ' ')}:`
    return {
      line: `${mark} ${linesHtml([summary])} for ${code(who)}, ${minutes} min left, ${code(id.slice(0, 12))}`,
      subject: id,
    }
  }
  const { revokeGrant, ...llm } = createLlmCommands(deps)

  const storeSecret = async (
    tx: Tx,
    name: string,
    hosts: readonly string[] | undefined,
    value: string,
    actor: Actor,
  ): Promise<CommandReply> => stored(await vault.put(tx, name, new SecretValue(value), { hosts, actor }))

  /** A question is good for what it was asked for: what has ended, or was stored since, takes no value any more. */
  const answerSecret = async (
    name: string,
    asked: Asked | undefined,
    value: string,
    actor: Actor,
  ): Promise<CommandReply> => {
    if (asked !== undefined && 'requestId' in asked) {
      return stored(await executions.supplySecret(asked.requestId, name, new SecretValue(value), actor))
    }
    return await storage.transaction(async (tx) => {
      if (asked === undefined || ((await vault.find(tx, name))?.version ?? 0) !== asked.version) {
        throw new AppError(
          'conflict',
          `This question for ${name} is out of date. Nothing was stored; send /add_secret ${name} to be asked again.`,
        )
      }
      return await storeSecret(tx, name, asked.hosts, value, actor)
    })
  }

  return {
    ...llm,
    answerSecret,

    help: () => ({ html: escapeHtml(helpLines().join('\n')) }),

    async add_secret({ rest, actor }) {
      const [, place = '', value = ''] = /^\s*(\S+)(?:\s([\s\S]*))?$/.exec(rest) ?? []
      const [, name = '', list] = /^([^:]*)(?::(.*))?$/s.exec(place) ?? []
      // The name is not repeated: whoever forgets it has typed the value in its place.
      if (!SECRET_NAME.test(name))
        return {
          html: escapeHtml(
            'Send /add_secret NAME value, or /add_secret NAME:host,host value; a name is A–Z a–z 0–9 _.',
          ),
        }
      if (isReservedName(name))
        return { html: escapeHtml("This name steers the runtime and cannot be a secret's name.") }
      const hosts = list === undefined ? undefined : readHosts(list)
      if (hosts === null)
        return {
          html: escapeHtml('The hosts behind the colon are no list like api.example.com,b.example.com.'),
        }
      if (value.trim() !== '')
        return await storage.transaction((tx) => storeSecret(tx, name, hosts, value, actor))
      const version = (await storage.read((tx) => vault.find(tx, name)))?.version ?? 0
      const asked = hosts === undefined ? { version } : { version, hosts }
      return { html: secretPrompt(name, asked), forceReply: true }
    },

    async list_secrets() {
      const lines = (await storage.read((tx) => vault.list(tx))).map((secret) => {
        const hosts = secret.hosts === null ? 'any approved host' : secret.hosts.join(', ') || 'no host'
        return `🔑 ${code(secret.name)} v${secret.version} → ${code(oneLine(hosts, 200))}, ${day(secret.updatedAt)}`
      })
      return { html: lines.length === 0 ? 'No secrets are stored.' : fitLines(lines) }
    },

    async remove_secret({ rest, actor }) {
      const name = rest.trim()
      if (!SECRET_NAME.test(name)) return { html: 'Send /remove_secret NAME.' }
      await vault.remove(name, actor)
      return { html: `🗑 Removed ${code(name)}.` }
    },

    pending: () =>
      storage.read(async (tx) => {
        const waiting = await deps.approvals.list(tx, { which: 'waiting' })
        return await listOfWaiting(tx, waiting.slice(0, MAX_LISTED).map(describeWaiting), deps)
      }),

    async trusted() {
      const lines = (await storage.read((tx) => trust.list(tx))).map((grant) => {
        const until = grant.expiresAt === null ? 'always' : `until ${minute(grant.expiresAt)}`
        const anyArgs = grant.anyArgs ? ', any args' : ''
        const left = grant.maxUses === null ? '' : `, ${grant.maxUses - grant.uses} of ${grant.maxUses} left`
        const what = `${bold(`${grant.id}.`)} ${code(oneLine(grant.skillId, 128))} ${code(grant.codeHash.slice(0, 12))}, ${until}${left}${anyArgs}`
        return `${what}\n${reachOf(grant)}`
      })
      return {
        html: lines.length === 0 ? 'Nothing is trusted.' : fitLines([...lines, 'End one with /revoke N.']),
      }
    },

    async revoke({ rest, actor }) {
      const [, provider = '', digits] = /^\s*#?([pP]?)([0-9]{1,9})\.?\s*$/.exec(rest) ?? []
      if (digits === undefined) {
        return { html: 'Send /revoke N with a number of /trusted, or /revoke PN with one of /grants.' }
      }
      const id = Number(digits)
      if (provider !== '') return await revokeGrant(id, actor)
      const grant = await trust.revoke(id, actor)
      const running = await storage.read((tx) => executions.runningBy(tx, grant))
      return {
        html: fitLines([
          `🛑 Revoked ${bold(`${id}.`)} ${code(oneLine(grant.skillId, 128))}`,
          ...running.map(
            ({ requestId }) => `▶️ Goes on: ${code(`oauth3 stop ${requestId.slice(0, 16)}`)} ends it.`,
          ),
        ]),
      }
    },

    async audit({ rest }) {
      const asked = Number(/^\s*([0-9]{1,3})\s*$/.exec(rest)?.[1] ?? 10)
      const rows = await audit.newest(Math.min(MAX_LISTED, Math.max(1, asked)))
      return {
        html: rows.length === 0 ? 'The audit is empty.' : fitLines(rows.map((row) => auditLine(row, agents))),
      }
    },

    agents() {
      const lines = agents.list().map((agent) => {
        const state = agent.revokedAt === null ? '' : ', revoked'
        return `🤖 ${code(agent.name)} ${code(agent.id)}, since ${day(agent.createdAt)}${state}`
      })
      return { html: lines.length === 0 ? 'There are no agents.' : fitLines(lines) }
    },

    panic: () => deps.panic.offer(),

    async status() {
      const health = await deps.health()
      return {
        html: fitLines([
          `${health.status === 'ok' ? '✅' : '⚠️'} ${bold(health.status)}, version ${escapeHtml(health.version)}, up ${Math.floor(health.uptime_s / 60)} min`,
          `Database ${health.database} (${health.database_engine}) · sandbox ${health.sandbox} · Telegram ${health.telegram}`,
          ...health.notes.map((note) => `• ${escapeHtml(oneLine(note, 300))}`),
        ]),
      }
    },
  }
}

/** Canonical patterns; null for what is no list of hosts. */
function readHosts(list: string): readonly string[] | null {
  const patterns = list.split(',').map(parseHostPattern)
  const hosts = patterns.flatMap((pattern) => ('problem' in pattern ? [] : [formatHostPattern(pattern)]))
  return hosts.length === patterns.length ? hosts : null
}

const stored = ({ name, version, hosts }: SecretRecord): CommandReply => {
  const where = hosts === null ? '' : ` It may go to ${code(oneLine(hosts.join(', '), 500)) || 'no host'}.`
  return { html: `🔑 Stored ${code(name)} (version ${version}).${where}` }
}

/** What a refused command says: the reason for a person, without anything they typed. */
export const refusalText = (error: unknown): string =>
  error instanceof AppError
    ? escapeHtml(oneLine(error.message, 300))
    : "That failed on my side; the daemon's log has the details."

const auditLine = (row: StoredAuditRow, agents: TelegramDeps['agents']): string =>
  `${row.id} ${minute(row.at)} ${code(row.event)} ${code(describeActor(row.actor, (id) => agents.byId(id)?.name ?? id))}${row.requestId === null ? '' : ` ${code(row.requestId.slice(0, 12))}`}`

const minute = (at: UnixMs): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
const day = (at: UnixMs): string => new Date(at).toISOString().slice(0, 10)

/** Below a grant in /trusted: for whom it is, and what it reaches. */
function reachOf(grant: Grant): string {
  const scope = scopeOfGrant(grant)
  if (scope === null) return '   ⚠️ covers nothing: its consent cannot be read'
  const secrets = scope.secrets.join(', ') || 'no secret'
  const hosts = scope.hosts.join(', ') || 'no host'
  return `   🤖 ${code(scope.agent)} 🔑 ${code(oneLine(secrets, 200))} → ${code(oneLine(hosts, 200))}`
}
