import { lineOf, literalOf, type Node } from './ast.ts'
import { getMember } from './members.ts'
import { moduleKind } from './modules.ts'
import { type Run, setVariable } from './run.ts'
import { anything, builtin, constantOf, type Frame, isDecoded, type Value } from './values.ts'

/** A `data:` address may be as long as a program: its beginning says what it is. */
const LONGEST_SPECIFIER = 500

/** Puts an import by a constant name down and gives what it brings. */
function importNamed(run: Run, specifier: string, node: Node, dynamic: boolean, isType = false): Value {
  const line = lineOf(node)
  run.sink.import({ line, specifier: specifier.slice(0, LONGEST_SPECIFIER), dynamic })
  if (isType) return anything('computed')
  const kind = moduleKind(specifier)
  if (kind.danger !== null) run.sink.danger(kind.danger, line, specifier)
  if (kind.sends) run.sink.danger('opaque_sender', line, specifier)
  if (kind.name !== null) return builtin(kind.name)
  return anything('computed', { role: 'package' })
}

/** `import(value)` and `require(value)`. */
export function importModule(run: Run, value: Value, node: Node, dynamic: boolean): Value {
  const results: Value[] = []
  for (const one of value) {
    const constant = constantOf(one)
    const line = lineOf(node)
    if (constant === null) {
      const first = one.k === 'text' ? one.parts[0] : undefined
      run.sink.import({ line, specifier: null, dynamic })
      if (typeof first === 'string' && /^(?:data|blob|file):/i.test(first))
        run.sink.danger('text_import', line, first.slice(0, 24))
      else
        run.sink.danger(
          dynamic ? 'computed_import' : 'code_from_text',
          line,
          dynamic ? undefined : 'require of a computed name',
        )
      results.push(anything('computed', { role: 'package' }))
    } else {
      if (isDecoded(one)) run.sink.danger('computed_import', line, 'decoded')
      results.push(importNamed(run, constant, node, dynamic))
    }
  }
  return results.flat()
}

/** An import or re-export declaration. */
export function runImport(run: Run, node: Node, frame: Frame): void {
  if (node.type === 'TSImportEqualsDeclaration') {
    const reference = (node as unknown as { moduleReference: Node }).moduleReference
    if (reference.type !== 'TSExternalModuleReference' || !node.id?.binding) return
    setVariable(
      run,
      node.id.binding,
      importNamed(run, String(literalOf(reference.expression)), node, false),
      frame,
      true,
    )
    return
  }
  if (!node.source) return
  const isType = node.importKind === 'type' || node.exportKind === 'type'
  const whole = importNamed(run, String(literalOf(node.source)), node, false, isType)
  if (node.type !== 'ImportDeclaration') return
  for (const one of node.specifiers) {
    const { binding } = one.local
    if (!binding) continue
    let value = whole
    if (one.type === 'ImportDefaultSpecifier') value = getMember(run, whole, 'default', node)
    else if (one.type === 'ImportSpecifier') {
      value = getMember(
        run,
        whole,
        one.imported.type === 'Identifier' ? one.imported.name : String(literalOf(one.imported)),
        node,
      )
    }
    setVariable(run, binding, value, frame, true)
  }
}
