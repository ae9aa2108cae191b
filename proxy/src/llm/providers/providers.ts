import type { AuditLog } from '../../audit/index.ts'
import type { Actor } from '../../identity/index.ts'
import {
  AppError,
  type Clock,
  createMirror,
  DEFAULT_TENANT,
  type EventPublisher,
  type HostPattern,
  isIpLiteral,
  isPublicAddress,
  parseHostPattern,
  type Storage,
  wordSet,
} from '../../kernel/index.ts'
import { normalisePath } from './path.ts'
import type {
  OwnProvider,
  Provider,
  ProviderAuth,
  ProviderListing,
  ProviderReader,
  ProviderRow,
  Providers,
} from './ports.ts'
import { API_WORDS, PROVIDER_NAME } from './route.ts'
import { PROVIDER_TABLE } from './table.ts'

const PARAM_VALUE = /^[a-z0-9][a-z0-9-]{0,62}$/
const HEADER_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/
/** Fields that frame the request or that the proxy writes itself. */
const NO_KEY_HEADERS = wordSet(`
  connection content-encoding content-length content-type cookie expect host keep-alive proxy-authorization
  proxy-connection te trailer transfer-encoding upgrade`)

interface Entry {
  readonly listing: ProviderListing
  readonly found: Provider | { readonly missing: readonly string[] }
}

/** An own provider is gone. What belongs to its name goes with it: whoever takes the name later inherits nothing. */
export interface ProviderEvent {
  readonly type: 'provider.removed'
  readonly name: string
  readonly actor: Actor
}

/** The vendors of the table and the owner's own. A look-up costs no disk. */
export function createProviders(deps: {
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  readonly events: EventPublisher<ProviderEvent>
}): Providers {
  const { audit, storage, events, clock } = deps
  const entries = createMirror(async (tx) =>
    entriesOf(await tx.providers.params(), await tx.providers.own(), tx.tenant === DEFAULT_TENANT),
  )

  return {
    load: entries.load,
    get revision() {
      return entries.revision
    },

    find: (name) => entries.value.get(name)?.found,
    list: () => [...entries.value.values()].map(({ listing }) => listing),

    async add(input, actor) {
      assertName(input.name)
      assertAuth(input.auth)
      const own: OwnProvider = { ...input, createdAt: clock.now() }
      const provider = ownProvider(own)
      assertPublic(provider)
      await storage.transaction(async (tx) => {
        if ((await tx.providers.own()).some(({ name }) => name === input.name)) {
          throw new AppError('conflict', `There is a provider named ${input.name}; remove it first.`)
        }
        await tx.providers.insert(own)
        await audit.append(tx, 'provider.added', actor, null, {
          name: own.name,
          url: own.url,
          auth: { ...own.auth },
          errors: own.errors,
          private: own.private,
        })
        await entries.refresh(tx)
      })
      return provider
    },

    async remove(name, actor) {
      await storage.transaction(async (tx) => {
        if (!(await tx.providers.own()).some((own) => own.name === name)) {
          throw new AppError(
            'not_found',
            PROVIDER_TABLE.has(name)
              ? `${name} is built in and cannot be removed.`
              : `No provider named ${name} was added.`,
          )
        }
        await tx.providers.remove(name)
        await audit.append(tx, 'provider.removed', actor, null, { name })
        await events.publish(tx, { type: 'provider.removed', name, actor })
        await entries.refresh(tx)
      })
    },

    async setParam(provider, name, value, actor, options = {}) {
      await storage.transaction(async (tx) => {
        const row = PROVIDER_TABLE.get(provider)
        const isOwn = row === undefined && (await tx.providers.own()).some((own) => own.name === provider)
        const isKnown = row?.params?.includes(name) === true
        if (
          !isKnown &&
          !(name === URL_PARAM && row !== undefined) &&
          !(name === USAGE_PARAM && (row ?? isOwn))
        ) {
          if (row === undefined && !isOwn)
            throw new AppError('not_found', `There is no provider ${provider}.`)
          const takes = [...(row?.params ?? []), ...(row === undefined ? [] : [URL_PARAM]), USAGE_PARAM]
          throw new AppError(
            'not_found',
            `There is no parameter ${name}; the provider ${provider} takes ${takes.join(', ')}.`,
          )
        }
        const isPrivate = options.private === true
        if (row !== undefined && name === URL_PARAM) assertMoved(provider, row, value, isPrivate)
        else if (isPrivate) throw new AppError('invalid_request', 'Only an address can be private.')
        else if (name === USAGE_PARAM) assertSwitch(value)
        else if (!PARAM_VALUE.test(value) || value.endsWith('-')) {
          throw new AppError('invalid_request', 'A parameter is 1–63 of a–z 0–9 -, and - is not at an end.')
        }
        await tx.providers.setParam(provider, name, value)
        if (name === URL_PARAM) await tx.providers.setParam(provider, PRIVATE_PARAM, isPrivate ? 'yes' : 'no')
        await audit.append(tx, 'provider.changed', actor, null, {
          ...{ provider, name, value },
          ...(isPrivate ? { private: true } : {}),
        })
        await entries.refresh(tx)
      })
    },
  }
}

