import { randomBytes } from 'node:crypto'
import { type ClientRequest, request as requestHttp } from 'node:http'
import type { EgressDial } from '../../egress/index.ts'
import type { Clock, SecretValue, UnixMs } from '../../kernel/index.ts'
import { PROVIDER_TABLE, type Provider, type Providers } from '../providers/index.ts'

/** `unknown`: the vendor gave no answer that tells, or would have said the same of any key. */
type KeyVerdict = 'valid' | 'refused' | 'unknown'

/** Asks a vendor whether a key is good, by a call that needs one. */
export interface KeyCheck {
  check(provider: string, key: SecretValue): Promise<KeyVerdict>
  /** Names of those that can be asked. */
  readonly providers: readonly string[]
}

const TIMEOUT_MS = 10_000
/** How long it counts as known that the call needs a key. */
const PROVEN_MS = 3_600_000

const NAMES = [...PROVIDER_TABLE].flatMap(([name, { keyCheck }]) => (keyCheck === undefined ? [] : [name]))

/**
 * Lists of models are public at some vendors, and behind an address of the owner's anything may answer: so that a 2xx means something,
 * the same call with a key that nobody has must be refused first.
 */
export function createKeyCheck({
  providers,
  dial,
  clock,
}: {
  readonly providers: Pick<Providers, 'find' | 'revision'>
  readonly dial: EgressDial
  readonly clock: Clock
}): KeyCheck {
  const proven = new Map<string, { readonly until: UnixMs; readonly revision: number }>()

  const needsKey = async (provider: Provider, path: string): Promise<boolean> => {
    const known = proven.get(provider.name)
    const now = clock.now()
    if (known !== undefined && now < known.until && known.revision === providers.revision) return true
    const status = await statusFor(provider, path, `${randomBytes(24).toString('base64url')}`)
    if (!isRefusal(status)) return false
    proven.set(provider.name, { until: now + PROVEN_MS, revision: providers.revision })
    return true
  }
  const statusFor = async (provider: Provider, path: string, key: string): Promise<number | undefined> => {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    try {
      return await statusOf(dial, provider, path, key, signal)
    } catch {
      return undefined
    }
  }

  return {
    providers: NAMES,
    async check(name, key) {
      const path = PROVIDER_TABLE.get(name)?.keyCheck
      const provider = providers.find(name)
      if (path === undefined || provider === undefined || 'missing' in provider) return 'refused'
      if (!(await needsKey(provider, path))) return 'unknown'
      const status = await statusFor(provider, path, key.open())
      if (status === 200) return 'valid'
      return isRefusal(status) ? 'refused' : 'unknown'
    },
  }
}

/** 403 may be a country, a firewall or a right that is missing, 429 and 5xx say nothing of the key. */
const isRefusal = (status: number | undefined): boolean => status === 401

async function statusOf(
  dial: EgressDial,
  { scheme, host, port, auth, private: isPrivate, errors }: Provider,
  path: string,
  key: string,
  signal: AbortSignal,
): Promise<number> {
  const approved = isPrivate ? ('private' as const) : new Set<string>()
  const target = { host, port }
  const socket =
    scheme === 'https'
      ? await dial.dialTls(target, approved, signal)
      : await dial.dial(target, approved, signal)
  const usual = port === (scheme === 'https' ? 443 : 80)
  return await new Promise((resolve, reject) => {
    const call: ClientRequest = requestHttp({
      ...{ method: 'GET', path, signal, createConnection: () => socket },
      headers: {
        host: usual ? host : `${host}:${port}`,
        accept: 'application/json',
        connection: 'close',
        ...(auth.kind === 'header' ? { [auth.name]: key } : { authorization: `Bearer ${key}` }),
        ...(errors === 'anthropic' && { 'anthropic-version': '2023-06-01' }),
      },
    })
    call.once('error', reject)
    call.once('response', (response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    call.end()
  })
}
