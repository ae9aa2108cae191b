import type { Actor } from '../../identity/index.ts'
import { AppError, oneLine, SecretValue, type Tx, type UnixMs } from '../../kernel/index.ts'
import { describeGrant, describeUntil } from '../../llm/provider-access/index.ts'
import type { KeyCooldown } from '../../llm/provider-keys/index.ts'
import type { CommandCall, CommandName, CommandReply } from './commands.ts'
import type { TelegramDeps } from './deps.ts'
import { bold, code, escapeHtml, fitLines } from './html.ts'
import { type KeySlot, keyPrompt, readKeySlot } from './prompts.ts'
import { renderUsage, USAGE_WORDS } from './usage-message.ts'

/** The commands about providers of LLMs: their keys, who may use them, and what was used. */
type LlmCommand = Extract<CommandName, 'add_key' | 'keys' | 'remove_key' | 'grants' | 'usage' | 'providers'>

const DAY_MS = 24 * 3_600_000

export function createLlmCommands(deps: Pick<TelegramDeps, 'llm' | 'agents' | 'clock' | 'storage'>): Record<
  LlmCommand,
  (call: CommandCall) => CommandReply | Promise<CommandReply>
> & {
  answerKey(slot: KeySlot, number: number, value: string, actor: Actor): Promise<CommandReply>
  revokeGrant(id: number, actor: Actor): Promise<CommandReply>
} {
  const { agents, clock, storage } = deps
  const { providers, keys, access, usage } = deps.llm
  const nameOf = (agentId: Parameters<typeof agents.byId>[0]): string => agents.byId(agentId)?.name ?? agentId

  const storeKey = async (
    tx: Tx,
    { provider, label }: KeySlot,
    value: string,
    actor: Actor,
  ): Promise<CommandReply> => {
    // A key has no blanks; those at its ends come from copying it.
    const key = await keys.add(tx, { provider, label, value: new SecretValue(value.trim()) }, actor)
    return {
      html: `🔑 Stored ${code(`${key.id}`)}: ${code(oneLine(key.provider, 64))} ${code(oneLine(key.label, 64))}.`,
    }
  }

  const nextNumber = (): number => Math.max(0, ...keys.list().map(({ id }) => id)) + 1

  return {
    answerKey: (slot, number, value, actor) =>
      storage.transaction(async (tx) => {
        // A question is good once: what it asked for, or another key, was stored since.
        if (number !== nextNumber()) {
          throw new AppError(
            'conflict',
            'This question for a key is out of date. Nothing was stored; send /add_key to be asked again.',
          )
        }
        return await storeKey(tx, slot, value, actor)
      }),

    async add_key({ rest, actor }) {
      const [, place = '', value = ''] = /^\s*(\S+)(?:\s([\s\S]*))?$/.exec(rest) ?? []
      const slot = readKeySlot(place)
      // What was typed is not repeated: whoever forgets the provider has typed the key in its place.
      if (!slot)
        return { html: escapeHtml('Send /add_key PROVIDER value, or /add_key PROVIDER:LABEL value.') }
      if (providers.find(slot.provider) === undefined)
        return { html: 'There is no such provider; see /providers.' }
      return value.trim() === ''
        ? { html: keyPrompt(place, nextNumber()), forceReply: true }
        : await storage.transaction((tx) => storeKey(tx, slot, value, actor))
    },

    keys() {
      const lines = keys.list().map((key) => {
        const facts = [
          ...(key.isSeat ? ['a seat, for apps alone'] : []),
          ...(key.tags.length === 0 ? [] : [`tags ${code(oneLine(key.tags.join(' '), 100))}`]),
          ...(key.weight === 1 ? [] : [`weight ${key.weight}`]),
          ...(key.models === null ? [] : [`for ${code(oneLine(key.models.join(' '), 100))}`]),
          ...(key.cooldown === null ? [] : [describeCooldown(key.cooldown)]),
        ]
        return [
          `${bold(`${key.id}.`)} ${code(oneLine(key.provider, 64))} ${code(oneLine(key.label, 64))}`,
          ...facts,
        ].join(', ')
      })
      return {
        html:
          lines.length === 0 ? 'No keys are stored.' : fitLines([...lines, 'Remove one with /remove_key N.']),
      }
    },

    async remove_key({ rest, actor }) {
      const id = readNumber(rest)
      if (id === undefined) return { html: 'Send /remove_key N with a number of /keys.' }
      const key = await storage.transaction((tx) => keys.remove(tx, id, actor))
      return {
        html: `🗑 Removed ${bold(`${id}.`)} ${code(oneLine(key.provider, 64))} ${code(oneLine(key.label, 64))}`,
      }
    },

    grants() {
      const lines = access.grants().map((grant) => {
        const who = `${code(oneLine(nameOf(grant.agentId), 64))} → ${code(oneLine(grant.provider, 64))}`
        return `${bold(`P${grant.id}.`)} ${who}: ${escapeHtml(describeGrant(grant))}, ${describeUntil(grant)}`
      })
      return {
        html:
          lines.length === 0
            ? 'No agent may use a provider.'
            : fitLines([...lines, 'End one with /revoke P and its number.']),
      }
    },

    async usage({ rest }) {
      const word = rest.trim().toLowerCase() || 'agent'
      const by = USAGE_WORDS.find((known) => known === word)
      if (!by) return { html: `Send /usage ${USAGE_WORDS.join(', /usage ')}.` }
      const today = dayOf(clock.now())
      const week = dayOf(clock.now() - 6 * DAY_MS)
      const report = (since: string) => usage.report(by, since)
      return {
        html: renderUsage(
          by === 'day'
            ? [{ title: 'Last 7 days (UTC)', groups: await report(week) }]
            : [
                { title: 'Today (UTC)', groups: await report(today) },
                { title: 'Last 7 days', groups: await report(week) },
              ],
        ),
      }
    },

    providers() {
      const counts = Map.groupBy(
        keys.list().filter(({ isSeat }) => !isSeat),
        ({ provider }) => provider,
      )
      const all = providers.list()
      const used = all.filter(({ name, own }) => own || counts.has(name))
      const lines = used.map(({ name, url, missing }) => {
        const count = counts.get(name)?.length ?? 0
        const lacks = missing.length === 0 ? '' : `, lacks ${code(missing.join(' '))}`
        return `🧠 ${code(oneLine(name, 64))} ${code(oneLine(url, 120))}, ${count} ${count === 1 ? 'key' : 'keys'}${lacks}`
      })
      const others = all.length - used.length
      return {
        html: fitLines([
          ...lines,
          ...(others === 0
            ? []
            : [`${others} more have no key; ${code('oauth3 provider list')} names them.`]),
        ]),
      }
    },

    async revokeGrant(id, actor) {
      const grant = await access.revoke(id, actor)
      const who = `${code(oneLine(nameOf(grant.agentId), 64))} → ${code(oneLine(grant.provider, 64))}`
      return { html: `🛑 Revoked ${bold(`P${id}.`)} ${who}` }
    },
  }
}

const readNumber = (rest: string): number | undefined => {
  const digits = /^\s*#?([0-9]{1,9})\.?\s*$/.exec(rest)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

const dayOf = (at: UnixMs): string => new Date(at).toISOString().slice(0, 10)
const describeCooldown = ({ until, agents, parts }: KeyCooldown): string =>
  `in cooldown${agents === 0 ? '' : ` for ${agents === 1 ? 'one agent' : `${agents} agents`}`}${
    parts === 0 ? '' : parts === 1 ? ' at one model' : ` at ${parts} models or endpoints`
  } until ${minute(until)}`

const minute = (at: UnixMs): string => `${new Date(at).toISOString().slice(11, 16)} UTC`