/** Beside the parameters of the table, under names that none of those has. */
const URL_PARAM = 'url'
const PRIVATE_PARAM = 'url_private'
const USAGE_PARAM = 'include_usage'
const DEFAULT = 'default'

function assertSwitch(value: string): void {
  if (!/^(?:on|off|default)$/.test(value)) {
    throw new AppError('invalid_request', `${USAGE_PARAM} is on, off or default.`)
  }
}

function assertMoved(name: string, row: ProviderRow, url: string, isPrivate: boolean): void {
  if (url === DEFAULT) return
  const { found } = tableEntry(name, row, new Map([[URL_PARAM, url]]), false)
  if ('missing' in found) throw new AppError('internal', `${name} has no address.`)
  assertPublic({ ...found, private: isPrivate })
}

const withSwitch = (provider: Provider, value: string | undefined): Provider =>
  value === 'on' || value === 'off' ? { ...provider, includeUsage: value === 'on' } : provider

function entriesOf(
  params: Awaited<ReturnType<ProviderReader['params']>>,
  ownOnes: readonly OwnProvider[],
  isOfHost: boolean,
): ReadonlyMap<string, Entry> {
  const values = new Map(params.map(({ provider, name, value }) => [`${provider} ${name}`, value]))
  const entries = new Map<string, Entry>()
  for (const [name, row] of PROVIDER_TABLE) {
    const filled = new Map<string, string>()
    for (const param of [...(row.params ?? []), URL_PARAM, PRIVATE_PARAM, USAGE_PARAM]) {
      const value = values.get(`${name} ${param}`)
      if (value !== undefined) filled.set(param, value)
    }
    entries.set(name, tableEntry(name, row, filled, isOfHost))
  }
  for (const own of ownOnes) {
    const provider = withSwitch(ownProvider(own), values.get(`${own.name} ${USAGE_PARAM}`))
    // A name that the table has taken since is the table's.
    if (entries.has(own.name)) continue
    entries.set(own.name, { found: provider, listing: listingOf(provider, own.url, []) })
  }
  return entries
}

function tableEntry(
  name: string,
  row: ProviderRow,
  filled: ReadonlyMap<string, string>,
  isOfHost: boolean,
): Entry {
  const given = filled.get(URL_PARAM) ?? DEFAULT
  const moved = given === DEFAULT ? null : movedTo(given, row.roots)
  // SSRF: what stands on the host is not another tenant's, until the host's owner gives it the address.
  const isHosts = row.origin.startsWith('http://') && !isOfHost
  const needed = isHosts ? [URL_PARAM] : (row.params ?? []).filter((param) => !filled.has(param))
  const missing = moved === null ? needed : []
  const fill = (text: string): string =>
    text.replace(/\{([a-z]+)\}/g, (whole, param) => filled.get(param) ?? whole)
  const shown = {
    name,
    auth: row.auth,
    own: false,
    moved: moved !== null,
    private: moved === null ? row.origin.startsWith('http://') : filled.get(PRIVATE_PARAM) === 'yes',
  }
  const url = moved === null ? fill(row.origin + (row.roots[0] ?? '')) : given
  if (missing.length > 0) return { found: { missing }, listing: { ...shown, url, missing } }
  const { scheme, host, port } = readOrigin(moved?.origin ?? fill(row.origin))
  const { moved: _, ...ofProvider } = shown
  const base: Provider = {
    ...ofProvider,
    scheme,
    host,
    port,
    roots: moved?.roots ?? row.roots.map(fill),
    errors: row.errors,
    models: row.models ?? [],
    includeUsage: row.includeUsage ?? false,
    reportsCost: row.reportsCost ?? false,
    ...(row.seat === undefined ? {} : { seat: row.seat }),
  }
  const provider = withSwitch(base, filled.get(USAGE_PARAM))
  return { found: provider, listing: { ...listingOf(provider, url, missing), moved: moved !== null } }
}

