import { remembering } from '../../kernel/index.ts'
import { nameIn, readSegments } from '../providers/index.ts'

/**
 * Which model a request is for. A grant for some models is worth what this file knows: whatever it cannot tell for certain
 * is null, and null is covered by no such grant.
 */
export interface Naming {
  readonly method: string
  /** Behind the provider's root, without query. */
  readonly path: string
  readonly query: string
  readonly websocket: boolean
  /** `unread`: something came, or may come, that was not looked through. */
  readonly body: 'none' | 'read' | 'unread'
  /** What a body that was read names: its model, and others that it may fall back to. */
  readonly inBody: readonly string[]
}

const METHODS_THAT_READ: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])

/** Endpoints whose body says which model they use, and nothing else does. */
const BODY_DECIDES =
  /^(?:\/v[0-9]+[a-z0-9]*)?\/(?:chat\/completions|completions|fim\/completions|responses|messages|messages\/count_tokens|embeddings|moderations|rerank|chat|generate|embed|images\/generations|audio\/speech)$/

/** The same, where the path names the model: Google's, Azure's and Amazon's. */
const JSON_BEHIND_MODEL =
  /\/[^/:]+:[a-z]*(?:content|contents|tokens)$|^\/deployments\/[^/]+\/(?:chat\/completions|completions|embeddings|responses)$|^\/model\/[^/]+\/converse(?:-stream)?$/

export function isJsonEndpoint(path: string): boolean {
  const lower = readable(path).toLowerCase()
  return BODY_DECIDES.test(lower) || JSON_BEHIND_MODEL.test(lower)
}

/** Places in a path that name the model, alone or before what is done with it. */
const PATH_DECIDES = [
  // Gemini and Vertex: …/models/gemini-2.5-pro:streamGenerateContent
  /(?:^|\/)models\/([^/:]+):[a-z]+$/,
  // Azure: /deployments/my-gpt/chat/completions
  /^\/deployments\/([^/:]+)\/(?:chat\/completions|completions|embeddings|images\/generations|audio\/[a-z]+)$/,
  // Bedrock: /model/anthropic.claude-sonnet-4-v1:0/converse
  /^\/model\/([^/]+)\/(?:converse|converse-stream|invoke|invoke-with-response-stream)$/,
]
/** Asks about a model. */
const ABOUT = /^\/models\/([^/:]+)$/
/** A session whose query names the model it will use. */
const REALTIME = /^\/realtime$/

/** Every name, each once; a null among them where there may be one that is not known. */
export function modelsNamed(naming: Naming): (string | null)[] {
  const { method, query, websocket, body, inBody } = naming
  const path = pathOf(naming.path)
  const ofQuery = namesOfQuery(query)
  const names: (string | null)[] = [...inBody, ...ofQuery]
  const ofPath = METHODS_THAT_READ.has(method) ? path.askedModel : path.model
  if (ofPath !== null) names.unshift(ofPath)
  const isCertain = websocket
    ? path.isSession && ofQuery.length === 1
    : body !== 'unread' && (ofPath !== null || isPlain(path.isBodyDeciding, method, body, inBody))
  if (!isCertain && (names.length > 0 || body === 'unread' || websocket)) names.unshift(null)
  if (names.length === 1) return [plain(names[0] as string | null)]
  return [...new Set(names.map(plain))]
}

/** The body alone names the model, or nothing that could use one is asked for. */
function isPlain(
  isBodyDeciding: boolean,
  method: string,
  body: Naming['body'],
  inBody: readonly string[],
): boolean {
  if (isBodyDeciding) return body === 'read' && inBody.length > 0
  return METHODS_THAT_READ.has(method) && body === 'none'
}

/** Decoded once, as the body would name it. */
export const modelOfPath = (path: string, method = 'POST'): string | null =>
  METHODS_THAT_READ.has(method) ? pathOf(path).askedModel : pathOf(path).model

/** What a path says by itself. */
const pathOf = remembering((written) => {
  const path = readable(written)
  const lower = path.toLowerCase()
  return {
    /** The body says which model is used, and nothing else does. */
    isBodyDeciding: BODY_DECIDES.test(lower),
    isSession: REALTIME.test(lower),
    /** Of a request that uses it, and of one that may also ask about it. */
    model: modelAt(path, PATH_DECIDES),
    askedModel: modelAt(path, [...PATH_DECIDES, ABOUT]),
  }
})

function modelAt(path: string, forms: readonly RegExp[]): string | null {
  const lower = path.toLowerCase()
  if (!lower.includes('/model') && !lower.includes('/deployments/')) return null
  for (const form of forms) {
    const found = form.exec(lower)
    // As it was written: only the words around it are read without case.
    if (found?.[1] !== undefined) {
      const at = found.index + found[0].indexOf(`/${found[1]}`) + 1
      return nameIn(path.slice(at, at + found[1].length))
    }
  }
  return null
}

/** Realtime sessions name it there; elsewhere such a name is evaluated, and names no model. */
export function namesOfQuery(query: string): string[] {
  if (query === '' || !/model|deployment|fallback|engine|%/i.test(query)) return []
  return [...new URLSearchParams(query)].flatMap(([name, value]) =>
    /model|deployment|fallback|engine/i.test(name) ? [value] : [],
  )
}

/** Gemini's bodies say `models/NAME` for what its paths call NAME. */
export const plainModel = (name: string): string =>
  name.startsWith(MODELS) ? name.slice(MODELS.length) : name
const MODELS = 'models/'

const plain = (name: string | null): string | null => (name === null ? null : plainModel(name))

/** As whoever routes by it reads it. */
const readable = (path: string): string => readSegments(path) ?? path
