import { wordSet } from '../../../kernel/index.ts'
import { argumentSet } from './arguments.ts'
import { lineOf, type Node } from './ast.ts'
import { letEscape, setSomewhere } from './escapes.ts'
import { GLOBALS } from './platform-names.ts'
import { type Run, write } from './run.ts'
import { resend } from './senders.ts'
import { toTexts } from './texts.ts'
import { setterOf, symbolOrText, trapped } from './things.ts'
import { withUrlPart } from './url-object.ts'
import { anything, type Builtin, mixed, underCondition, union, unknown, type Value } from './values.ts'

/** Objects of the platform on which a program may set its own things. */
const OPEN = /^(?:process\.env|module|exports|module\.exports|Error|import\.meta|location|document)(?:\.|$)/
const OPEN_NAMES: ReadonlySet<string> = wordSet(`
  process.exitCode process.title Deno.exitCode Error.stackTraceLimit`)

const SENDS = /^(?:request|get|post|put|patch|delete|head|fetch|default)$/

/** Monkey patching: whether setting `key` on a thing of the platform replaces a part of it. */
function replaces(whole: Builtin, key: string | null): boolean {
  const { name, data } = whole
  if (data !== null || name.startsWith('regex ')) return false
  if (name === 'globalThis') return key === null || GLOBALS.has(key)
  if (OPEN.test(name) || OPEN_NAMES.has(`${name}.${key}`)) return false
  // Packages and modules have settings; what sends is none.
  if (/^(?:axios|got|ky|ofetch|undici|node:https?)$/.test(name)) return key === null || SENDS.test(key)
  if (name.startsWith('node:')) return name.includes('.prototype') || !name.includes('.')
  return !/^(?:axios|got|ky|ofetch|undici)\./.test(name)
}

/** Tells when `target` is a thing of the platform that gets another part. */
export function tellReplaced(run: Run, target: Value, key: string | null, node: Node): void {
  for (const one of target) {
    if (one.k !== 'builtin' || !replaces(one, key)) continue
    const name = one.name === 'globalThis' ? (key ?? 'a global') : `${one.name}.${key ?? '…'}`
    run.sink.danger('replaced_builtin', lineOf(node), name)
  }
}

/** What `target` inherits from now. */
export function setPrototype(run: Run, target: Value, proto: Value): void {
  run.version++
  for (const one of target) {
    if (one.k !== 'thing') continue
    // Inside of a branch it may not have happened.
    const isSure = target.length === 1 && run.log === null && one.proto === null
    one.proto = isSure ? proto : union(one.proto ?? proto, proto)
  }
}

/** `target.key = value`. */
export function setMember(run: Run, target: Value, key: string | null, value: Value, node: Node): void {
  tellReplaced(run, target, key, node)
  const label = run.conditions.at(-1)
  const kept = label === undefined ? value : underCondition(value, label)
  for (const one of target) {
    if (one.k === 'thing') {
      if (one.role === 'Proxy') {
        const name = key === null ? anything('computed') : symbolOrText(key)
        if (trapped(run, one, 'set', [name, kept, [one]], node) === null)
          setMember(run, one.props.get(' target') ?? [], key, kept, node)
        continue
      }
      if (key === '__proto__') {
        setPrototype(run, [one], kept)
        continue
      }
      if (one.role === 'URL' && key !== null) {
        const href = withUrlPart(one.props.get('href') ?? kept, key, toTexts(run, kept))
        if (href !== null) {
          write(
            run,
            one.props as Map<unknown, Value>,
            'href',
            target.length > 1 ? union(one.props.get('href') ?? href, href) : href,
          )
          run.version++
          continue
        }
      }
      if (key === null) {
        letEscape(run, kept, node)
        const names = [...one.props.keys()]
        for (const name of names)
          write(run, one.props as Map<unknown, Value>, name, union(one.props.get(name) ?? kept, kept))
        one.rest = mixed([one.rest === null ? [] : [one.rest], kept])
        continue
      }
      const setter = setterOf(one, key)
      if (setter !== null) run.call(setter, [one], [kept], node)
      const old = one.props.get(key)
      const next = target.length > 1 && old !== undefined ? union(old, kept) : kept
      write(run, one.props as Map<unknown, Value>, key, next)
      run.version++
    } else if (one.k === 'items') {
      if (key !== null && /^\d+$/.test(key) && Number(key) <= one.items.length) {
        const at = Number(key)
        const old = one.items[at]
        // Inside of a branch it may not have happened.
        one.items[at] = run.log !== null && old !== undefined ? union(old, kept) : kept
        argumentSet(run, one, at, kept)
      } else if (key === 'length') {
        const length = kept[0]?.k === 'primitive' ? Number(kept[0].value) : Number.NaN
        if (run.log === null && run.loops === 0 && length <= one.items.length) one.items.length = length
        else
          one.items.forEach((item, at) => {
            one.items[at] = union(item, [unknown('computed')])
          })
        run.version++
      } else one.more = mixed([one.more === null ? [] : [one.more], kept])
    } else if (one.k === 'any') {
      if (one.role === null) setSomewhere(run, key, kept, node)
      else if (one.role === 'sender') resend(run, one, key, kept, node)
    } else if ((one.k === 'function' || one.k === 'class') && key !== null) {
      write(run, one.props as Map<unknown, Value>, key, kept)
    }
  }
}
