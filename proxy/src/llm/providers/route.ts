import { wordSet } from '../../kernel/index.ts'
import type { Provider, Providers } from './ports.ts'

/** Which vendor a request is for: by its path, or by the model that it names. */

/** First segments of the API itself behind `/v1`, which no provider may be called. */
export const API_WORDS: ReadonlySet<string> = wordSet(`
  assistants audio batches chat completions containers conversations embeddings evals files fine_tuning
  images messages models moderations organization organizations realtime rerank responses threads uploads
  vector_stores videos`)

export const PROVIDER_NAME = /^[a-z][a-z0-9-]{0,31}$/

export type Route =
  /** The name may be one that nobody knows. */
  | { readonly kind: 'provider'; readonly provider: string; readonly rest: string }
  | { readonly kind: 'model'; readonly rest: string }

/** Reads a normalised path; null when it is none of the proxy's. */
export function routeOf(path: string, providers: Pick<Providers, 'find'>): Route | null {
  const [, endpoint, first = '', rest = ''] = /^\/(llm|v1)\/([^/]+)(\/.*)?$/.exec(path) ?? []
  if (endpoint === undefined) return null
  if (endpoint === 'v1' && API_WORDS.has(first) && providers.find(first) === undefined) {
    return { kind: 'model', rest: path }
  }
  return PROVIDER_NAME.test(first) ? { kind: 'provider', provider: first, rest } : null
}

/** Models that anybody may serve, though their names begin as a vendor's own do. */
const OPEN_MODELS = ['gpt-oss']

export type ModelRoute =
  | { readonly provider: Provider; readonly model: string }
  | { readonly problem: 'unknown' | 'ambiguous'; readonly candidates: readonly string[] }

/** `vendor/model`, or a name whose beginning is one vendor's alone among those that can be used. */
export function providerOfModel(model: string, usable: readonly Provider[]): ModelRoute {
  const slash = model.indexOf('/')
  if (slash > 0 && slash < model.length - 1) {
    const named = usable.find(({ name }) => name === model.slice(0, slash))
    if (named) return { provider: named, model: model.slice(slash + 1) }
  }
  const best = { length: 0, providers: [] as Provider[] }
  for (const provider of isOpen(model) ? [] : usable) {
    const length = Math.max(
      0,
      ...provider.models.filter((start) => model.startsWith(start)).map((start) => start.length),
    )
    if (length === 0 || length < best.length) continue
    best.providers = length === best.length ? [...best.providers, provider] : [provider]
    best.length = length
  }
  const [only] = best.providers
  if (only && best.providers.length === 1) return { provider: only, model }
  return {
    problem: only ? 'ambiguous' : 'unknown',
    candidates: best.providers.map(({ name }) => name),
  }
}

/** `name:tag` is how those write a model who serve the open ones on their own machine. */
const isOpen = (model: string): boolean =>
  OPEN_MODELS.some((start) => model.startsWith(start)) || /^(?!ft:)[^/:]+:/.test(model)
