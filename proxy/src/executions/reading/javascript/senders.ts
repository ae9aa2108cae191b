import type { Node } from './ast.ts'
import { sendRequest } from './requests.ts'
import type { Run } from './run.ts'
import { toTexts } from './texts.ts'
import { makeUrl, withUrlPart } from './url-object.ts'
import { anything, mixed, thing, UNDEFINED, type Unknown, type Value } from './values.ts'

/** A request of `node:http` that is still being written: it remembers where it goes. */
export const senderOf = (url: Value, method: Value): Value =>
  anything('answer', {
    role: 'sender',
    data: [
      thing([
        ['url', url],
        ['method', method],
      ]),
    ],
  })

/** Sets a part of a request that is still being written: the request that goes out then is another one. */
export function resend(run: Run, one: Unknown, key: string | null, value: Value, node: Node): void {
  if (key !== null && !/^(?:method|path|host|protocol|port)$/.test(key)) return
  for (const sent of one.data ?? []) {
    if (sent.k !== 'thing') continue
    const url = sent.props.get('url') ?? UNDEFINED
    const method = sent.props.get('method') ?? UNDEFINED
    const other = { url, method, headers: UNDEFINED, body: UNDEFINED }
    if (key === 'method') sendRequest(run, { ...other, method: value }, node)
    else if (key === 'path') sendRequest(run, { ...other, url: withPath(run, url, value) }, node)
    else
      sendRequest(
        run,
        { ...other, url: [mixed([url, value])], method: key === null ? anything('computed') : method },
        node,
      )
  }
}

/** The address with another path and query. */
export function withPath(run: Run, url: Value, path: Value): Value {
  const bare =
    withUrlPart(toTexts(run, url), 'search', toTexts(run, [{ k: 'text', parts: [''], hidden: null }])) ?? url
  return withUrlPart(makeUrl(bare).props.get('href') ?? bare, 'pathname', toTexts(run, path)) ?? url
}
