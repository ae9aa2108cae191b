import { overridingMethods } from '../../egress/index.ts'
import { wordSet } from '../../kernel/index.ts'

/**
 * Parameters of a query by which the vendor would read another request than the one that was evaluated. Google's APIs take
 * the method, the content type, the headers and the body of a request from its query (docs.cloud.google.com/apis/docs/system-parameters;
 * `goog.net.rpc.HttpCors` for `$httpHeaders`). Their names begin with a dollar sign, which no parameter of an LLM's does,
 * so only those pass that are known to change nothing but the form of the answer or whom it is counted for.
 */
const HARMLESS: ReadonlySet<string> = wordSet(`
  $alt $apiversion $.xgafv $callback $fields $outputdefaults $prettyprint $unique $quotauser $userproject`)

/** How the first such parameter is written; null when there is none. */
export function overridingParameter(query: string): string | null {
  if (query === '' || !/[$%]|method/i.test(query)) return null
  for (const part of query.split(/[&;]/)) {
    const name = decoded(part.split('=', 1)[0] as string).trim()
    if (name.startsWith('$') && !HARMLESS.has(name.toLowerCase())) return name.slice(0, 64)
  }
  const methods = overridingMethods(`?${query}`, [])
  return methods === 'any' || methods.length > 0 ? 'the name of a method' : null
}

/** As it is when it is not valid percent-encoding. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
