import { seeded } from '../../support/seeded.ts'
import { type Input, inputOf } from './inputs.ts'
import { type NginxReader, passedOn } from './nginx.ts'
import { cutDisagreement, disagreement, type Readings, readByLlhttp, readByUs } from './readings.ts'

export interface DifferentialReport {
  inputs: number
  /** Of which our reader took one message at least, and all messages that it took. */
  taken: number
  messages: number
  /** Refused by us at some place, and not by llhttp. */
  refusedByUsAlone: number
  /** Put to nginx: no two of the same shape. */
  byNginx: number
  /** What we took and another did not, or otherwise. */
  readonly disagreements: string[]
}

/** More of them say nothing new. */
const MAX_DISAGREEMENTS = 20
const AT_ONCE = 64

/**
 * Reads so many random inputs by our reader (whole, and cut), by llhttp, and by nginx: those that we take whose shape is new. The same
 * seed gives the same inputs.
 */
export async function compareReaders(options: {
  readonly inputs: number
  readonly seed: number
  readonly nginx?: NginxReader | undefined
  readonly maxByNginx?: number
  /** Called after each so many inputs. */
  readonly onProgress?: (report: DifferentialReport) => void
  readonly every?: number
}): Promise<DifferentialReport> {
  const { inputs, seed, nginx, maxByNginx = Number.POSITIVE_INFINITY } = options
  const report = {
    inputs: 0,
    taken: 0,
    messages: 0,
    refusedByUsAlone: 0,
    byNginx: 0,
    disagreements: [] as string[],
  }
  const note = (input: Input, reader: string, problem: string | undefined): void => {
    if (problem !== undefined) report.disagreements.push(`${reader}: ${problem}\n  ${JSON.stringify(input)}`)
  }
  const shapes = new Set<number>()
  const waiting: Promise<void>[] = []
  for (let index = 0; index < inputs && report.disagreements.length < MAX_DISAGREEMENTS; index += 1) {
    const input = inputOf(index % 2 === 0 ? 'request' : 'response', seeded(seed * 1_000_003 + index))
    const ours = readByUs(input, [])
    const theirs = readByLlhttp(input)
    report.inputs += 1
    report.messages += ours.messages.length
    if (ours.messages.length > 0) report.taken += 1
    if (!ours.isWhole && theirs.isWhole) report.refusedByUsAlone += 1
    note(input, 'llhttp', disagreement(ours, theirs))
    note(input, 'cut', cutDisagreement(ours, readByUs(input, input.cuts)))
    if (nginx !== undefined && report.byNginx < maxByNginx && isForNginx(ours) && isNew(shapes, input)) {
      report.byNginx += 1
      waiting.push(
        nginx
          .read(input)
          .then((read) => note(input, 'nginx', disagreement(asNginxPasses(input, ours), read))),
      )
    }
    if (waiting.length >= AT_ONCE) await Promise.all(waiting.splice(0))
    if (options.every !== undefined && report.inputs % options.every === 0) options.onProgress?.(report)
  }
  await Promise.all(waiting)
  return report
}

/** What is not complete nginx does not pass on; interim responses this nginx takes for final ones. */
const isForNginx = ({ messages, interim }: Readings): boolean =>
  interim.length === 0 && messages[0]?.isComplete === true

function asNginxPasses({ role }: Input, { messages, isWhole }: Readings): Readings {
  const complete = messages.filter(({ isComplete }) => isComplete)
  const passed = role === 'request' ? complete : complete.slice(0, 1)
  return {
    messages: passed.map(passedOn),
    interim: [],
    isWhole: isWhole && role === 'request' && messages.every(({ keepAlive }) => keepAlive),
  }
}

/** Two inputs have one shape when they differ in letters and digits within words only. FNV-1a. */
function isNew(shapes: Set<number>, { role, text, isBodyless }: Input): boolean {
  let hash = role === 'request' ? 0x811c9dc5 : isBodyless ? 0x1234567 : 0x7654321
  let last = ''
  for (const char of text) {
    const kind = /[a-z]/i.test(char) ? 'a' : /[1-9]/.test(char) ? '1' : char
    if (kind === last && kind !== '\n' && kind !== '\r') continue
    last = kind
    hash = Math.imul(hash ^ kind.charCodeAt(0), 0x01000193) | 0
  }
  return shapes.size !== shapes.add(hash).size
}
