/** The operation of a GraphQL document, `mutation` when any of its operations is one; null for other text. */
export function graphqlOperation(document: string): 'query' | 'mutation' | null {
  let depth = 0
  let found: 'query' | 'mutation' | null = null
  let isFirst = true
  const tokens =
    /#[^\n\r]*|"""(?:[^"]|"(?!""))*(?:"""|$)|"(?:[^"\\\n]|\\.)*(?:"|$|\n)|[{}()[\]]|[A-Za-z_][A-Za-z0-9_]*|[^\s,\ufeff]/g
  for (const [token] of document.matchAll(tokens)) {
    if (token.startsWith('#')) continue
    if (isFirst) {
      isFirst = false
      if (!/^(?:query|mutation|subscription|fragment|\{|""?"?)/.test(token) || !document.includes('{'))
        return null
    }
    if (token === '{' || token === '(' || token === '[') {
      if (depth === 0 && token === '{') found ??= 'query'
      depth++
    } else if (token === '}' || token === ')' || token === ']') depth--
    else if (depth === 0) {
      if (token === 'mutation') return 'mutation'
      if (token === 'query' || token === 'subscription') found ??= 'query'
    }
  }
  return found
}
