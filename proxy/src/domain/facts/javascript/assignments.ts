import { lineOf, type Node } from './ast.ts'
import { methodOf } from './members.ts'
import { GLOBALS } from './platform-names.ts'
import { type Run, write } from './run.ts'
import { toTexts } from './texts.ts'
import { withUrlPart } from './url-object.ts'
import { type Builtin, mixed, underCondition, union, type Value } from './values.ts'

/** Objects of the platform on which a program may set its own things. */
const OPEN = /^(?:process\.env|module|exports|module\.exports|Error|import\.meta|location|document)(?:\.|$)/
const OPEN_NAMES: ReadonlySet<string> = new Set([
  'process.exitCode',
  'process.title',
  'Deno.exitCode',
  'Error.stackTraceLimit',
])

const SENDS = /^(?:request|get|post|put|patch|delete|head|fetch|default)$/

/** Whether setting `key` on a thing of the platform replaces a part of it. */
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

/** `target.key = value`. */
export function setMember(run: Run, target: Value, key: string | null, value: Value, node: Node): void {
  tellReplaced(run, target, key, node)
  const label = run.conditions.at(-1)
  const kept = label === undefined ? value : underCondition(value, label)
  for (const one of target) {
    if (one.k === 'thing') {
      if (one.role === 'URL' && key !== null) {
        const href = withUrlPart(one.props.get('href') ?? kept, key, toTexts(run, kept))
        if (href !== null) {
          write(
            run,
            one.props as Map<unknown, Value>,
            'href',
            target.length > 1 ? union(one.props.get('href') ?? href, href) : href,
          )
          continue
        }
      }
      if (key === null) {
        const names = [...one.props.keys()]
        for (const name of names)
          write(run, one.props as Map<unknown, Value>, name, union(one.props.get(name) ?? kept, kept))
        one.rest = mixed([one.rest === null ? [] : [one.rest], kept])
        continue
      }
      const setter = one.props.get(`set ${key}`) ?? wrapped(methodOf(one.made, `set ${key}`))
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
      } else one.more = mixed([one.more === null ? [] : [one.more], kept])
    } else if ((one.k === 'function' || one.k === 'class') && key !== null) {
      write(run, one.props as Map<unknown, Value>, key, kept)
    }
  }
}

const wrapped = <T>(one: T | null): [T] | null => (one === null ? null : [one])
