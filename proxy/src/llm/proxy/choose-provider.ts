import { nameIn, type Provider, type Providers, readSegments } from '../providers/index.ts'
import type { Splice } from '../usage/index.ts'
import { chooseByModel, type Reading } from './read-head.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import { modelOfPath, namesOfQuery } from './request-model.ts'
import type { Body } from './whole-body.ts'

interface ChoosingDeps {
  readonly providers: Providers
  /** Those that a model's name alone may lead to. */
  readonly usable: () => readonly Provider[]
}

/** By the model's name; `provider/model` loses its first half on the way. */
export function chooseProvider(
  reading: Reading,
  method: string,
  body: Body,
  splices: Splice[],
  deps: ChoosingDeps,
): { readonly provider: Provider; readonly rest: string } | LlmRefusal {
  const { rest } = reading
  const [ofQuery = null] = namesOfQuery(reading.credential.query)
  const ofPath = modelOfPath(rest, method) ?? (method === 'GET' ? modelAskedAbout(rest) : null)
  const model = body.scan?.model ?? ofPath ?? ofQuery
  if (model === null) {
    const message = 'This path needs a body that names a model; or write /llm/<provider>/… in its place.'
    return refused('unknown_provider', message)
  }
  const chosen = chooseByModel(model, deps.providers, deps.usable())
  if ('code' in chosen) return chosen
  if (chosen.model !== model) {
    if (body.scan?.model == null && ofPath === model) {
      return { provider: chosen.provider, rest: withoutProvider(rest, chosen.provider.name) }
    }
    if (body.whole === null || body.scan?.modelAt == null) {
      const message = `Write /llm/${chosen.provider.name}/… for this path, and the model without its provider.`
      return refused('unknown_provider', message)
    }
    // The body's own token was taken out of it already.
    const { token } = reading.credential
    const name = token === null ? chosen.model : chosen.model.replaceAll(token, '*')
    splices.push({ ...body.scan.modelAt, text: JSON.stringify(name) })
    body.scan = { ...body.scan, model: chosen.model }
  }
  return { provider: chosen.provider, rest }
}

/** As the list of all providers' models names it: OpenAI's SDKs encode its slash, curl does not. */
const modelAskedAbout = (rest: string): string | null => {
  const asked = /^\/v1\/models\/([^/]+(?:\/[^/]+)*)$/.exec(rest)?.[1]
  return asked === undefined ? null : nameIn(readSegments(asked) ?? asked)
}

/** `/v1/models/google%2Fgemini-3` is `/v1/models/gemini-3` there; the name stands only where a model's does. */
const withoutProvider = (rest: string, provider: string): string =>
  rest.replace(new RegExp(`(/models/)${provider}(?:/|%2f)`, 'i'), '$1')
