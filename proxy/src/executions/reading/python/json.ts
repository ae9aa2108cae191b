import { constant, listOfItems, NOTHING, type Value } from './values.ts'

/** The value that JSON text says; null when it is none, or too large to follow. */
export function fromJson(text: string): Value | null {
  if (text.length > 65_536) return null
  try {
    return fromData(JSON.parse(text), 0)
  } catch {
    return null
  }
}

function fromData(data: unknown, depth: number): Value {
  if (depth > 20) return NOTHING
  if (Array.isArray(data)) return listOfItems(data.map((item) => fromData(item, depth + 1)))
  if (typeof data === 'object' && data !== null)
    return [
      {
        t: 'dict',
        entries: new Map(Object.entries(data).map(([key, item]) => [key, fromData(item, depth + 1)])),
        rest: NOTHING,
      },
    ]
  return constant(data as string | number | boolean | null)
}
