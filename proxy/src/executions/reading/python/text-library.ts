import { argument, type Call, taintOfCall } from './arguments.ts'
import { fromJson } from './json.ts'
import type { Machine } from './machine.ts'
import { concat, writings } from './text.ts'
import {
  COMPUTED,
  constant,
  constantsOf,
  join,
  joinAll,
  knownValue,
  mergeTaints,
  NOTHING,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

const OPEN = unknown(taint(COMPUTED))

/** Functions that make text. */
export function textCall(machine: Machine, name: string, call: Call): Value | null {
  const part = (place: number, key: string): Value => argument(call, place, key)
  switch (name) {
    case 'json.dumps':
    case 'simplejson.dumps':
    case 'orjson.dumps':
    case 'ujson.dumps':
      return [{ t: 'json', of: part(0, 'obj'), taint: taintOf(part(0, 'obj')) }]
    case 'json.loads':
    case 'orjson.loads':
    case 'simplejson.loads':
      return joinAll(
        part(0, 's').map((alt): Value => {
          if (alt.t === 'json') return alt.of
          if (alt.t === 'const' && typeof alt.v === 'string') return fromJson(alt.v) ?? OPEN
          return unknown(mergeTaints(taintOf([alt]), taint(COMPUTED)))
        }),
      )
    case 'json.load':
      return unknown(mergeTaints(taintOf(part(0, 'fp')), taint(COMPUTED)))
    case 'json.dump':
      if (part(1, 'fp').some((alt) => alt.t === 'ref' && alt.name.startsWith('sys.std')))
        machine.recorder.secretGoes(taintOfCall(call), 'output')
      return OPEN
    case 'urllib.parse.quote':
    case 'urllib.parse.quote_plus': {
      const texts = constantsOf(part(0, 'string'))
      if (texts !== null)
        return joinAll(
          texts.map((text) =>
            constant(
              quoted(
                String(text),
                name.endsWith('plus') ? '' : String(constantsOf(part(1, 'safe'))?.[0] ?? '/'),
              ),
            ),
          ),
        )
      return unknown(mergeTaints(taintOf(part(0, 'string')), taint(COMPUTED)))
    }
    case 'urllib.parse.urlencode': {
      const pairs = part(0, 'query')
      const [only] = pairs
      if (pairs.length !== 1 || only?.t !== 'dict' || only.rest.length > 0 || only.entries.size > 24)
        return unknown(mergeTaints(taintOf(pairs), taint(COMPUTED)))
      const parts: Value[] = []
      for (const [key, value] of only.entries) {
        const fixed = constantsOf(value)
        parts.push(
          constant(`${parts.length > 0 ? '&' : ''}${quoted(key, '')}=`),
          fixed?.length === 1
            ? constant(quoted(String(fixed[0]), ''))
            : unknown(mergeTaints(taintOf(value), taint(COMPUTED))),
        )
      }
      return concat(parts)
    }
    case 'urllib.parse.urljoin':
      return joinedUrl(part(0, 'base'), part(1, 'url'))
    case 'string.Template':
      return knownValue('template', [['form', part(0, 'template')]])
    case 'operator.add':
    case 'operator.concat':
      return concat([part(0, 'a'), part(1, 'b')])
    case 'typing.cast':
      return part(1, 'val')
    case 'copy.copy':
    case 'copy.deepcopy':
      return part(0, 'x').map((alt) =>
        alt.t === 'dict'
          ? { ...alt, entries: new Map(alt.entries) }
          : alt.t === 'list'
            ? { ...alt, items: [...alt.items] }
            : alt,
      )
    case 'io.StringIO':
    case 'io.BytesIO':
    case 'textwrap.dedent':
    case 'inspect.cleandoc':
    case 'sys.intern':
    case 'html.escape':
      return part(0, 'text')
    case 'builtins.str.maketrans':
      return OPEN
    default:
      return null
  }
}

/** As `urllib.parse.quote` writes text. */
function quoted(text: string, safe: string): string {
  const wide = encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  let out = wide
  for (const char of safe) out = out.replaceAll(encodeURIComponent(char), char)
  return out
}

function joinedUrl(base: Value, url: Value): Value {
  const bases = constantsOf(base)
  return joinAll(
    url.map((alt): Value => {
      const [first] = writings([alt])[0] ?? []
      if (typeof first !== 'string') {
        // The whole address may come from what is joined, so its origin decides.
        return join(unknown(taintOf([alt])), NOTHING)
      }
      if (/^[a-z][\w+.-]*:/i.test(first) || first.startsWith('//'))
        return first.startsWith('//') ? concat([constant('https:'), [alt]]) : [alt]
      const from = bases?.length === 1 ? String(bases[0]) : null
      if (from === null) return concat([base, [alt]])
      try {
        if (alt.t === 'const') return constant(new URL(String(alt.v), from).href, alt.bits)
        const root = first.startsWith('/') ? new URL('/', from).href.slice(0, -1) : new URL('.', from).href
        return concat([constant(root), [alt]])
      } catch {
        return concat([base, [alt]])
      }
    }),
  )
}
