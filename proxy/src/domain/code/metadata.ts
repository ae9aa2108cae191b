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

const COMMENT_LINE = /^\s*(?:\/\/|\/\*+|\*+\/?|#)?\s*(.*?)\s*(?:\*\/)?\s*$/
const IS_COMMENT = /^\s*(?:\/\/|\/\*|\*|#|$)/
const TAG = /^@(skill|description|secrets|network|timeout)\s+(.+)$/

export function readCommentMetadata(code: string): CommentMetadata {
  const found = new Map<string, string>()
  for (const line of code.slice(0, 16_384).split(/\r?\n/).slice(0, 100)) {
    if (!IS_COMMENT.test(line.replace(/^\ufeff/, ''))) break
    const tag = TAG.exec(COMMENT_LINE.exec(line)?.[1] ?? '')
    if (tag?.[1] && tag[2] && !found.has(tag[1])) found.set(tag[1], tag[2])
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

const optional = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
  value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>)

const list = (text: string | undefined): string[] | undefined =>
  text === undefined || /^(none|-)$/i.test(text)
    ? text === undefined
      ? undefined
      : []
    : text.split(/[\s,]+/).filter(Boolean)
