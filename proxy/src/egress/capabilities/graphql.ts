import { type Part, partsOf } from './multipart.ts'
import {
  beginsAsJson,
  decodedBytes,
  hasOddCharset,
  isWideText,
  jsonTextsWith,
  parametersWith,
  unescaped,
  withoutLetterEscapes,
} from './texts.ts'

/**
 * Whether a GraphQL document may change something. It is scanned by the lexical grammar (GraphQL specification of
 * September 2025, section 2) without being understood: one pass, no recursion, and in doubt it is a mutation.
 */
export type GraphqlOperation = 'query' | 'mutation'

const STRING_PART = /[^"\\\n\r]*/y
const COMMENT = /#[^\n\r]*/y
const IGNORED = /[\s\ufeff,]+/y
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y

const OPERATIONS = new Set(['query', 'mutation', 'subscription', 'fragment'])

/** Null when the text is no executable document: it does not begin with `{` or a keyword that a `{` follows. */
export function graphqlOperation(text: string): GraphqlOperation | null {
  let depth = 0
  let at = 0
  let isDocument = false
  let isMutation = false
  /** The keyword whose selection set has not begun yet. */
  let open: string | null = null
  const skip = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    const [found] = pattern.exec(text) ?? []
    if (found === undefined || found === '') return null
    at += found.length
    return found
  }
  while (at < text.length) {
    if (skip(IGNORED) ?? skip(COMMENT)) continue
    if (text[at] === '"') {
      // Between the definitions it describes the next one.
      at = endOfString(text, at)
      continue
    }
    const name = skip(NAME)
    if (name !== null) {
      if (depth > 0 || open !== null) continue
      if (!OPERATIONS.has(name)) return isDocument ? verdict() : null
      open = name
      continue
    }
    const mark = text[at] as string
    at += 1
    if (mark === '{') {
      if (depth === 0) {
        isDocument = true
        isMutation ||= open === 'mutation'
        open = null
      }
      depth += 1
    } else if (mark === '(') depth += 1
    else if (mark === '}' || mark === ')') depth = Math.max(0, depth - 1)
    else if (depth === 0 && open === null) return isDocument ? verdict() : null
    else if (open !== null && depth === 0 && !'@:$!=[]|&'.includes(mark)) open = null
  }
  return verdict()

  function verdict(): GraphqlOperation | null {
    if (!isDocument) return null
    return isMutation ? 'mutation' : 'query'
  }
}

/** Behind a string of either kind; an open one ends with its line, or with the text. */
function endOfString(text: string, start: number): number {
  if (text.startsWith('"""', start)) {
    for (let end = text.indexOf('"""', start + 3); end !== -1; end = text.indexOf('"""', end + 3)) {
      if (text[end - 1] !== '\\') return end + 3
    }
    return text.length
  }
  for (let at = start + 1; ; at += 2) {
    STRING_PART.lastIndex = at
    STRING_PART.test(text)
    at = STRING_PART.lastIndex
    if (text[at] !== '\\') return text[at] === '"' ? at + 1 : at
  }
}

/** Whether a path is one at which servers take GraphQL by custom: its last segment is `graphql`, `graphql.json` or `gql`. */
export const isGraphqlPath = (path: string): boolean => {
  const plain = decodedBytes(path.split('?', 1)[0] as string).replace(/;[^/]*/g, '')
  return /\/(?:graphql|gql)(?:\.json)?\/?$/i.test(plain)
}

/**
 * What a request's query string or body does as GraphQL; `null` where nothing says that it is. Servers differ in which member
 * they take for the document (case, duplicates, batches), so every text in it counts. Where the path says that it is GraphQL, what
 * cannot be read (persisted documents, uploads) may be a mutation; a body that is not to be read at all may be one anywhere.
 */
export function operationOfRequest(request: {
  readonly path: string
  /** As it was sent; empty when none was. */
  readonly contentType: string
  /** Null when it is compressed, too large, or otherwise not to be read; empty when there is none. */
  readonly body: Buffer | null
}): GraphqlOperation | null {
  const { path, body, contentType } = request
  const query = path.includes('?') ? path.slice(path.indexOf('?') + 1) : ''
  if (body === null || holdsMutation(query) || isMutationBody(contentType, body)) return 'mutation'
  if (!isGraphqlPath(path) || (body.length === 0 && query === '')) return null
  return isEveryDocumentRead(query, contentType, body) ? 'query' : 'mutation'
}

/** Whether a parameter of a query or form is a mutation. */
const holdsMutation = (parameters: string): boolean =>
  parametersWith('mutation', parameters)?.some(
    ([, value]) => graphqlOperation(decodedBytes(value)) === 'mutation',
  ) ?? true

const FORM = /^\s*application\/x-www-form-urlencoded\b/i
const MULTIPART = /^\s*multipart\//i

/** Whether a text of the body is a mutation, or is in a form that is not looked into and could be one. */
function isMutationBody(contentType: string, body: Buffer): boolean {
  if (body.length === 0) return false
  if (hasOddCharset(contentType)) return true
  if (MULTIPART.test(contentType)) {
    if (body.includes('operations') || (partsOf(contentType, body)?.some(isOperations) ?? true)) return true
    const written = body.toString()
    return beginsAsJson(written) && isMutationText(contentType, written)
  }
  if (isWideText(body)) return true
  const written = body.toString()
  return (FORM.test(contentType) && holdsMutation(written)) || isMutationText(contentType, written)
}

/** Whether it is one as a document or as JSON, which some servers read whatever the type says, and no further than the first value. */
function isMutationText(contentType: string, written: string): boolean {
  const text = withoutLetterEscapes(written)
  if (!text.includes('mutation')) return false
  if (graphqlOperation(text) === 'mutation') return true
  const found = jsonTextsWith('mutation', text)
  if (found === null) return true
  return (
    found.texts.some((one) => graphqlOperation(unescaped(one)) === 'mutation') ||
    (found.isCut && /json|^\s*$/i.test(contentType))
  )
}

/** By the GraphQL multipart request specification. */
const isOperations = ({ name }: Part): boolean => /operations/i.test(name)

/** Forms of a GraphQL request that are longer hold a document that nobody reads. */
const MAX_FORM_BYTES = 65_536

/** Whether each operation has a document that was understood. */
function isEveryDocumentRead(query: string, contentType: string, body: Buffer): boolean {
  const isDocument = (text: unknown): boolean => typeof text === 'string' && graphqlOperation(text) !== null
  if (body.length === 0) return [...new URLSearchParams(query).values()].some(isDocument)
  if (MULTIPART.test(contentType)) return false
  const text = body.toString()
  if (FORM.test(contentType)) {
    if (body.length > MAX_FORM_BYTES || beginsAsJson(text)) return false
    return [...new URLSearchParams(text).values()].some(isDocument)
  }
  try {
    const value: unknown = JSON.parse(text)
    return [value].flat().every((item: unknown) => isDocument((item as { query?: unknown } | null)?.query))
  } catch {
    // An object of JSON with something behind it, which some servers leave out, is no selection.
    return isDocument(text) && !/^[\s\ufeff,]*\{\s*["}]/.test(text)
  }
}
