import { wordSet } from '../kernel/index.ts'
/** What HTTP says about header fields: which are legal, and which belong to one connection only (RFC 9110, 7.6.1). */

export interface HeaderField {
  /** Lower case. */
  readonly name: string
  readonly value: string
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

const HOP_BY_HOP = wordSet('connection http2-settings keep-alive te trailer transfer-encoding upgrade')

/** Fields that are for the other end: who lists one in `Connection` wants it lost on the way. */
const END_TO_END =
  /^(host|authorization|cookie|cookie2|set-cookie|date|expect|forwarded|origin|range|referer|user-agent|via|vary)$|^(accept|access-control|cache|content|if|sec|x-forwarded)-|^accept$/

export const isToken = (text: string): boolean => TOKEN.test(text)

export const isHopByHop = (name: string): boolean => HOP_BY_HOP.has(name) || name.startsWith('proxy-')

/** Flat name, value … as fields; null when one of them holds a character that no field may hold. */
export function readFields(rawHeaders: readonly string[]): HeaderField[] | null {
  const fields: HeaderField[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const value = rawHeaders[at + 1] ?? ''
    if (!TOKEN.test(name) || !VALUE.test(value)) return null
    fields.push({ name: name.toLowerCase(), value })
  }
  return fields
}

/** Names that `Connection` lists, without its own options. Null when it lists something that is not its to list. */
export function namedByConnection(fields: readonly HeaderField[]): Set<string> | null {
  const names = new Set<string>()
  for (const { name, value } of fields) {
    if (name !== 'connection') continue
    for (const part of value.split(',')) {
      const listed = part.trim().toLowerCase()
      if (listed === '') continue
      if (!TOKEN.test(listed) || END_TO_END.test(listed)) return null
      names.add(listed)
    }
  }
  return names
}

/** All values of a name; several fields are several values. */
export function valuesOf(fields: readonly HeaderField[], name: string): string[] {
  const values: string[] = []
  for (const field of fields) if (field.name === name) values.push(field.value)
  return values
}

export function flat(fields: readonly HeaderField[]): string[] {
  const all: string[] = []
  for (const { name, value } of fields) all.push(name, value)
  return all
}