/**
 * The address stands in place of the one that the provider is listed with, its usual root included. Where it ends in that root, the others
 * are found below the same beginning; a gateway that has the API elsewhere has this one alone.
 */
function movedTo(
  url: string,
  roots: readonly string[],
): { readonly origin: string; readonly roots: readonly string[] } {
  const { origin, root } = readUrl(url)
  const usual = roots[0] ?? ''
  if (usual.includes('{') || !root.endsWith(usual)) return { origin, roots: [root] }
  const beginning = root.slice(0, root.length - usual.length)
  return { origin, roots: roots.filter((one) => !one.includes('{')).map((one) => beginning + one) }
}

const listingOf = (provider: Provider, url: string, missing: readonly string[]): ProviderListing => ({
  name: provider.name,
  url,
  auth: provider.auth,
  own: provider.own,
  moved: false,
  private: provider.private,
  missing,
})

/** Reads what the owner gave; throws invalid_request for anything but an address and perhaps a path. */
function ownProvider(own: OwnProvider): Provider {
  const { origin, root } = readUrl(own.url)
  const { scheme, host, port } = readOrigin(origin)
  return {
    name: own.name,
    scheme,
    host,
    port,
    roots: [root],
    auth: own.auth,
    errors: own.errors,
    models: [],
    // Those who follow OpenAI by their own server know it, and what is not told cannot be counted.
    includeUsage: own.errors === 'openai',
    reportsCost: false,
    private: own.private,
    own: true,
  }
}

function readUrl(url: string): { readonly origin: string; readonly root: string } {
  const [, origin, path = ''] = /^(https?:\/\/[^/?#\\@]+)(\/[^?#]*)?$/i.exec(url) ?? []
  if (origin === undefined) {
    throw new AppError(
      'invalid_request',
      'A provider is at https://host[:port][/path], without user, query or #.',
    )
  }
  const normalised = normalisePath(path || '/')
  if ('problem' in normalised) throw new AppError('invalid_request', `The path ${normalised.problem}.`)
  return { origin, root: path.replace(/\/$/, '') }
}

function readOrigin(origin: string): HostPattern {
  const pattern = parseHostPattern(origin)
  if ('problem' in pattern) throw new AppError('invalid_request', `The host ${pattern.problem}.`)
  if (pattern.wildcard) throw new AppError('invalid_request', 'A provider is one host, not a pattern.')
  return pattern
}

function assertPublic({ private: isPrivate, scheme, host }: Provider): void {
  if (isPrivate) return
  if (scheme === 'http') {
    throw new AppError(
      'invalid_request',
      'Plain http:// is only for a provider that is private; say that it is (--private).',
    )
  }
  if ((isIpLiteral(host) && !isPublicAddress(host)) || /(?:^|\.)localhost$/.test(host)) {
    throw new AppError(
      'invalid_request',
      `${host} is a private address; say that the provider is private (--private).`,
    )
  }
}

function assertName(name: string): void {
  if (!PROVIDER_NAME.test(name)) {
    throw new AppError('invalid_request', 'A provider name is 1–32 of a–z 0–9 - and begins with a letter.')
  }
  if (PROVIDER_TABLE.has(name)) throw new AppError('conflict', `${name} is built in.`)
  if (API_WORDS.has(name)) {
    throw new AppError('invalid_request', `${name} is a path of the API and cannot be a provider's name.`)
  }
}

function assertAuth(auth: ProviderAuth): void {
  if (auth.kind !== 'header') return
  if (!HEADER_NAME.test(auth.name) || NO_KEY_HEADERS.has(auth.name)) {
    throw new AppError(
      'invalid_request',
      `${auth.name} is no header that can carry a key (write it in lower case).`,
    )
  }
}
