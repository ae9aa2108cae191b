import type { AuditLog } from '../../audit/index.ts'
import { listedHost } from '../../egress/capabilities/index.ts'
import { type Actor, addressInCidr, assertCidr, variableInToken } from '../../identity/index.ts'
import {
  AppError,
  type AppId,
  bearerTokenOf,
  type Clock,
  createMirror,
  type EventPublisher,
  equalInConstantTime,
  isLoopbackAddress,
  newAppId,
  newToken,
  oneLine,
  type ReadTx,
  SECRET_NAME,
  type Storage,
  sha256Hex,
  type Tx,
} from '../../kernel/index.ts'
import { KNOWN_TOOLS } from '../index.ts'
import { APP_SCOPES, type App, type AppLimits, NO_APP_LIMITS } from './ports.ts'

/** What the owner says of an app; of one that is added, what is left out is what an app has at least. */
export type AppTerms = Partial<
  Pick<
    App,
    | 'cidrs'
    | 'scopes'
    | 'tools'
    | 'secrets'
    | 'network'
    | 'hosts'
    | 'models'
    | 'provider'
    | 'usesSeat'
    | 'keepsPrompts'
  > & {
    /** Those that are named; the others stay. */
    readonly limits: Partial<AppLimits>
  }
>

/** The app's token is good no more: nothing of it that waits or runs does so any longer. */
export interface AppEvent {
  readonly type: 'app.revoked'
  readonly appId: AppId
  readonly actor: Actor
}

export interface Apps {
  /** Once, before anything is asked. */
  load(tx: ReadTx): Promise<void>
  /** The token is in the answer and nowhere else. */
  add(name: string, terms: AppTerms, actor: Actor): Promise<{ readonly app: App; readonly token: string }>
  change(name: string, terms: AppTerms, actor: Actor): Promise<App>
  /** A new token for the same app, whose files, sessions and runs stay its own; the old one is refused at once. */
  rotate(name: string, actor: Actor): Promise<{ readonly app: App; readonly token: string }>
  revoke(name: string, actor: Actor): Promise<App>
  /** `address` in plain form. Throws `unauthenticated` or `address_not_allowed`. */
  authenticate(authorization: string | undefined, address: string): App
  /** Whether the token with this hash was given to an app here; it need not be good any more. */
  hasIssued(tokenSha256: string): boolean
  list(): readonly App[]
  byId(id: AppId): App | undefined
}

const APP_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const MODEL_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}\*?$/
const PROVIDER_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/
const MAX_LISTED = 64
const DEFAULT_PROVIDER = 'anthropic'
/** The vendor of Claude Code, whose subscriptions are good for it. */
const SEAT_PROVIDER = 'anthropic'

/** The token of an Authorization header; undefined where it holds none. */
export const appToken = (authorization: string | undefined): string | undefined =>
  bearerTokenOf('app', authorization)

export function createApps(deps: {
  readonly audit: Pick<AuditLog, 'append'>
  readonly storage: Storage
  readonly clock: Clock
  readonly events: EventPublisher<AppEvent>
  /** Whether the owner has stored the seat of a subscription there. */
  readonly hasSeat: (tx: ReadTx, provider: string) => Promise<boolean>
}): Apps {
  const { audit, storage, clock, events } = deps
  const rows = createMirror(async (tx) => rowsOf(await tx.apps.list()))
  const activeApp = async (tx: ReadTx, name: string): Promise<App> => {
    const app = await tx.apps.byName(name)
    if (!app || app.revokedAt !== null) throw new AppError('not_found', `No app named ${name}.`)
    return app
  }
  /** Throws refused: runs of an app without the seat that it is to go by would fail one after the other. */
  const assertSeat = async (tx: ReadTx, { usesSeat }: AppTerms): Promise<void> => {
    if (usesSeat !== true || (await deps.hasSeat(tx, SEAT_PROVIDER))) return
    throw new AppError(
      'refused',
      'No seat is stored. Run claude setup-token on your own machine, store what it prints by oauth3 key add anthropic --seat, and give it to the app then.',
    )
  }
  const store = async (tx: Tx, app: App): Promise<void> => {
    await tx.apps.update(app)
    await rows.refresh(tx)
  }

  return {
    load: rows.load,

    async add(name, terms, actor) {
      if (!APP_NAME.test(name)) {
        throw new AppError('invalid_request', 'An app name is 1–64 of A–Z a–z 0–9 . _ -')
      }
      const token = newToken('app')
      return await storage.transaction(async (tx) => {
        const existing = await tx.apps.byName(name)
        if (existing && existing.revokedAt === null) {
          throw new AppError(
            'conflict',
            `There is an app named ${name}. A new token for it: oauth3 app rotate ${name}; revoke it first for another app of this name.`,
          )
        }
        const bare = { ...NOTHING_YET, id: newAppId(), name, tokenSha256: sha256Hex(token) }
        const app = withTerms({ ...bare, createdAt: clock.now() }, terms)
        await assertSeat(tx, terms)
        await tx.apps.insert(app)
        await audit.append(tx, 'app.added', actor, null, { app_id: app.id, name, ...told(app) })
        await rows.refresh(tx)
        return { app, token }
      })
    },

    async change(name, terms, actor) {
      return await storage.transaction(async (tx) => {
        const app = withTerms(await activeApp(tx, name), terms)
        await assertSeat(tx, terms)
        await audit.append(tx, 'app.changed', actor, null, { app_id: app.id, name, ...told(app) })
        await store(tx, app)
        return app
      })
    },

    async rotate(name, actor) {
      const token = newToken('app')
      return await storage.transaction(async (tx) => {
        const app = { ...(await activeApp(tx, name)), tokenSha256: sha256Hex(token) }
        await audit.append(tx, 'app.token_rotated', actor, null, { app_id: app.id, name })
        await store(tx, app)
        return { app, token }
      })
    },

    async revoke(name, actor) {
      return await storage.transaction(async (tx) => {
        const app = { ...(await activeApp(tx, name)), revokedAt: clock.now() }
        await audit.append(tx, 'app.revoked', actor, null, { app_id: app.id, name })
        await events.publish(tx, { type: 'app.revoked', appId: app.id, actor })
        await store(tx, app)
        return app
      })
    },

    authenticate(authorization, address) {
      const token = appToken(authorization)
      const presented = token === undefined ? undefined : sha256Hex(token)
      const app = presented === undefined ? undefined : rows.value.byToken.get(presented)
      const isGood =
        app !== undefined &&
        presented !== undefined &&
        app.revokedAt === null &&
        equalInConstantTime(app.tokenSha256, presented)
      if (!isGood) {
        const message = 'Send "Authorization: Bearer cf_…" with a valid token of an app.'
        throw new AppError('unauthenticated', `${message}${variableInToken(authorization)}`)
      }
      const isHere = isLoopbackAddress(address) || app.cidrs.some((cidr) => addressInCidr(address, cidr))
      if (app.cidrs.length > 0 && !isHere) {
        throw new AppError('address_not_allowed', 'This token may not be used from this address.')
      }
      return app
    },

    hasIssued: (tokenSha256) => rows.value.byToken.has(tokenSha256),
    list: () => rows.value.list,
    byId: (id) => rows.value.byId.get(id),
  }
}

