/**
 * What reading a program costs, beside the bare parse of the same text in the same run: five kibibytes as agents write them,
 * and a mebibyte. Then the whole card of the small ones. Processor time of one thread, medians.
 */
import { parse } from '@babel/parser'
import { parser as pythonParser } from '@lezer/python'
import { type CodeFacts, languageOf } from '../src/executions/facts/index.ts'
import { readProgram } from '../src/executions/reading/index.ts'
import type { CorpusRequest } from '../test/corpus/cases.ts'
import { honestCases } from '../test/corpus/honest/index.ts'
import { show } from '../test/corpus/verdict.ts'
import { percentile, printGoal } from './support.ts'

const SMALL_BYTES = 5 * 1_024
const LARGE_BYTES = 1_048_576
const CARD_GOAL_MS = 5
const LARGE_GOAL_MS = 500

export function benchFacts({ rounds }: { readonly rounds: number }): void {
  const requests = honestCases().map(({ request }) => request)
  for (const language of ['javascript', 'python'] as const) {
    const own = requests.filter(({ runtime }) => languageOf(runtime) === language)
    const small = filled(own, SMALL_BYTES, 40)
    const large = filled(own, LARGE_BYTES, 1)
    const bare = language === 'python' ? (code: string) => pythonParser.parse(code) : parseJavaScript
    const read = (code: string) => readProgram(code, language)
    for (const [name, codes] of [
      ['5 KiB', small],
      ['1 MiB', large],
    ] as const) {
      assertRead(codes, read)
      const [ours, baseline] = interleaved(codes, rounds, read, bare)
      console.log(
        `${language}, ${name}: read ${ours.toFixed(2)} ms, bare parse ${baseline.toFixed(2)} ms, ratio ${(ours / baseline).toFixed(2)}`,
      )
      if (name === '1 MiB') printGoal('a mebibyte', `≤ ${LARGE_GOAL_MS} ms`, ours <= LARGE_GOAL_MS)
    }
    const cards = small.map((code) => ({ ...(own[0] as CorpusRequest), code }))
    const [card] = interleaved(cards, rounds, show, (request) => bare(request.code))
    console.log(`${language}, 5 KiB: facts, capabilities and card ${card.toFixed(2)} ms`)
    printGoal('card facts', `≤ ${CARD_GOAL_MS} ms`, card <= CARD_GOAL_MS)
  }
}

/** A program that the reader gives up on would be a cheap one. */
function assertRead(codes: readonly string[], read: (code: string) => CodeFacts): void {
  for (const code of codes) {
    const { readable, dangers } = read(code)
    if (!readable) throw new Error(`a program of the bench was not read: ${JSON.stringify(dangers[0])}`)
  }
}

const parseJavaScript = (code: string) =>
  parse(code, { sourceType: 'module', plugins: ['typescript', 'decorators'], errorRecovery: true })

/** Programs of the corpus one behind the other, each a function of its own so that no name is declared twice. */
function filled(requests: readonly CorpusRequest[], bytes: number, count: number): string[] {
  const pieces = requests
    .filter(
      ({ code, runtime }) =>
        !(runtime === 'python' ? /\bawait\b|__future__/ : /^(?:import|export)\b/m).test(code),
    )
    .map(({ code, runtime }, index) =>
      runtime === 'python'
        ? `def part_${index}():\n${code.replaceAll(/^/gm, '    ')}\n    return\n\npart_${index}()\n`
        : `async function part${index}() {\n${code}\n}\nawait part${index}()\n`,
    )
  let at = 0
  return Array.from({ length: count }, () => {
    let text = ''
    while (text.length < bytes) text += pieces[at++ % pieces.length]
    return text
  })
}

/** Medians of processor time a call, both measured turn by turn over all inputs: the clock is too coarse for one. */
function interleaved<T>(
  inputs: readonly T[],
  rounds: number,
  ours: (input: T) => unknown,
  baseline: (input: T) => unknown,
): [number, number] {
  const each = (work: (input: T) => unknown): number => {
    const before = process.threadCpuUsage()
    for (const input of inputs) work(input)
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / 1_000 / inputs.length
  }
  for (const work of [ours, baseline, ours, baseline]) each(work)
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    times[0].push(each(ours))
    times[1].push(each(baseline))
  }
  return [percentile(times[0], 0.5), percentile(times[1], 0.5)]
}
