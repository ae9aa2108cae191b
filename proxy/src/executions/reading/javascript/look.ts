import { wordSet } from '../../../kernel/index.ts'
import { isOddAddress } from './address.ts'
import { bare, lineOf, literalOf, type Node } from './ast.ts'
import { confusablePairs } from './names.ts'
import { GLOBAL_OBJECTS, GLOBALS, NAME_DANGERS } from './platform-names.ts'
import type { Visitor } from './scope.ts'
import type { Sink } from './sink.ts'

/** Blanks that look like the plain one. */
const ODD_BLANK = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/
const PLAIN_LETTER = /\\(?:u00[2-7][0-9a-f]|u\{0*[2-7][0-9a-f]\}|x[2-7][0-9a-f])/gi
const COMPARING: ReadonlySet<string> = wordSet('includes startsWith endsWith indexOf has get localeCompare')
const OVERRIDE = /^x-(?:http-)?method(?:-override)?$/i

/** What can be told from a node alone, wherever it stands: names, spellings, odd characters. */
interface Look {
  readonly visit: Visitor
  /** Once the scope pass knows every name. */
  finish(): void
}

export function createLook(code: string, sink: Sink, mentioned: Set<string>): Look {
  const references: { readonly node: Node; readonly parent: Node | null }[] = []
  const names = new Map<string, number>()

  const name = (node: Node, parent: Node | null): void => {
    const line = lineOf(node)
    if (!code.startsWith(node.name, node.start)) sink.danger('escaped_name', line, node.name)
    if (!names.has(node.name)) names.set(node.name, line)
    if (!isDeclared(node, parent) && !isOfPlatform(node, parent)) mentioned.add(node.name)
    if (NAME_DANGERS.has(node.name) && !isKey(node, parent)) references.push({ node, parent })
  }

  const string = (node: Node, parent: Node | null): void => {
    const line = lineOf(node)
    const isTemplate = node.type === 'TemplateElement'
    const raw = isTemplate ? node.value.raw : code.slice(node.start, node.end)
    const value = isTemplate ? (node.value.cooked ?? '') : String(literalOf(node))
    if (
      raw.includes('\\') &&
      (raw.match(PLAIN_LETTER) ?? []).some((spelling) => /[A-Za-z0-9]/.test(unescaped(spelling)))
    ) {
      sink.danger('escaped_name', line, value)
    }
    if (isOddAddress(value)) sink.danger('odd_address', line, value)
    if (value.length < 64) mentioned.add(value)
    if (ODD_BLANK.test(raw) && isCompared(node, parent)) sink.danger('odd_spaces', line)
    if (OVERRIDE.test(value)) sink.danger('method_override', line, value)
  }

  return {
    visit(node, parent) {
      if (node.type === 'Identifier') name(node, parent)
      else if (node.type === 'StringLiteral' || node.type === 'TemplateElement') string(node, parent)
      else if (node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression') {
        const { object, property, computed } = node
        if (computed || object.type !== 'Identifier') return
        const full = `${object.name}.${property.name}`
        if (NAME_DANGERS.has(full) || (GLOBAL_OBJECTS.has(object.name) && NAME_DANGERS.has(property.name))) {
          references.push({ node, parent })
        }
        if (property.name === 'constructor') references.push({ node, parent })
      }
    },
    finish() {
      for (const { node, parent } of references) {
        if (node.type === 'Identifier') {
          const danger = NAME_DANGERS.get(node.name)
          if (node.binding === null && danger !== undefined && !isHarmless(node, parent))
            sink.danger(danger, lineOf(node), node.name)
          continue
        }
        const { object, property } = node
        if (object.binding !== null) continue
        const full = GLOBAL_OBJECTS.has(object.name) ? property.name : `${object.name}.${property.name}`
        const danger = NAME_DANGERS.get(full)
        if (danger !== undefined) sink.danger(danger, lineOf(node), full)
      }
      for (const [first, second] of confusablePairs(names.keys())) {
        sink.danger('confusable_names', names.get(second) ?? 1, `${first} / ${second}`)
        sink.danger('confusable_names', names.get(first) ?? 1, `${first} / ${second}`)
      }
    },
  }
}

const unescaped = (spelling: string): string =>
  String.fromCharCode(Number.parseInt(spelling.replace(/^\\(?:u\{?|x)|\}$/g, ''), 16))

/** `get` of `Deno.env.get` is no function of the program's own. */
function isOfPlatform(node: Node, parent: Node | null): boolean {
  if (parent === null || !/Member/.test(parent.type) || parent.property !== node || parent.computed)
    return false
  let root = parent.object
  // No name of the platform is longer; a bound keeps a chain of many members linear.
  for (let level = 0; level < 4 && /Member/.test(root.type); level++) root = root.object
  return root.type === 'Identifier' && GLOBALS.has(root.name)
}

/** Where a name is given to something rather than used. */
const isDeclared = (node: Node, parent: Node | null): boolean =>
  parent !== null &&
  ((parent.type === 'VariableDeclarator' && parent.id === node) ||
    (parent.key === node && !parent.computed && !(parent.type === 'ObjectProperty' && parent.shorthand)))

const isKey = (node: Node, parent: Node | null): boolean => {
  if (parent === null) return false
  if (/Member/.test(parent.type)) return parent.property === node && !parent.computed
  return parent.key === node && !parent.computed && !(parent.type === 'ObjectProperty' && parent.shorthand)
}

/** `x instanceof Function`, `typeof Worker`, `Function.prototype.call` make nothing run. */
function isHarmless(node: Node, parent: Node | null): boolean {
  if (parent === null) return false
  if (parent.type === 'BinaryExpression' && parent.operator === 'instanceof') return parent.right === node
  if (parent.type === 'UnaryExpression' && parent.operator === 'typeof') return true
  if (node.name !== 'Function') return false
  return (
    /Member/.test(parent.type) &&
    !parent.computed &&
    (parent.property.name === 'prototype' || parent.property.name === 'name')
  )
}

function isCompared(node: Node, parent: Node | null): boolean {
  if (parent === null) return false
  if (node.type === 'TemplateElement') return false
  switch (parent.type) {
    case 'BinaryExpression':
      return /^[=!]==?$/.test(parent.operator)
    case 'SwitchCase':
      return parent.test === node
    case 'ObjectProperty':
      return parent.key === node
    case 'MemberExpression':
    case 'OptionalMemberExpression':
      return parent.property === node
    case 'CallExpression': {
      const callee = bare(parent.callee)
      return callee.type === 'MemberExpression' && !callee.computed && COMPARING.has(callee.property.name)
    }
    default:
      return false
  }
}
