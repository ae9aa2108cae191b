import type { StoredAuditRow } from '../../domain/audit/index.ts'
import { WAITING_STATES } from '../../domain/executions/index.ts'
import { type Grant, scopeOfGrant } from '../../domain/trust/index.ts'
import type { SecretRecord } from '../../domain/vault/index.ts'
import {
  type AgentId,
  AppError,
  formatHostPattern,
  isReservedName,
  oneLine,
  parseHostPattern,
  SECRET_NAME,
  SecretValue,
  type UnixMs,
} from '../../kernel/index.ts'
import { type CommandCall, type CommandName, type CommandReply, helpLines } from './commands.ts'
import type { TelegramDeps } from './deps.ts'
import { bold, code, escapeHtml, fitLines } from './html.ts'
import { createLlmCommands } from './llm-commands.ts'
import { listOfWaiting, type Waits } from './pending-list.ts'
import { type Asked, type KeySlot, secretPrompt } from './prompts.ts'

/** `/start` and `/id` are answered before this, see messages.ts. */
export type HandledCommand = Exclude<CommandName, 'start' | 'id'>

export type CommandHandlers = Record<
  HandledCommand,
  (call: CommandCall) => CommandReply | Promise<CommandReply>
>

const MAX_LISTED = 30

export function createCommandHandlers(deps: TelegramDeps): CommandHandlers & {
  /** The answer to a question for a value; without `asked` the question is from an earlier version. */
  answerSecret(name: string, asked: Asked | undefined, value: string, actor: string): CommandReply
  /** The answer to a question for a key of this number. */
  answerKey(slot: KeySlot, number: number, value: string, actor: string): CommandReply
} {
  const { executions, vault, trust, audit, agents, clock } = deps
  const { pendingAsks, revokeGrant, ...llm } = createLlmCommands(deps)

  const storeSecret = (
    name: string,
    hosts: readonly string[] | undefined,
    value: string,
    actor: string,
  ): CommandReply => stored(vault.put(name, new SecretValue(value), { hosts, actor }))

  /** A question is good for what it was asked for: what has ended, or was stored since, takes no value any more. */
  const answerSecret = (
    name: string,
    asked: Asked | undefined,
    value: string,
    actor: string,
  ): CommandReply => {
    if (asked !== undefined && 'requestId' in asked) {
      return stored(executions.supplySecret(asked.requestId, name, new SecretValue(value), actor))
    }
    if (asked === undefined || (vault.find(name)?.version ?? 0) !== asked.version) {
      throw new AppError(
        'conflict',
        `This question for ${name} is out of date. Nothing was stored; send /add_secret ${name} to be asked again.`,
      )
    }
    return storeSecret(name, asked.hosts, value, actor)
  }

  return {
    ...llm,
    answerSecret,

    help: () => ({ html: escapeHtml(helpLines().join('\n')) }),

    add_secret({ rest, actor }) {
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
      if (value.trim() !== '') return storeSecret(name, hosts, value, actor)
      const version = vault.find(name)?.version ?? 0
      const asked = hosts === undefined ? { version } : { version, hosts }
      return { html: secretPrompt(name, asked), forceReply: true }
    },

    list_secrets() {
      const lines = vault.list().map((secret) => {
        const hosts = secret.hosts === null ? 'any approved host' : secret.hosts.join(', ') || 'no host'
        return `🔑 ${code(secret.name)} v${secret.version} → ${code(oneLine(hosts, 200))}, ${day(secret.updatedAt)}`
      })
      return { html: lines.length === 0 ? 'No secrets are stored.' : fitLines(lines) }
    },

    remove_secret({ rest, actor }) {
      const name = rest.trim()
      if (!SECRET_NAME.test(name)) return { html: 'Send /remove_secret NAME.' }
      vault.remove(name, actor)
      return { html: `🗑 Removed ${code(name)}.` }
    },

    pending() {
      const waiting = executions.list({ statuses: WAITING_STATES, limit: MAX_LISTED })
      const requests = waiting.map((execution): Waits => {
        const agent = agents.byId(execution.agentId)?.name ?? execution.agentId
        const minutes = Math.max(0, Math.ceil((execution.expiresAt - clock.now()) / 60_000))
        const state = execution.status === 'pending' ? '⏳' : '🔑 needs a secret:'
        return {
          line: `${state} ${code(oneLine(execution.skillId, 128))} for ${code(agent)}, ${minutes} min left, ${code(execution.requestId.slice(0, 12))}`,
          subject: execution.requestId,
        }
      })
      return listOfWaiting([...pendingAsks(), ...requests], deps)
    },

    trusted() {
      const lines = trust.list().map((grant) => {
        const until = grant.expiresAt === null ? 'always' : `until ${minute(grant.expiresAt)}`
        const anyArgs = grant.anyArgs ? ', any args' : ''
        const what = `${bold(`${grant.id}.`)} ${code(oneLine(grant.skillId, 128))} ${code(grant.codeHash.slice(0, 12))}, ${until}${anyArgs}`
        return `${what}\n${reachOf(grant)}`
      })
      return {
        html: lines.length === 0 ? 'Nothing is trusted.' : fitLines([...lines, 'End one with /revoke N.']),
      }
    },

    revoke({ rest, actor }) {
      const [, provider = '', digits] = /^\s*#?([pP]?)([0-9]{1,9})\.?\s*$/.exec(rest) ?? []
      if (digits === undefined) {
        return { html: 'Send /revoke N with a number of /trusted, or /revoke PN with one of /grants.' }
      }
      const id = Number(digits)
      if (provider !== '') return revokeGrant(id, actor)
      const grant = trust.revoke(id, actor)
      return { html: `🛑 Revoked ${bold(`${id}.`)} ${code(oneLine(grant.skillId, 128))}` }
    },

    audit({ rest }) {
      const asked = Number(/^\s*([0-9]{1,3})\s*$/.exec(rest)?.[1] ?? 10)
      const rows = audit.newest(Math.min(MAX_LISTED, Math.max(1, asked)))
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

    async status() {
      const health = await deps.health()
      return {
        html: fitLines([
          `${health.status === 'ok' ? '✅' : '⚠️'} ${bold(health.status)}, version ${escapeHtml(health.version)}, up ${Math.floor(health.uptime_s / 60)} min`,
          `Database ${health.database} · sandbox ${health.sandbox} · Telegram ${health.telegram}`,
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

/** Agents by their names. */
const actorOf = ({ actor }: StoredAuditRow, agents: TelegramDeps['agents']): string => {
  const id = actor.startsWith('agent:') ? actor.slice('agent:'.length) : undefined
  return id === undefined ? actor : `agent:${agents.byId(id as AgentId)?.name ?? id}`
}

const auditLine = (row: StoredAuditRow, agents: TelegramDeps['agents']): string =>
  `${row.id} ${minute(row.at)} ${code(row.event)} ${code(actorOf(row, agents))}${row.requestId === null ? '' : ` ${code(row.requestId.slice(0, 12))}`}`

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
