/** Reads Telegram's HTML parse mode as strictly as design rules ask: what Telegram refuses is refused here. */

export class EntityError extends Error {}

const TAGS = new Set(
  'b strong i em u ins s strike del span tg-spoiler a tg-emoji code pre blockquote'.split(' '),
)
const ATTRIBUTES: Record<string, RegExp> = {
  span: /^ class="tg-spoiler"$/,
  a: /^ href="[^"<>]*"$/,
  'tg-emoji': /^ emoji-id="[0-9]+"$/,
  code: /^( class="language-[^"<>]*")?$/,
  pre: /^$/,
  blockquote: /^( expandable)?$/,
}

export interface ParsedHtml {
  /** What a reader sees. */
  readonly text: string
  readonly entities: readonly { readonly type: string; readonly text: string }[]
}

export function parseTelegramHtml(html: string): ParsedHtml {
  const open: { tag: string; start: number }[] = []
  const entities: { type: string; text: string }[] = []
  let text = ''
  for (let at = 0; at < html.length; ) {
    const char = html[at]
    if (char === '&') {
      const entity = /^&(lt|gt|amp|quot|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});/.exec(html.slice(at, at + 12))
      if (!entity?.[1]) throw new EntityError(`Unescaped "&" at byte offset ${byteOffset(html, at)}`)
      text += decode(entity[1])
      at += entity[0].length
    } else if (char === '<') {
      const tag = /^<(\/?)([a-z][a-z-]*)([^<>]*)>/.exec(html.slice(at))
      if (!tag?.[2]) throw new EntityError(`Unsupported start tag at byte offset ${byteOffset(html, at)}`)
      const [whole, slash, name, attributes = ''] = tag
      if (!TAGS.has(name))
        throw new EntityError(`Unsupported start tag "${name}" at byte offset ${byteOffset(html, at)}`)
      if (slash === '/') {
        const last = open.pop()
        if (last?.tag !== name || attributes !== '') {
          throw new EntityError(
            `Unmatched end tag at byte offset ${byteOffset(html, at)}, expected "</${last?.tag}>", found "</${name}>"`,
          )
        }
        entities.push({ type: name, text: text.slice(last.start) })
      } else {
        if (!(ATTRIBUTES[name] ?? /^$/).test(attributes)) {
          throw new EntityError(
            `Unsupported attribute in tag "${name}" at byte offset ${byteOffset(html, at)}`,
          )
        }
        open.push({ tag: name, start: text.length })
      }
      at += whole.length
    } else if (char === '>') {
      throw new EntityError(`Unescaped ">" at byte offset ${byteOffset(html, at)}`)
    } else {
      text += char
      at += 1
    }
  }
  const unclosed = open.pop()
  if (unclosed) throw new EntityError(`Can't find end tag corresponding to start tag "${unclosed.tag}"`)
  return { text, entities }
}

const byteOffset = (html: string, at: number): number => Buffer.byteLength(html.slice(0, at))

function decode(entity: string): string {
  const named = { lt: '<', gt: '>', amp: '&', quot: '"' }[entity]
  if (named !== undefined) return named
  return String.fromCodePoint(
    entity.startsWith('#x') ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1)),
  )
}
