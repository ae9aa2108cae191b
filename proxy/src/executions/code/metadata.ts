/**
 * Comment metadata at the head of a skill: `@skill @description @secrets @network @timeout`, one a line, in
 * line or block comments before the first line of code. Values that are not of their form are left out.
 */
export interface CommentMetadata {
  readonly skill?: string
  readonly description?: string
  readonly secrets?: readonly string[]
  readonly network?: readonly string[]
  /** Seconds. */
  readonly timeout?: number
}

const TAG = /^@(skill|description|secrets|network|timeout)(?::\s*|\s+)(\S.*)$/i
const MAX_LINE = 1_000

export function readCommentMetadata(code: string): CommentMetadata {
  const found = new Map<string, string>()
  for (const raw of code.slice(0, 16_384).split('\n').slice(0, 100)) {
    const comment = commentText(raw.slice(0, MAX_LINE).replace(/^\ufeff/, ''))
    if (comment === undefined) break
    const tag = TAG.exec(comment)
    const name = tag?.[1]?.toLowerCase()
    if (name && tag?.[2] && !found.has(name)) found.set(name, tag[2])
  }
  const timeout = Number(found.get('timeout')?.replace(/s$/, ''))
  return {
    ...optional('skill', found.get('skill')),
    ...optional('description', found.get('description')),
    ...optional('secrets', list(found.get('secrets'))),
    ...optional('network', list(found.get('network'))),
    ...(Number.isInteger(timeout) && timeout > 0 ? { timeout } : {}),
  }
}

/** What comments say of the request in other words than tags: `Skill: x`, `Secrets: A_KEY, B_KEY`, `no secrets`. */
export interface CommentClaims {
  readonly skill?: string
  /** Of a tag, wherever it stands. */
  readonly description?: string
  /** Names, the empty list for none. */
  readonly secrets?: readonly string[]
}

const SKILL_CLAIM = /(?:\bskill(?:[ _-]?(?:id|name))?\s*[:=]|@skill(?:_id)?\s)\s*([\w./:-]{2,128})/i
const DESCRIPTION_CLAIM = /^@description(?:\s*[:=]\s*|\s+)(\S.*)$/i
const SECRETS_CLAIM = /(?:\bsecrets?\s*[:=]|@secrets?\b)\s*(\S.*)$/i
const SECRET_NAMES = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g

/** Read from comments of their own lines anywhere in the code, the first of each. */
export function readCommentClaims(code: string): CommentClaims {
  const found: { skill?: string; description?: string; secrets?: readonly string[] } = {}
  for (const raw of code.split('\n', 10_000)) {
    const comment = commentText(raw.slice(0, MAX_LINE))
    if (comment === undefined || comment === '') continue
    const description = DESCRIPTION_CLAIM.exec(comment)?.[1]
    if (description !== undefined) found.description ??= description
    const skill = SKILL_CLAIM.exec(comment)?.[1]?.replace(/[.:,]+$/, '')
    if (skill?.includes('/')) found.skill ??= skill
    const secrets = SECRETS_CLAIM.exec(comment)?.[1]
    if (secrets === undefined) continue
    const names = secrets.match(SECRET_NAMES) ?? []
    if (names.length > 0 || /^(?:none|-|no\b)/i.test(secrets)) found.secrets ??= names
  }
  return found
}

const optional = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
  value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>)

const list = (text: string | undefined): string[] | undefined =>
  text === undefined || /^(none|-)$/i.test(text)
    ? text === undefined
      ? undefined
      : []
    : text.split(/[\s,]+/).filter(Boolean)

/** What a comment line says, without its marks; undefined when the line is code. String steps: any line in one pass. */
function commentText(line: string): string | undefined {
  const text = line.trim()
  if (text === '') return ''
  const mark = ['//', '/*', '*', '#'].find((start) => text.startsWith(start))
  if (mark === undefined) return undefined
  const body = text.slice(mark.length).replace(/^[*/]{1,20}/, '')
  return (body.endsWith('*/') ? body.slice(0, -2) : body).trim()
}
