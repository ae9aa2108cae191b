/**
 * Whether a GraphQL document may change something. It is scanned by the lexical grammar (GraphQL specification of
 * October 2021, section 2) without being understood: one pass, no recursion, and in doubt it is a mutation.
 */
export type GraphqlOperation = 'query' | 'mutation'

const BLOCK_STRING = /"""(?:\\"""|(?!""")[\s\S])*(?:"""|$)/y
const STRING = /"(?:\\[\s\S]|[^"\\\n\r])*(?:"|$)?/y
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
    if (skip(BLOCK_STRING) ?? skip(STRING)) {
      if (depth === 0 && open === null) return isDocument ? verdict() : null
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

/** Whether a path is one at which servers take GraphQL by custom: its last segment is `graphql`, `graphql.json` or `gql`. */
export const isGraphqlPath = (path: string): boolean =>
  /\/(?:graphql|gql)(?:\.json)?\/?$/i.test(path.split('?', 1)[0] as string)

/**
 * What a request's query string or body does as GraphQL; `null` where nothing of it is GraphQL. Servers differ in which member
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
  const { path, body } = request
  const query = path.includes('?') ? path.slice(path.indexOf('?') + 1) : ''
  const inQuery = worst(parameterTexts(query).map(graphqlOperation))
  if (inQuery === 'mutation' || body === null) return 'mutation'
  const texts = body.length === 0 ? [] : bodyTexts(request.contentType, body)
  const inBody = texts && worst(texts.map(graphqlOperation))
  const found = worst([inQuery, inBody])
  if (!isGraphqlPath(path)) return texts === null ? null : found
  const isEmpty = body.length === 0 && query === ''
  return texts === null || (found === null && !isEmpty) || !isEveryDocumentRead(body) ? 'mutation' : found
}

const worst = (operations: readonly (GraphqlOperation | null)[]): GraphqlOperation | null =>
  operations.includes('mutation') ? 'mutation' : operations.includes('query') ? 'query' : null

const parameterTexts = (query: string): string[] => [...new URLSearchParams(query).values()]

/** Every text of a body that a server could take for a document; null when it cannot be read. */
function bodyTexts(contentType: string, body: Buffer): string[] | null {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';')
  const charset = parameters.find((parameter) => parameter.trim().startsWith('charset'))
  if (charset !== undefined && !/=\s*"?(?:utf-?8|us-ascii)"?\s*$/.test(charset)) return [UNREAD]
  if (type.trim() === 'application/graphql') return [body.toString()]
  if (type.trim() === 'application/x-www-form-urlencoded') return parameterTexts(body.toString())
  if (type.trim().startsWith('multipart/')) return body.includes('operations') ? [UNREAD] : null
  // A text without these two holds no mutation, whatever else it holds.
  if (!body.includes('mutation') && !body.includes('\\u') && !body.includes('query')) return null
  return [...body.toString().matchAll(/"(?:\\.|[^"\\])*"/gs)].flatMap(([text]) => jsonText(text))
}

/** Stands for a document that is somewhere in a body in a form that is not looked into. */
const UNREAD = 'mutation { unread }'

function jsonText(text: string): string[] {
  try {
    return [JSON.parse(text) as string]
  } catch {
    return []
  }
}

/** Whether each operation of a JSON body has a document that was understood. */
function isEveryDocumentRead(body: Buffer): boolean {
  if (body.length === 0) return true
  try {
    const value: unknown = JSON.parse(body.toString())
    return [value].flat().every((item: unknown) => {
      const query = (item as { query?: unknown } | null)?.query
      return typeof query === 'string' && graphqlOperation(query) !== null
    })
  } catch {
    return true
  }
}
