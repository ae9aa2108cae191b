import fc from 'fast-check'
import { ANY_PATH, parsePathPattern } from '../../src/egress/capabilities/index.ts'
import { deriveNetwork, languageOf } from '../../src/executions/facts/index.ts'
import { readProgram } from '../../src/executions/reading/index.ts'
import { parseHostPattern } from '../../src/kernel/index.ts'
import { CARD_LINES } from '../../src/notify/telegram/card-message.ts'
import { allDeceptive, allHonest } from '../corpus/index.ts'
import { show } from '../corpus/verdict.ts'
import { holds } from './property.ts'

const requests = [...allDeceptive(), ...allHonest()].map(({ request }) => request)
const TOKENS = [
  '(',
  ')',
  '{',
  '}',
  '[',
  ']',
  '`',
  '${',
  '"',
  "'",
  '=>',
  ',',
  ';',
  '\n',
  '=',
  '+',
  '...',
  'await ',
  'fetch',
  'eval',
  ':',
  '#',
  '/*',
  '*/',
  '//',
  '\\',
  'def ',
  'lambda ',
  '\u202e',
]

/** A program of the corpus, cut and stuck together at random places. */
const broken = fc
  .tuple(
    fc.constantFrom(...requests),
    fc.array(fc.tuple(fc.nat(5_000), fc.nat(40), fc.constantFrom(...TOKENS)), { maxLength: 6 }),
  )
  .map(([request, edits]) => {
    let { code } = request
    for (const [at, cut, token] of edits) code = code.slice(0, at) + token + code.slice(at + cut)
    return { ...request, code }
  })

export const factsProperties = [
  holds(
    'reading a program never throws, and what it says of requests can be a capability',
    fc.property(broken, ({ code, runtime }) => {
      const facts = readProgram(code, languageOf(runtime))
      // Parsers end lines at more than line feeds.
      const lines = code.split(/\r\n?|[\n\f\u2028\u2029]/).length
      for (const { host, path, method, line } of facts.requests) {
        if (host !== null && 'problem' in parseHostPattern(host)) throw new Error(`host ${host}`)
        if (path !== null && path !== ANY_PATH && 'problem' in parsePathPattern(path))
          throw new Error(`path ${path}`)
        if (method !== null && !/^[A-Z][A-Z-]*$/.test(method)) throw new Error(`method ${method}`)
        if (line < 1 || line > lines) throw new Error(`line ${line}`)
      }
      for (const { lines: told } of facts.dangers) {
        if (told.some((line) => line < 1 || line > lines)) throw new Error(`lines ${told}`)
      }
      deriveNetwork([{ host: 'a.example' }, { host: '*.b.example' }], facts, { walled: true })
    }),
  ),
  holds(
    'every card of a broken program fits a phone, and names each kind of danger that it knows',
    fc.asyncProperty(broken, async (request) => {
      const card = await show(request)
      if (card.refused !== null) return
      if (card.phoneLines > CARD_LINES) throw new Error(`${card.phoneLines} lines`)
      const flat = card.phone.replaceAll(/\s+/g, ' ')
      for (const { short, text } of card.model.warnings) {
        const begins = text.slice(0, 20).replaceAll(/\s+/g, ' ')
        if (!flat.includes(short) && !flat.includes(begins)) throw new Error(`not named: ${short}`)
      }
    }),
  ),
]
