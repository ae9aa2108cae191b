import { oneLine } from '../../kernel/index.ts'
import type { Danger } from '../facts/index.ts'
import { hasHidden, hasMixedWord, imitatesCard } from '../facts/index.ts'
import { imitatedPackage } from './packages.ts'
import { areSimilar } from './similar-names.ts'

export interface NameInput {
  readonly skillId: string
  readonly description: string
  readonly args: string | null
  /** Variables of the request. */
  readonly secrets: readonly string[]
  /** Modules from elsewhere: `npm:zod@4`, `jsr:@std/fmt`, `https://esm.sh/x@1`. */
  readonly modules: readonly string[]
  readonly storedSecrets: readonly string[]
  readonly trustedSkills: readonly string[]
}

/** A name in a text: a line of the card has no room for more. */
const NAME = 80

/**
 * Impersonation in what an agent writes freely: what a person should know of the names and texts of a request. Each text is
 * one line and begins with what it is about.
 */
export function nameDangers(input: NameInput): readonly Danger[] {
  return [
    ...secretDangers(input.secrets, input.storedSecrets),
    ...skillDangers(input.skillId, input.trustedSkills),
    ...packageDangers(input.modules),
    ...textDangers('skill id', [input.skillId]),
    ...textDangers('description', [input.description]),
    ...textDangers('args', input.args === null ? [] : texts(input.args)),
  ]
}

function secretDangers(secrets: readonly string[], stored: readonly string[]): readonly Danger[] {
  return secrets.flatMap((name, at): readonly Danger[] => {
    const similar = stored.find((other) => areSimilar(name, other))
    if (similar !== undefined)
      return [lookalike(`secret ${shown(name)} looks like the stored ${shown(similar)} but is another`)]
    const beside = secrets.slice(0, at).find((other) => areSimilar(name, other))
    return beside === undefined
      ? []
      : [lookalike(`secret ${shown(name)} looks like ${shown(beside)} but is another`)]
  })
}

function skillDangers(skillId: string, trusted: readonly string[]): readonly Danger[] {
  if (trusted.includes(skillId)) return []
  const similar = trusted.find((other) => areSimilar(skillId, other))
  return similar === undefined
    ? []
    : [lookalike(`skill ${shown(skillId)} looks like the trusted ${shown(similar)} but is another`)]
}

const packageDangers = (modules: readonly string[]): readonly Danger[] =>
  [
    ...new Map(
      modules.map((module) => imitatedPackage(module)).map((found) => [found?.name, found]),
    ).values(),
  ].flatMap((found) =>
    found === undefined
      ? []
      : [
          lookalike(
            `package ${shown(found.name)} looks like the popular ${shown(found.like)} but is another`,
          ),
        ],
  )

/** Texts of a request that an agent writes freely. */
export const TEXTS = ['skill id', 'description', 'args'] as const
type TextName = (typeof TEXTS)[number]

export const hiddenCharacters = (what: TextName): Danger => ({
  kind: 'hidden_characters',
  text: `the ${what} ${what === 'args' ? 'hold' : 'holds'} invisible or reordering characters`,
})

function textDangers(what: TextName, parts: readonly string[]): readonly Danger[] {
  const lines = parts.flatMap((part) => part.split(/\r?\n/))
  const dangers: Danger[] = []
  const s = what === 'args' ? '' : 's'
  if (what !== 'skill id' && (parts.some(imitatesCard) || imitatesCard(parts.join('\n'))))
    dangers.push({ kind: 'card_imitation', text: `the ${what} imitate${s} this card` })
  if (lines.some(hasHidden)) dangers.push(hiddenCharacters(what))
  if (lines.some(hasMixedWord))
    dangers.push({
      kind: 'mixed_scripts',
      text: `the ${what} ${what === 'args' ? 'mix' : 'mixes'} look-alike letters`,
    })
  return dangers
}

/** Args as they stand, and the texts in them when they are JSON, where escapes hide what a program will read. */
function texts(args: string): readonly string[] {
  const found = [args]
  try {
    const open: unknown[] = [JSON.parse(args)]
    while (open.length > 0) {
      const value = open.pop()
      if (typeof value === 'string') found.push(value)
      else if (typeof value === 'object' && value !== null) {
        found.push(...Object.keys(value))
        open.push(...Object.values(value))
      }
    }
  } catch {
    // Not JSON: the text alone.
  }
  return found
}

const shown = (name: string): string => oneLine(name, NAME)
const lookalike = (text: string): Danger => ({ kind: 'lookalike_name', text })