interface Rows {
  readonly list: readonly App[]
  readonly byId: ReadonlyMap<AppId, App>
  readonly byToken: ReadonlyMap<string, App>
}

const rowsOf = (list: readonly App[]): Rows => ({
  list,
  byId: new Map(list.map((app) => [app.id, app])),
  byToken: new Map(list.map((app) => [app.tokenSha256, app])),
})

const NOTHING_YET = {
  cidrs: [],
  scopes: APP_SCOPES,
  tools: [],
  secrets: [],
  network: 'off',
  hosts: [],
  models: null,
  provider: DEFAULT_PROVIDER,
  usesSeat: false,
  limits: NO_APP_LIMITS,
  keepsPrompts: false,
  revokedAt: null,
} as const satisfies Partial<App>

/** Of the audit: what it may, and no token. */
const told = (app: App) => {
  const { cidrs, scopes, tools, secrets, network, hosts, models, provider, usesSeat, limits } = app
  return {
    ...{ cidrs, scopes, tools, secrets, network, hosts, models, provider, seat: usesSeat },
    ...{ limits: { ...limits }, keeps_prompts: app.keepsPrompts },
  }
}

/** Throws invalid_request. */
function withTerms(app: App, { limits, ...terms }: AppTerms): App {
  const given = Object.fromEntries(
    Object.entries(terms)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, Array.isArray(value) ? [...new Set(value)] : value]),
  )
  const hosts = terms.hosts === undefined ? app.hosts : [...new Set(terms.hosts.map(listedHost))].sort()
  const changed: App = { ...app, ...given, hosts, limits: withLimits(app.limits, limits ?? {}) }
  for (const cidr of changed.cidrs) assertCidr(cidr)
  if (!PROVIDER_NAME.test(changed.provider))
    throw new AppError('invalid_request', 'A provider is named as in oauth3 provider list.')
  if (changed.usesSeat && changed.provider !== SEAT_PROVIDER)
    throw new AppError('invalid_request', `A seat is one at ${SEAT_PROVIDER}, and at no other provider.`)
  assertTools(terms.tools ?? [])
  if (hosts.length > MAX_LISTED)
    throw new AppError('invalid_request', `At most ${MAX_LISTED} hosts can be listed.`)
  assertWords(changed.secrets ?? [], SECRET_NAME, 'A secret is named as in oauth3 secret list')
  assertWords(changed.models ?? [], MODEL_PATTERN, 'A model is an id, or its beginning with * behind it')
  return changed
}

/** A name that no tool has would be dropped by the CLI without a word. */
function assertTools(tools: readonly string[]): void {
  const unknown = tools.find((name) => !KNOWN_TOOLS.includes(name))
  if (unknown !== undefined)
    throw new AppError(
      'invalid_request',
      `There is no tool ${oneLine(unknown, 64)}. A run can have: ${KNOWN_TOOLS.join(', ')}.`,
    )
}

function assertWords(words: readonly string[], form: RegExp, what: string): void {
  if (words.length > MAX_LISTED || !words.every((word) => form.test(word)))
    throw new AppError('invalid_request', `${what}; at most ${MAX_LISTED} of them.`)
}

function withLimits(before: AppLimits, change: Partial<AppLimits>): AppLimits {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  const limits: AppLimits = { ...before, ...given }
  for (const value of Object.values(limits)) {
    if (value !== null && (!Number.isSafeInteger(value) || value < 1))
      throw new AppError('invalid_request', 'A limit is a whole number of 1 or more.')
  }
  return limits
}
