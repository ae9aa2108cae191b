import { graphqlOperation } from '../../../egress/capabilities/index.ts'
import type { RequestFact } from '../../facts/index.ts'
import { fromJson } from './json.ts'
import type { Alt, Value } from './values.ts'

type Operation = RequestFact['graphql']
const DOCUMENT = /^[\s,]*(?:#[^\n]*\n[\s,]*)*(query|mutation|subscription|fragment|\{)/

/** The operation of the GraphQL request that a body is; null when it is none. */
export function graphqlOf(body: Value, path: string | null): Operation {
  let found: Operation = null
  for (const alt of body) found = worse(found, ofAlt(alt))
  if (found === null && path !== null && /\/graphql(?:\.json)?\/?$/i.test(path)) return 'unknown'
  return found
}

const RANK = ['query', 'unknown', 'mutation']
const worse = (a: Operation, b: Operation): Operation =>
  a === null ? b : b === null ? a : RANK.indexOf(a) >= RANK.indexOf(b) ? a : b

function ofAlt(alt: Alt): Operation {
  if (alt.t === 'json') return graphqlOf(alt.of, null)
  if (alt.t === 'const' && typeof alt.v === 'string') {
    if (!/"query"/.test(alt.v)) return null
    const read = fromJson(alt.v)
    return read === null ? null : graphqlOf(read, null)
  }
  if (alt.t === 'list') return alt.items.map((item) => graphqlOf(item, null)).reduce(worse, null)
  if (alt.t !== 'dict') return null
  const document = alt.entries.get('query')
  if (document === undefined) return null
  let found: Operation = null
  for (const one of document) {
    const text =
      one.t === 'const' && typeof one.v === 'string'
        ? one.v
        : one.t === 'text' && typeof one.pieces[0] === 'string'
          ? one.pieces[0]
          : null
    const keyword = text === null ? undefined : DOCUMENT.exec(text)?.[1]
    if (text === null || keyword === undefined) {
      // A search for words is also called `query`: only a document that is computed beside variables may be GraphQL.
      if (alt.entries.has('variables') || alt.entries.has('operationName')) found = worse(found, 'unknown')
      continue
    }
    const written =
      one.t === 'text' ? one.pieces.map((piece) => (typeof piece === 'string' ? piece : ' ')).join('') : text
    // Braces that are filled in are not seen: the document does what it begins with.
    const begun = keyword === 'mutation' ? keyword : 'query'
    found = worse(found, graphqlOperation(written) ?? begun)
    if (one.t === 'text' && found === 'query' && !/^[\s,]*(?:query\b|\{)/.test(text)) found = 'unknown'
  }
  return found
}
