/** Methods that web frameworks take in place of a request's own: a header, or `_method` in a query or a form. */
import { approvedName } from '../capabilities/index.ts'

const HEADERS = new Set(['x-http-method-override', 'x-http-method', 'x-method-override'])
const PARAMETER = /^_?(?:http)?_?method(?:_override)?$/i

/** By what the head of a request says; flat name, value … as node:http gives them. */
export function overridingMethods(path: string, rawHeaders: readonly string[]): string[] {
  const methods: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (HEADERS.has((rawHeaders[at] as string).toLowerCase())) methods.push(rawHeaders[at + 1] as string)
  }
  const query = path.indexOf('?')
  if (query !== -1) methods.push(...methodsInParameters(path.slice(query + 1)))
  return named(methods)
}

export const isForm = (contentType: string): boolean =>
  /^\s*(?:application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(contentType)

/** By what a form says, of either type. */
export function methodsInForm(body: Buffer): string[] {
  const text = body.toString('latin1')
  const parts = text.matchAll(
    /name="?_?(?:http)?_?method(?:_override)?"?[^\r\n]{0,200}\r?\n(?:[^\r\n]{1,200}\r?\n){0,8}\r?\n([^\r\n]{0,32})/gi,
  )
  return named([...[...parts].map(([, value = '']) => value), ...methodsInParameters(text)])
}

function methodsInParameters(text: string): string[] {
  // Most say no such word, plain or encoded, and need not be taken apart.
  if (!/method|%/i.test(text)) return []
  return [...new URLSearchParams(text)].filter(([name]) => PARAMETER.test(name)).map(([, value]) => value)
}

const named = (methods: readonly string[]): string[] =>
  methods.map((method) => approvedName(method.trim())).filter((method) => /^[A-Z-]{1,32}$/.test(method))
