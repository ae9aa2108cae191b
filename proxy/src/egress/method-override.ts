/** Methods and paths that web frameworks take in place of a request's own: from a header, a query, a form or JSON. */
import {
  approvedName,
  decodedBytes,
  hasOddCharset,
  isWideText,
  parametersWith,
  partsOf,
  withoutLetterEscapes,
} from './capabilities/index.ts'

/** Methods that a request claims; `any` where what it claims cannot be told. */
export type ClaimedMethods = readonly string[] | 'any'

const METHOD_HEADERS = new Set(['x_http_method_override', 'x_http_method', 'x_method_override'])
const PATH_HEADERS = new Set(['x_original_url', 'x_rewrite_url'])
/** With these no server takes another method from a body. */
const READING = new Set(['GET', 'HEAD'])
/** What object stores copy from, or rename: S3 and those after it, Google's, Azure's, Swift. */
const COPY_SOURCE = /^x_(?:[a-z]+_)?(?:copy_source|copy_from|rename_source)$/
/** `_method` (most frameworks), `X-HTTP-Method-Override` (ASP.NET), `_HttpMethod` (Salesforce), `$httpMethod` (Google). */
const SURE =
  /^(?:_method|_?_?x_http_method(?:_override)?|x_method_override|[_$]http_?method|_method_override)$/i
/** Rarely an override (Restlet), often an ordinary word, so only with the name of a method that is one. */
const MAYBE = /^(?:http_?)?method(?:_override)?$/i
const COMMON = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/i

/** By what the head of a request says; flat name, value … as node:http gives them. */
export function overridingMethods(path: string, rawHeaders: readonly string[]): ClaimedMethods {
  const methods = valuesIn(rawHeaders, isMethodHeader).flatMap((value) => value.split(','))
  const query = path.indexOf('?')
  const inQuery = query === -1 ? [] : methodsInParameters(path.slice(query + 1))
  return inQuery === 'any' ? inQuery : [...named(methods), ...inQuery]
}

/** Paths, each with its query if it has one, that servers take in place of the one in the request line, or beside it. */
export function furtherPaths(methods: readonly string[], rawHeaders: readonly string[]): string[] {
  // WebDAV's, of COPY and MOVE (RFC 4918, 10.3). A form can ask for these too, and is read later or not at all.
  const hasDestination = methods.some((method) => !READING.has(method))
  const isPath = (name: string): boolean =>
    PATH_HEADERS.has(name) || (hasDestination && name === 'destination')
  return [
    ...valuesIn(rawHeaders, isPath).map(withoutOrigin),
    ...valuesIn(rawHeaders, isCopySource).map((value) => withoutOrigin(value).replace(/^\/?/, '/')),
  ]
}

const isMethodHeader = (name: string): boolean => METHOD_HEADERS.has(name)
const isCopySource = (name: string): boolean => COPY_SOURCE.test(name)
const withoutOrigin = (value: string): string => value.trim().replace(/^https?:\/\/[^/]*/i, '')

/** As CGI writes names, so that what servers take for the same is the same. */
function valuesIn(rawHeaders: readonly string[], isMeant: (name: string) => boolean): string[] {
  const values: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    // Most fields are not of this kind, and are not read further than their first letter.
    if (!/^[dx]/i.test(rawHeaders[at] as string)) continue
    if (isMeant((rawHeaders[at] as string).toLowerCase().replaceAll('-', '_'))) {
      values.push(rawHeaders[at + 1] as string)
    }
  }
  return values
}

const FORM = /^\s*application\/x-www-form-urlencoded\b/i
const MULTIPART = /^\s*multipart\//i

/** Whether frameworks could take a method from such a body; Rack takes one without a type for a form. */
export const mayClaimMethods = (contentType: string): boolean =>
  contentType.trim() === '' ||
  FORM.test(contentType) ||
  MULTIPART.test(contentType) ||
  /json/i.test(contentType)

/** By what a body says; null is a body that is not to be read. */
export function methodsInBody(contentType: string, body: Buffer | null): ClaimedMethods {
  if (body === null) return 'any'
  if (body.length === 0) return []
  if (hasOddCharset(contentType)) return 'any'
  if (MULTIPART.test(contentType)) return methodsInParts(contentType, body)
  const text = body.toString('latin1')
  if (FORM.test(contentType)) return methodsInParameters(text)
  if (isWideText(body)) return 'any'
  const inJson = methodsInJson(text)
  const inForm = contentType.trim() === '' ? methodsInParameters(text) : []
  return inForm === 'any' ? inForm : [...inJson, ...inForm]
}

function methodsInParts(contentType: string, body: Buffer): ClaimedMethods {
  if (!/method/i.test(body.toString('latin1')) && !body.includes('\\') && !body.includes('name*')) return []
  const parts = partsOf(contentType, body)
  return parts?.flatMap(({ name, begins }) => claimed(name, /^[^\r\n]*/.exec(begins)?.[0] ?? '')) ?? 'any'
}

function methodsInJson(text: string): string[] {
  const json = withoutLetterEscapes(text)
  if (!/_method/i.test(json)) return []
  const methods = new Set<string>()
  for (const [, value = ''] of json.matchAll(/["']_method["']\s*:\s*["']([^"']{0,40})/gi)) {
    methods.add(value)
  }
  return named([...methods])
}

function methodsInParameters(text: string): ClaimedMethods {
  const found = parametersWith('method', text)
  return found?.flatMap(([name, value]) => claimed(decodedBytes(name), decodedBytes(value))) ?? 'any'
}

/** PHP leaves blanks before a name out, ends it at a NUL, and writes `_` for what no variable has in its name. */
function claimed(name: string, value: string): string[] {
  const mended = (name.trimStart().split('\0', 1)[0] as string).replace(/[ .[-]/g, '_').trimEnd()
  if (SURE.test(mended)) return named([value])
  return MAYBE.test(mended) && COMMON.test(value.trim()) ? named([value]) : []
}

const named = (methods: readonly string[]): string[] =>
  methods.map((method) => approvedName(method.trim())).filter((method) => /^[A-Z-]{1,32}$/.test(method))
