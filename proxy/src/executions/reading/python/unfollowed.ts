/**
 * Metaprogramming, over-approximated: parts of Python that change what a name, an attribute or a request is behind the back
 * of whoever reads the lines, and that the reader does not model: with one of them in a program nothing narrower than any
 * request can be told.
 */
const WORDS: ReadonlySet<string> = new Set(
  // How attributes are looked up and classes are made (Python reference, 3.3.2 and 3.3.3).
  (
    '__get__ __set__ __set_name__ metaclass __init_subclass__ __prepare__ __mro_entries__ mro __mro__ ' +
    // What a function is made of.
    '__defaults__ __kwdefaults__ __code__ __closure__ singledispatch singledispatchmethod ' +
    // Handlers of urllib that edit or replace a request on its way.
    'http_request https_request http_open https_open default_open unknown_open ExitStack AsyncExitStack'
  ).split(' '),
)

/** No ReDoS: no two parts of one may match the same blanks, so each is linear on any text. */
const PATTERNS: readonly RegExp[] = [
  // Parts of a request that are set behind its making; `self.host` is a client's own field.
  /(?<!\bself)(?<!\bcls)\.(?:full_url|selector|host|origin_req_host)\s*=(?!=)/,
  /\bvars\([^()\n]{0,100}\)\s*[.[]/,
  /__dict__\s*(?:\[|\.\s*(?:update|setdefault)\b)/,
  /\bsetattr\(\s*sys\.modules\b|\bglobals\(\)\s*(?:\[|\.\s*update\b)/,
  /\.rotate\(/,
  /\.__class__\s*=(?!=)|\.__bases__\s*=(?!=)/,
  // A name that is bound inside a comprehension is bound outside of it too (PEP 572).
  /\[\s*(?:\(\s*)?\w+\s*:=/,
  // Two classes of the program's own above another: which one answers is a question of their order.
  /^[ \t]*class\s+\w+\(\s*[A-Z]\w*\s*,\s*[A-Z]\w*\s*\)\s*:/m,
]

/** The offset of the first of them; -1 without one. `words` are the program's identifiers with their offsets. */
export function unfollowedAt(text: string, words: ReadonlyMap<string, readonly number[]>): number {
  const offsets: number[] = []
  for (const word of WORDS) {
    const [first] = words.get(word) ?? []
    if (first !== undefined) offsets.push(first)
  }
  for (const pattern of PATTERNS) {
    const found = pattern.exec(text)
    if (found !== null) offsets.push(found.index)
  }
  return offsets.length === 0 ? -1 : Math.min(...offsets)
}
