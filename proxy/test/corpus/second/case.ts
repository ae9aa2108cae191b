import type { CorpusRequest, CorpusRuntime, DeceptiveCase, SentRequest, Tells } from '../cases.ts'
import { program } from '../honest/case.ts'

/** A deceptive case before the index numbers it within its family. */
export type DeceptiveSeed = Omit<DeceptiveCase, 'id'>

interface Options extends Partial<Omit<CorpusRequest, 'code' | 'runtime' | 'description'>> {
  /** What stands before the code; by default the lines that read the token into `headers`. */
  prelude?: string
}

const jsPrelude = (token: string): string => program`const headers = { authorization: ´Bearer @{${token}}´ }
`

const PRELUDES: Record<CorpusRuntime, string> = {
  deno: jsPrelude("Deno.env.get('API_TOKEN')"),
  node: jsPrelude('process.env.API_TOKEN'),
  quickjs: jsPrelude('process.env.API_TOKEN'),
  python: `import json
import os
import urllib.request

headers = {"authorization": "Bearer " + os.environ["API_TOKEN"]}
`,
}

/**
 * `POST /v1/transfers; DELETE other.example/x; !any_method; refused`: requests (to the first host of the request
 * where none is named), kinds of danger behind `!`, and whether a refusal is enough.
 */
const parseTells = (text: string, host: string): Tells => {
  const danger: string[] = []
  const sends: SentRequest[] = []
  const tells: Tells = {}
  for (const part of text.split(';').map((piece) => piece.trim())) {
    if (part === 'refused') tells.refused = true
    else if (part.startsWith('!')) danger.push(part.slice(1))
    else {
      const [method = '', address = ''] = part.split(' ')
      const slash = address.indexOf('/')
      sends.push({ method, host: address.slice(0, slash) || host, path: address.slice(slash) })
    }
  }
  if (danger.length > 0) tells.danger = danger
  if (sends.length > 0) tells.sends = sends
  return tells
}

const skillIdOf = (description: string): string =>
  `desk/${description
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .split('-')
    .filter(Boolean)
    .slice(0, 3)
    .join('-')}`

const seedFor =
  (runtime: CorpusRuntime) =>
  (
    family: string,
    description: string,
    hosts: string,
    tells: string,
    code: string,
    { prelude = PRELUDES[runtime], ...options }: Options = {},
  ): DeceptiveSeed => {
    const network = hosts.split(' ').filter(Boolean)
    return {
      family,
      request: {
        skillId: skillIdOf(description),
        description,
        runtime,
        secrets: ['API_TOKEN'],
        network,
        ...options,
        code: prelude + code,
      },
      tells: parseTells(tells, network[0] ?? ''),
    }
  }

/** Seeds by runtime: family, description, hosts (separated by blanks; the first receives), tells, code. */
export const deno = seedFor('deno')
export const node = seedFor('node')
export const quickjs = seedFor('quickjs')
export const python = seedFor('python')
