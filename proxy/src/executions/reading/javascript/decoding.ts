import {
  anything,
  constantOf,
  decodedText,
  items,
  mixed,
  only,
  primitive,
  secretsIn,
  text,
  thing,
  UNDEFINED,
  union,
  unknown,
  type Value,
} from './values.ts'

/** Obfuscation by encoding (base64, percent, JSON, hex) is undone in here: constants are decoded as the program would. */
export function parsed(value: Value): Value {
  const results: Value[] = []
  for (const one of value) {
    if (one.k === 'any' && one.role === 'json' && one.data !== null) results.push(one.data)
    else if (one.k === 'any') results.push(anything(one.from, { secrets: one.secrets, hidden: one.hidden }))
    else {
      const constant = constantOf(one)
      const made = constant !== null && constant.length < 20_000 ? fromJson(constant) : null
      results.push(made ?? [mixed([[one]])])
    }
  }
  return results.length === 0 ? anything('computed') : union(...results)
}

function fromJson(constant: string): Value | null {
  try {
    return fromData(JSON.parse(constant), 6)
  } catch {
    return null
  }
}

function fromData(json: unknown, depth: number): Value {
  if (typeof json === 'string') return text(json)
  if (json === null || typeof json === 'number' || typeof json === 'boolean') return primitive(json)
  if (depth === 0) return anything('computed')
  if (Array.isArray(json)) return items(json.slice(0, 256).map((item) => fromData(item, depth - 1)))
  return [
    thing(
      Object.entries(json as object).map(([key, item]): [string, Value] => [key, fromData(item, depth - 1)]),
    ),
  ]
}

export function encoded(name: string, value: Value): Value {
  return value.flatMap((one): Value => {
    const constant = one.k === 'primitive' ? String(one.value) : constantOf(one)
    if (constant !== null && (name === 'encodeURIComponent' || name === 'escape')) {
      return text(constant.isWellFormed() ? encodeURIComponent(constant) : constant)
    }
    if (constant !== null)
      return primitive(name.endsWith('parseInt') ? Number.parseInt(constant, 10) : Number(constant))
    return [{ ...mixed([[one]]), role: 'atom' }]
  })
}

export function decode(name: string, args: readonly Value[]): Value {
  const [first = UNDEFINED] = args
  if (name.startsWith('String.')) {
    const codes = args.map((arg) =>
      arg.length === 1 && arg[0]?.k === 'primitive' ? Number(arg[0].value) : null,
    )
    if (codes.every((code) => code !== null && code >= 0 && code <= 0x10ffff))
      return decodedText(String.fromCodePoint(...(codes as number[]).map((code) => Math.trunc(code))))
    const whole = mixed(args)
    return [unknown(whole.from === 'computed' ? 'decoded' : whole.from, { secrets: whole.secrets })]
  }
  return first.flatMap((one): Value => {
    const constant = constantOf(one)
    if (constant === null) {
      const whole = mixed([[one]])
      return [unknown(whole.from === 'computed' ? 'decoded' : whole.from, { secrets: whole.secrets })]
    }
    try {
      const made =
        name === 'atob'
          ? atob(constant)
          : name === 'unescape'
            ? unescape(constant)
            : decodeURIComponent(constant)
      return made === constant ? [one] : decodedText(made)
    } catch {
      return anything('decoded')
    }
  })
}

export function bufferFrom(value: Value, encoding: Value): Value {
  const name = only(encoding)?.toLowerCase()
  return value.flatMap((one): Value => {
    const constant = constantOf(one)
    if (name === 'base64' || name === 'base64url' || name === 'hex') {
      if (constant === null || constant.length > 65_536)
        return anything(mixed([[one]]).from === 'computed' ? 'decoded' : mixed([[one]]).from, {
          role: 'bytes',
          secrets: secretsIn([one]),
        })
      return anything('decoded', { role: 'bytes', data: decodedText(Buffer.from(constant, name).toString()) })
    }
    if (one.k === 'items') {
      const codes = one.items.map((item) => (item[0]?.k === 'primitive' ? Number(item[0].value) : Number.NaN))
      if (one.more === null && codes.length < 1024 && codes.every((code) => code >= 0 && code < 256)) {
        return anything('decoded', { role: 'bytes', data: decodedText(Buffer.from(codes).toString()) })
      }
      return anything('decoded', { role: 'bytes' })
    }
    const whole = mixed([[one]])
    return [{ ...whole, role: 'bytes', data: [one] }]
  })
}
