import type { KeyUse } from '../provider-keys/index.ts'
import { type Endpoint, type EndpointGroup, endpointOf, type Provider } from '../providers/index.ts'
import { isJsonEndpoint, plainModel } from './request-model.ts'

/** What a request does and names beside what its path and the first level of its body say. */

interface Asked {
  readonly provider: Provider
  readonly method: string
  /** Behind the provider's root. */
  readonly path: string
  readonly query: string
  readonly websocket: boolean
  /** Flat name, value …, names in lower case. */
  readonly headers: readonly string[]
  /** The body asks for an answer that comes later. */
  readonly background: boolean
}

/** A session says what it wants in messages that nobody reads here, and an answer that comes later is no answer. */
export function endpointOfRequest(asked: Asked): Endpoint {
  const { provider, method, path } = asked
  if (asked.websocket) {
    const isInference = endpointOf(provider, 'POST', path).group === 'inference'
    const group = isInference ? 'realtime' : endpointOf(provider, 'GET', path).group
    return { group, metered: false, free: false }
  }
  const endpoint = endpointOf(provider, method, path)
  return endpoint.group === 'inference' && isForLater(asked) ? LATER : endpoint
}

const LATER: Endpoint = { group: 'deferred', metered: false, free: false }

/** Alibaba Cloud's header, Cloudflare's and Hugging Face's query: the request is put into a queue. */
const QUEUES: ReadonlySet<string> = new Set(['queuerequest', '_subdomain'])
const QUEUE_HEADER = 'x-dashscope-async'

function isForLater({ provider, query, headers, background }: Asked): boolean {
  if (background) return true
  if (provider.name === 'qwen' && headers.includes(QUEUE_HEADER)) return true
  return query !== '' && [...new URLSearchParams(query).keys()].some((name) => QUEUES.has(name.toLowerCase()))
}

/** Vendors limit keys by model and by kind of endpoint; names of things that are kept stand behind the first segment. */
export function keyUseOf(asked: {
  readonly method: string
  readonly group: EndpointGroup
  readonly path: string
  readonly model: string
}): KeyUse {
  const { method, group, path, model } = asked
  const place =
    group === 'inference' ? path : path.slice(0, (path.indexOf('/', 1) + 1 || path.length + 1) - 1)
  return { endpoint: `${method} ${place}`, model }
}

/** Headers by which gateways choose a model, and those whose options may do so. */
const MODEL_HEADER = /model|deployment|fallback|engine/
const GATEWAY_HEADER = /^(?:cf-aig-|helicone-|x-portkey-|x-litellm-|x-rout|x-preset)/

/** All that a request names: in its first level, deeper, and in its headers. */
export function allModelsOf(
  provider: Provider,
  first: readonly (string | null)[],
  deeper: readonly (string | null)[],
  headers: readonly string[],
): readonly (string | null)[] {
  const names = new Set<string | null>(first)
  for (const name of deeper) names.add(name === null ? null : plainModel(name))
  for (let at = 0; at < headers.length; at += 2) {
    const header = headers[at] ?? ''
    if (MODEL_HEADER.test(header)) names.add(headers[at + 1] ?? null)
    else if (GATEWAY_HEADER.test(header)) names.add(null)
  }
  // A name anywhere else does not vouch for a request that names none in its place.
  if (first.length === 0 && names.size > 0) names.add(null)
  return [...names].map((name) => (name !== null && isRouter(provider, name) ? null : name))
}

/** A name that stands for whichever model the vendor then takes. */
const isRouter = ({ name: provider }: Provider, name: string): boolean =>
  name.toLowerCase().includes('@preset') ||
  /(?:^|\/)(?:auto|router)$/i.test(name) ||
  (provider === 'openrouter' && /^openrouter\//i.test(name))

/** Whether what was not read may be JSON that a vendor reads all the same: uploads of sound and pictures are forms. */
export const mayBeJson = (path: string, contentType: string): boolean =>
  isJsonEndpoint(path) || !/^(?:multipart\/form-data|audio\/|image\/|video\/)/.test(contentType)

/** Whose texts may stand for files of the account: file-quotes.ts. */
export const mayQuoteFiles = ({ name }: Pick<Provider, 'name'>): boolean => name === 'qwen'
