import type { IncomingMessage, RequestListener } from 'node:http'
import { addressMatcher, type Config } from '../config/index.ts'
import type { AdminApi } from '../http/admin-api/index.ts'
import type { ConsoleTenant } from '../http/console/index.ts'
import { answerApiError, knownError, type PageOrigins } from '../http/index.ts'
import {
  type AccountDirectory,
  type AccountTenant,
  createAccountDirectory,
  type Passwords,
} from '../identity/accounts/index.ts'
import { maxTenants } from '../identity/tenants/index.ts'
import { AppError, lazily, randomToken } from '../kernel/index.ts'
import { createKeyCheck, type KeyCheck, type ProviderKeys } from '../llm/provider-keys/index.ts'
import { VERSION } from '../version.ts'
import type { Composition } from './compose.ts'
import { hasAccountsToken, isAccountsChat } from './compose-front.ts'
import type { TenantParts } from './compose-tenant.ts'

/** Who signs up and in, over all tenants, and what answers them below `/api/`. */
export interface AccountsFront {
  readonly directory: AccountDirectory<ConsoleTenant>
  readonly passwords: Passwords
  viewOf(parts: TenantParts): ConsoleTenant
  /** In front of what answers agents; nothing is taken while nobody may sign up. */
  before(rest: RequestListener): RequestListener
}

interface AccountsDeps {
  readonly config: Pick<Config, 'signUp' | 'publicUrl' | 'trustedProxies'>
  readonly adminApi: (parts: TenantParts) => AdminApi
  readonly pages: PageOrigins
  /** The one that the daemon listens on; known once it listens. */
  readonly port: () => number
}

export function openAccounts(
  parts: Composition,
  { config, adminApi, pages, port }: AccountsDeps,
): AccountsFront {
  const { installation, tenants, storage, freeSpace, log, clock } = parts
  const made = new WeakMap<TenantParts, ConsoleTenant>()
  const viewOf = (of: TenantParts): ConsoleTenant => {
    const known = made.get(of) ?? consoleTenantOf(of, adminApi)
    made.set(of, known)
    return known
  }
  const views = (): ConsoleTenant[] => tenants.all().map(viewOf)
  const keyCheck: KeyCheck = createKeyCheck({
    providers: parts.llm.providers,
    dial: installation.dial,
    clock,
  })
  const directory = createAccountDirectory<ConsoleTenant>({
    mode: config.signUp,
    tenants: views,
    async makeTenant(actor, prepare) {
      const name = tenantName()
      await tenants.add(name, null, actor, (of) => prepare(viewOf(of)))
      return viewOf(tenants.named(name))
    },
    async assertRoom() {
      freeSpace.assertRoom()
      if (tenants.all().length - 1 < (await maxTenants(storage))) return
      throw new AppError('refused', 'There are as many accounts here as there may be; ask the owner.', {
        details: { reason: 'too_many_tenants' },
      })
    },
    checkKey: (provider, key) => keyCheck.check(provider, key),
    providers: keyCheck.providers,
    ...{ passwords: installation.passwords, limits: installation.limits, clock },
  })
  const load = lazily(async () => {
    const { createAccountsApi } = await import('../http/accounts-api/index.ts')
    return createAccountsApi({
      ...{ directory, accessTokens: installation.accessTokens, tenants: views, port, log },
      ...{ publicUrl: config.publicUrl, isTrustedProxy: addressMatcher(config.trustedProxies) },
      version: VERSION,
      ...{ clock, tickets: installation.tickets, pages },
    })
  })
  return {
    directory,
    passwords: installation.passwords,
    viewOf,
    before: (rest) => (request, response) => {
      if (config.signUp === 'closed' || !isForAccounts(request)) return rest(request, response)
      load().then(
        (answer) => answer(request, response),
        (error: unknown) => answerApiError(response, knownError(error, log)),
      )
    },
  }
}

const isForAccounts = ({ url = '', rawHeaders }: IncomingMessage): boolean =>
  /^\/api(?:[/?]|$)/.test(url) ||
  /^\/debug\/(?:processes|logs|version)(?:[/?]|$)/.test(url) ||
  (/^\/cdp(?:[/?]|$)/.test(url) && hasAccountsToken(rawHeaders)) ||
  isAccountsChat(url, rawHeaders)

/** Nothing of the person: names of tenants stand in lists and logs. */
const tenantName = (): string => `u-${Buffer.from(randomToken(64), 'base64url').toString('hex')}`

function consoleTenantOf(parts: TenantParts, adminApi: (parts: TenantParts) => AdminApi): ConsoleTenant {
  const {
    settings,
    storage,
    audit,
    sessions,
    passkeys,
    approvals,
    memberships,
    feed,
    gate,
    accounts,
    llm,
    hosting,
    cdp,
  } = parts
  return {
    ...{ tenant: settings.id, name: settings.name, accounts, providerKeys: broughtKeys(llm.keys) },
    ...{ storage, audit, sessions, passkeys, approvals, memberships, feed, gate, hosting, cdp: cdp.answers },
    api: adminApi(parts),
  }
}

const BROUGHT = /^account(?:-([A-Za-z0-9_-]{4}))?$/

/** Among the tenant's keys, those that its account brought have a label that says so, with the last four characters. */
function broughtKeys(keys: ProviderKeys): AccountTenant['providerKeys'] {
  return {
    add(tx, provider, value, actor) {
      const last4 = value.open().slice(-4)
      const label = /^[A-Za-z0-9_-]{4}$/.test(last4) ? `account-${last4}` : 'account'
      return keys.add(tx, { provider, label, value }, actor)
    },
    has: (id) => keys.list().some((key) => key.id === id),
    list: () =>
      keys.list().map(({ id, provider, label, createdAt }) => {
        const [brought, last4 = null] = BROUGHT.exec(label) ?? []
        return { id, provider, createdAt, isBrought: brought !== undefined, last4 }
      }),
    remove: (tx, id, actor) => keys.remove(tx, id, actor),
  }
}
