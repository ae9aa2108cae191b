import type { Seeded } from '../../support/seeded.ts'
import { REQUEST_SEEDS, RESPONSE_SEEDS } from './seeds.ts'
import {
  AFTER_SIZE,
  BODIES,
  CODINGS,
  COLONS,
  ENDS,
  HOSTS,
  LAST,
  METHODS,
  NAMES,
  ODD_AFTER_SIZE,
  ODD_CODINGS,
  ODD_COLONS,
  ODD_ENDS,
  ODD_HOSTS,
  ODD_METHODS,
  ODD_NAMES,
  ODD_SIZES,
  ODD_STATUSES,
  ODD_TARGETS,
  ODD_VALUES,
  ODD_VERSIONS,
  SIZES,
  SPLICES,
  STATUSES,
  TARGETS,
  VALUES,
  VERSIONS,
} from './words.ts'

export type Role = 'request' | 'response'

/** What a peer sends on one connection, and where it is cut into pieces. One character is one byte. */
export interface Input {
  readonly role: Role
  readonly text: string
  readonly cuts: readonly number[]
  /** A response to HEAD. */
  readonly isBodyless: boolean
}

/** How likely a part is one of those that readers differ about. */
const ODD = 0.03

export function inputOf(role: Role, random: Seeded): Input {
  let text = ''
  const messages = 1 + (random.chance(0.3) ? 1 + random.below(2) : 0)
  for (let count = 0; count < messages; count += 1)
    text += random.chance(0.3)
      ? random.pick(role === 'request' ? REQUEST_SEEDS : RESPONSE_SEEDS)
      : message(role, random)
  if (random.chance(0.5))
    for (let count = 1 + random.below(3); count > 0; count -= 1) text = mutated(text, role, random)
  if (random.chance(0.5)) text += LAST[role]
  return {
    role,
    text,
    cuts: cutsOf(text.length, random),
    isBodyless: role === 'response' && random.chance(0.1),
  }
}

function message(role: Role, random: Seeded): string {
  const end = (): string => part(ENDS, ODD_ENDS, random, ODD / 4)
  const space = (): string => part([' '], ['  ', '\t', '', '\x0b', '\xa0'], random, ODD / 4)
  let text = random.chance(ODD) ? random.pick(['\r\n', '\n', '\r\n\r\n', '\r', ' ']) : ''
  text +=
    role === 'request'
      ? part(METHODS, ODD_METHODS, random) +
        space() +
        part(TARGETS, ODD_TARGETS, random) +
        space() +
        part(VERSIONS, ODD_VERSIONS, random)
      : part(VERSIONS, ODD_VERSIONS, random) + space() + part(STATUSES, ODD_STATUSES, random)
  text += end()
  if (role === 'request' && !random.chance(ODD)) text += `Host: ${part(HOSTS, ODD_HOSTS, random)}${end()}`
  for (let count = random.below(4); count > 0; count -= 1) text += field(random) + end()
  if (random.chance(0.01))
    for (let count = random.below(300); count > 0; count -= 1) text += field(random) + end()
  if (random.chance(0.004))
    text += `X-Long: ${'y'.repeat(random.below(role === 'request' ? 17_000 : 66_000))}${end()}`
  let body = ''
  const framing = random.below(4)
  if (framing === 1) {
    body = random.pick(BODIES)
    const length = random.chance(ODD) ? String(random.below(9)) : String(body.length)
    text += `Content-Length: ${random.chance(ODD) ? random.pick(['+', '0', ' ', '0x', '']) : ''}${length}${end()}`
  } else if (framing > 1) {
    body = chunked(role, random)
    text += `Transfer-Encoding: ${part(CODINGS, ODD_CODINGS, random)}${end()}`
  }
  for (let count = random.below(2); count > 0; count -= 1) text += field(random) + end()
  return `${text}${end()}${body}`
}

const field = (random: Seeded): string =>
  part(NAMES, ODD_NAMES, random) +
  part(COLONS, ODD_COLONS, random, ODD / 2) +
  part(VALUES, ODD_VALUES, random, 2 * ODD)

function chunked(role: Role, random: Seeded): string {
  const end = (): string => part(ENDS, ODD_ENDS, random, ODD / 4)
  let text = ''
  for (let count = random.below(4); count > 0; count -= 1) {
    const data = random.pick(BODIES)
    const size = data.length.toString(16)
    text += part(SIZES, ODD_SIZES, random, ODD / 2) + (random.chance(0.5) ? size.toUpperCase() : size)
    text += part(AFTER_SIZE, ODD_AFTER_SIZE, random, ODD / 2) + end() + data + end()
  }
  text += part(['0', '00'], ['', '0;a', '0 ', '1', 'g'], random, ODD / 2) + end()
  if (random.chance(role === 'request' ? ODD : 0.3)) text += field(random) + end()
  return text + end()
}

const part = (usual: readonly string[], odd: readonly string[], random: Seeded, chance = ODD): string =>
  random.chance(chance) ? random.pick(odd) : random.pick(usual)

/** One change: of a character, of a slice, or of a line; most near the ends of lines and colons, where readers decide. */
function mutated(text: string, role: Role, random: Seeded): string {
  let at = random.below(text.length + 1)
  if (random.chance(0.5)) {
    const near = text.indexOf(random.pick(['\r\n', ':', ' ']), at)
    if (near !== -1) at = near + random.below(3)
  }
  const length = 1 + random.below(random.chance(0.2) ? 30 : 3)
  const before = text.slice(0, at)
  const after = text.slice(at)
  switch (random.below(8)) {
    case 0:
      return before + random.pick(SPLICES) + after
    case 1:
      return before + random.pick(SPLICES) + after.slice(1)
    case 2:
      return before + after.slice(length)
    case 3:
      return before + after.slice(0, length) + after
    case 4:
      return before + String.fromCharCode(random.below(256)) + after.slice(random.below(2))
    case 5:
      return before + after.charAt(0).toUpperCase() + after.charAt(1).toLowerCase() + after.slice(2)
    case 6:
      return (
        before +
        random.pick(role === 'request' ? REQUEST_SEEDS : RESPONSE_SEEDS).slice(random.below(60)) +
        after
      )
    default: {
      const lines = text.split('\r\n')
      const line = lines[random.below(lines.length)] as string
      lines.splice(random.below(lines.length + 1), random.below(2), line)
      return lines.join('\r\n')
    }
  }
}

function cutsOf(length: number, random: Seeded): number[] {
  if (random.chance(0.05)) return Array.from({ length }, (_, index) => index)
  return Array.from({ length: 1 + random.below(4) }, () => random.below(length + 1)).toSorted((a, b) => a - b)
}
