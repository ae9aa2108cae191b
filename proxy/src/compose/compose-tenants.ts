import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Actor } from '../identity/index.ts'
import {
  assertTenantName,
  checkTenantChat,
  isTenantName,
  type Tenant,
  type TenantChat,
} from '../identity/tenants/index.ts'
import {
  AppError,
  createOneAtATime,
  DEFAULT_TENANT,
  newTenantId,
  type Storage,
  type TenantId,
} from '../kernel/index.ts'
import { botOf } from '../notify/bot-api/index.ts'
import { UnknownOutcome } from '../storage/index.ts'
import { bodiesFolderOf } from './compose-claude-runs.ts'
import type { Installation } from './compose-installation.ts'
import { composeTenant, type TenantOverrides, type TenantParts } from './compose-tenant.ts'
import { openTenantCore, type TenantSettings } from './daemon-core.ts'
import { openPurge } from './daemon-tenant-purge.ts'

/** What a tenant's chat is set up from, as it was typed; null for none. */
type ChatInput = Parameters<typeof checkTenantChat>[0] | null

interface ListedTenant extends Omit<Tenant, 'removedAt'> {
  readonly chatId: string | null
  readonly agents: number
  /** Why nothing of it works; null while it does. */
  readonly problem: string | null
}

/** The tenants of a running installation: each with parts of its own, composed at the start or when it is added. */
export interface Tenants extends AsyncDisposable {
  /** Those that are served; the default one first. */
  all(): readonly TenantParts[]
  /** Throws not_found, with the names that there are. */
  named(name: string): TenantParts
  list(): Promise<readonly ListedTenant[]>
  /** `prepare` is done before the tenant counts: what a crash leaves of it goes at the next start. */
  add(
    name: string,
    chat: ChatInput,
    actor: Actor,
    prepare?: (parts: TenantParts) => Promise<void>,
  ): Promise<ListedTenant>
  /** Another chat, or none. Its parts are composed anew: runs of it under way are given their time, and what waits stays. */
  setChat(name: string, chat: ChatInput, actor: Actor): Promise<ListedTenant>
  /** `finished`: false where the rest of its rows goes in the background. */
  remove(name: string, actor: Actor): Promise<{ readonly finished: boolean }>
  /** Composes those that are stored, and goes on with removals that an earlier daemon began. */
  load(): Promise<void>
  /** From here on, whoever is added is started. */
  start(): Promise<void>
}

/** What the daemon does with parts beyond composing them. */
export interface TenantLifecycle {
  start(parts: TenantParts): Promise<AsyncDisposable>
  /** Gives what is under way its time. */
  drain(parts: TenantParts): Promise<void>
}

/** One answer takes no longer. */
const ANSWER_MS = 20_000

interface Served {
  readonly tenant: Tenant
  readonly parts: TenantParts
  running: AsyncDisposable | undefined
  close(): Promise<void>
}

