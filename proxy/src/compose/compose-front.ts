import type { IncomingMessage, RequestListener } from 'node:http'
import { TENANT_HEADER } from '../contracts/admin/index.ts'
import { type AdminApi, ownerAtSocket } from '../http/admin-api/index.ts'
import { answerApiError, knownError } from '../http/index.ts'
import { bearerToken } from '../identity/agents/index.ts'
import { sha256Hex, TOKEN_PREFIX } from '../kernel/index.ts'
import { identityOf, isLlmTarget, type LlmRequest, writeUnreadable } from '../llm/proxy/index.ts'
import type { TenantParts } from './compose-tenant.ts'
import type { Tenants } from './compose-tenants.ts'
import type { FrontSurface, UpgradeSurface } from './daemon-servers.ts'

/**
 * Whose request it is, before anything of it is evaluated: agents' tokens are unique over all tenants, and found by their hash, so that
 * the time tells nothing of a token. A stranger's request is the default tenant's to refuse. With one tenant nothing is looked at.
 */
export function createFront(
  tenants: Pick<Tenants, 'all'>,
  isForAccounts: (url: string, rawHeaders: readonly string[]) => boolean,
): {
  readonly app: RequestListener
  readonly llm: FrontSurface
  readonly cdp: UpgradeSurface
} {
  const holder = (token: string | undefined): TenantParts | undefined => {
    if (token === undefined) return undefined
    const hash = sha256Hex(token)
    return tenants.all().find(({ agents }) => agents.hasIssued(hash))
  }
  const orDefault = (find: () => TenantParts | undefined): TenantParts => {
    const all = tenants.all()
    return (all.length === 1 ? undefined : find()) ?? (all[0] as TenantParts)
  }
  const ofApp = ({ headers }: IncomingMessage): TenantParts =>
    orDefault(() => holder(bearerToken(headers.authorization)))
  const ofLlm = (request: LlmRequest): TenantParts =>
    orDefault(() => {
      const identity = identityOf(request)
      if (identity === undefined) return undefined
      return 'token' in identity
        ? holder(identity.token)
        : tenants.all().find(({ llmProxy }) => llmProxy.hasUpload(identity.upload))
    })
  const ofCdp = (url: string): TenantParts | undefined => tenants.all().find(({ cdp }) => cdp.knows(url))
  return {
    cdp: {
      takes: (url) => url.startsWith('/cdp/devtools/'),
      upgrade(request, socket, head) {
        // One that nobody knows is the first one's to refuse.
        const { cdp } = ofCdp(request.url ?? '') ?? (tenants.all()[0] as TenantParts)
        cdp.upgrade(request, socket, head)
      },
    },
    app: (request, response) => ofApp(request).app(request, response),
    llm: {
      takes: (url, rawHeaders) => isLlmTarget(url) && !isForAccounts(url, rawHeaders),
      unreadable: writeUnreadable,
      request: (request, response) => ofLlm(request).llmProxy.request(request, response),
      upgrade: (request, socket, head) => ofLlm(request).llmProxy.upgrade(request, socket, head),
    },
  }
}

/** An account's access token or key: agents have tokens of another form for the same paths. */
const ACCOUNTS_BEARER = new RegExp(
  String.raw`^Bearer (?:${TOKEN_PREFIX.access_key}|[\w-]+\.[\w-]+\.[\w-]+$)`,
  'i',
)

export function hasAccountsToken(rawHeaders: readonly string[]): boolean {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization')
  return at >= 0 && ACCOUNTS_BEARER.test(rawHeaders[at + 1] ?? '')
}

/** What clients of OpenAI's send as an account's, in the place of an agent's. */
export const isAccountsChat = (url: string, rawHeaders: readonly string[]): boolean =>
  /^\/v1\/chat\/completions\/?(?:\?|$)/.test(url) && hasAccountsToken(rawHeaders)

/** The owner of the host speaks for every tenant. */
export function createAdminFront(
  tenants: Pick<Tenants, 'named'>,
  adminApi: (parts: TenantParts) => AdminApi,
  log: { error(details: object, message: string): void },
): RequestListener {
  const owners = new WeakMap<TenantParts, ReturnType<typeof ownerAtSocket>>()
  return (request, response) => {
    try {
      const parts = tenants.named(String(request.headers[TENANT_HEADER] ?? 'default'))
      const owner = owners.get(parts) ?? ownerAtSocket(parts.settings.id)
      owners.set(parts, owner)
      adminApi(parts).handle(request, response, () => owner)
    } catch (error) {
      answerApiError(response, knownError(error, log))
    }
  }
}