export function createTenants(deps: {
  readonly installation: Installation
  /** The tenant `default`. */
  readonly own: TenantParts
  readonly lifecycle: TenantLifecycle
  readonly overrides: TenantOverrides
}): Tenants {
  const { installation, own, lifecycle } = deps
  const { database, masterKeys, config, clock, log } = installation
  const served = new Map<string, Served>()
  const failed = new Map<string, { readonly tenant: Tenant; readonly problem: string }>()
  const folderOf = (id: TenantId): string => join(config.storage.auditArchiveDirectory, id)
  const purge = openPurge({
    ...installation,
    own,
    removeFiles(id) {
      for (const folder of [folderOf(id), bodiesFolderOf(config, id)])
        rmSync(folder, { recursive: true, force: true })
    },
  })
  let isStarted = false
  /** One change after the other. */
  const inTurn = createOneAtATime()

  const all = (): TenantParts[] => [own, ...[...served.values()].map(({ parts }) => parts)]
  const names = (): string[] => [own.settings.name, ...served.keys(), ...failed.keys()]
  const unknown = (): AppError =>
    new AppError('not_found', `There is no such tenant; there are: ${names().join(', ')}.`)

  const isTaken = (chat: TenantChat, except?: TenantId): boolean => {
    const holder = installation.bots.holderOf(botOf(chat.token))
    return holder !== undefined && (holder.tenant !== except || holder.machine !== null)
  }
  const checked = (chat: ChatInput, except?: TenantId): TenantChat | null => {
    if (chat === null) return null
    const valid = checkTenantChat(chat)
    // Telegram gives each update to one of those who ask with a token: the other one's presses would be lost.
    if (isTaken(valid, except))
      throw new AppError(
        'conflict',
        'Another tenant has this bot, or a hosted agent; make one for this tenant with @BotFather.',
      )
    return valid
  }
  const settingsOf = (
    { id, name }: Pick<Tenant, 'id' | 'name'>,
    chat: TenantChat | null,
  ): TenantSettings => ({
    id,
    name,
    telegram: chat && {
      token: chat.token,
      chatId: chat.chatId,
      approverIds: new Set(chat.approverIds),
      apiRoot: config.telegramApiRoot,
      webhook: null,
    },
    wake: null,
    archiveFolder: folderOf(id),
  })

  /** `chat` undefined: as it is stored. */
  const compose = async (tenant: Tenant, chat?: TenantChat | null): Promise<Served> => {
    const { id } = tenant
    const storage = closable(database.forTenant(id))
    try {
      const keyring = await masterKeys.open(id, storage)
      const core = await openTenantCore(installation, {
        ...{ storage, keyring, archiveFolder: folderOf(id) },
        freeSpace: () => own.freeSpace,
      })
      const stored =
        chat === undefined
          ? await storage.read((tx) => core.chats.read(tx))
          : await storage.transaction(async (tx) => {
              await core.chats.write(tx, chat)
              return chat
            })
      const isFree = stored === null || !isTaken(stored, id)
      if (!isFree)
        log.error(
          { tenant: tenant.name },
          'the bot of this tenant is another one’s or a hosted agent’s too; it is left out',
        )
      const parts = await composeTenant(
        installation,
        core,
        settingsOf(tenant, isFree ? stored : null),
        deps.overrides,
      )
      const one: Served = {
        tenant,
        parts,
        running: undefined,
        async close() {
          try {
            await lifecycle.drain(parts)
            await one.running?.[Symbol.asyncDispose]()
            await parts[Symbol.asyncDispose]()
          } finally {
            storage.close()
            masterKeys.drop(id)
          }
        },
      }
      return one
    } catch (error) {
      storage.close()
      masterKeys.drop(id)
      throw error
    }
  }
  /** The others are served all the same. */
  const fail = (tenant: Tenant, error: unknown): void => {
    const isKnown = error instanceof AppError
    const problem = isKnown ? error.message : 'its parts cannot be put together; see the log'
    const details = { tenant: tenant.name, ...(isKnown ? { reason: problem } : { err: error }) }
    log.error(details, 'this tenant cannot be served')
    failed.set(tenant.name, { tenant, problem })
  }
  /** One that stands and cannot be started is listed with its problem, and holds nothing open. */
  const startOne = async (one: Served): Promise<void> => {
    try {
      one.running = await lifecycle.start(one.parts)
    } catch (error) {
      served.delete(one.tenant.name)
      fail(one.tenant, error)
      await one.close().catch((closing: unknown) => log.error({ err: closing }, 'it did not close either'))
      throw error
    }
  }
  const serve = async (one: Served): Promise<void> => {
    if (isStarted) await startOne(one)
    served.set(one.tenant.name, one)
  }
  const view = ({ tenant, parts }: Pick<Served, 'tenant' | 'parts'>): ListedTenant => ({
    ...{ id: tenant.id, name: tenant.name, createdAt: tenant.createdAt },
    chatId: parts.settings.telegram?.chatId ?? null,
    agents: parts.agents.list().filter(({ revokedAt }) => revokedAt === null).length,
    problem: null,
  })
  const find = (name: string): Served => {
    const one = served.get(name)
    if (one !== undefined) return one
    if (name === own.settings.name)
      throw new AppError(
        'refused',
        'The tenant default is the installation’s own: its settings are the daemon’s.',
      )
    throw failed.has(name) ? new AppError('locked', failed.get(name)?.problem ?? '') : unknown()
  }

  return {
    all,

    named(name) {
      if (name === own.settings.name) return own
      const one = served.get(name)
      if (one !== undefined) return one.parts
      throw isTenantName(name) && failed.has(name)
        ? new AppError('locked', failed.get(name)?.problem ?? '')
        : unknown()
    },

    async list() {
      const rows = await own.storage.read((tx) => tx.tenants.list())
      const ownRow = rows.filter(({ id }) => id === DEFAULT_TENANT)
      const broken = [...failed.values()].map(({ tenant, problem }) => ({
        ...{ id: tenant.id, name: tenant.name, createdAt: tenant.createdAt },
        ...{ chatId: null, agents: 0, problem },
      }))
      return [
        ...ownRow.map((tenant) => view({ tenant, parts: own })),
        ...[...served.values()].map(view),
        ...broken,
      ]
    },

    add: (name, given, actor, prepare) =>
      inTurn(async () => {
        assertTenantName(name)
        if (names().includes(name)) throw new AppError('conflict', `There is a tenant named ${name}.`)
        const chat = checked(given)
        const now = clock.now()
        const tenant: Tenant = { id: newTenantId(), name, createdAt: now, removedAt: null }
        // Counts as removed until all of it stands: what a crash leaves of it goes at the next start, its keys first.
        await own.storage.transaction((tx) => tx.tenants.insert({ ...tenant, removedAt: now }))
        let one: Served | undefined
        try {
          one = await compose(tenant, chat)
          await prepare?.(one.parts)
          await own.storage.transaction(async (tx) => {
            await tx.tenants.confirm(tenant.id)
            const data = { tenant: tenant.id, name, chat: chat?.chatId ?? null }
            await own.audit.append(tx, 'tenant.added', actor, null, data)
          })
        } catch (error) {
          await one?.close()
          // Where the commit got no answer it may be one that stands; the next start knows.
          if (!(error instanceof UnknownOutcome)) await purge.everythingOf(tenant.id)
          throw error
        }
        await serve(one)
        return view(one)
      }),

    setChat: (name, given, actor) =>
      inTurn(async () => {
        const before = find(name)
        const chat = checked(given, before.tenant.id)
        await own.storage.transaction((tx) =>
          own.audit.append(tx, 'tenant.changed', actor, null, {
            ...{ tenant: before.tenant.id, name, chat: chat?.chatId ?? null },
          }),
        )
        // At once: what is under way is given a moment before the rest of its parts go.
        await before.parts.memberships.settle(chat?.approverIds ?? [], actor)
        served.delete(name)
        let one: Served
        try {
          await before.close()
          one = await compose(before.tenant, chat)
        } catch (error) {
          fail(before.tenant, error)
          throw error
        }
        await serve(one)
        return view(one)
      }),

    remove: (name, actor) =>
      inTurn(async () => {
        const tenant = failed.get(name)?.tenant ?? find(name).tenant
        await own.storage.transaction(async (tx) => {
          await tx.tenants.markRemoved(tenant.id, clock.now())
          await own.audit.append(tx, 'tenant.removed', actor, null, { tenant: tenant.id, name })
        })
        const one = served.get(name)
        served.delete(name)
        failed.delete(name)
        await one?.close()
        await purge.keysOf(tenant.id)
        const rest = purge.everythingOf(tenant.id)
        return {
          finished: await Promise.race([rest, delay(ANSWER_MS, false, { ref: false })]),
        }
      }),

    async load() {
      for (const tenant of await own.storage.read((tx) => tx.tenants.list())) {
        if (tenant.id === DEFAULT_TENANT || tenant.removedAt !== null) continue
        try {
          await serve(await compose(tenant))
        } catch (error) {
          fail(tenant, error)
        }
      }
    },

    async start() {
      isStarted = true
      // Why one is not served was told.
      for (const one of [...served.values()]) await startOne(one).catch(() => {})
      for (const { id, removedAt } of await own.storage.read((tx) => tx.tenants.list()))
        if (removedAt !== null) void purge.everythingOf(id)
    },

    async [Symbol.asyncDispose]() {
      await inTurn(async () => {})
      await purge[Symbol.asyncDispose]()
      const ending = [...served.values()].toReversed()
      served.clear()
      for (const { running, parts } of ending) {
        await running?.[Symbol.asyncDispose]()
        await parts[Symbol.asyncDispose]()
      }
    },
  }
}

/** Once closed it takes nothing more: what of a removed tenant ends late must leave no row behind. */
function closable(storage: Storage): Storage & { close(): void } {
  let isClosed = false
  const open = (): Storage => {
    if (isClosed) throw new AppError('storage_unavailable', 'The tenant is not served any more.')
    return storage
  }
  return {
    tenant: storage.tenant,
    transaction: async (work, durability) => await open().transaction(work, durability),
    read: async (work) => await open().read(work),
    flushed: async () => await open().flushed(),
    close() {
      isClosed = true
    },
  }
}
