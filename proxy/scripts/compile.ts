/**
 * `npm run build`: writes what the container runs, proxy/dist, from proxy/src. Node takes the types out and leaves blanks in
 * their place, so lines and columns stay; what imports a `.ts` file imports the `.js` beside it. It needs nothing but the
 * packages that the daemon itself runs on, so an image is built without compiler and tests.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { parse } from '@babel/parser'

const from = join(import.meta.dirname, '../src')
const to = join(import.meta.dirname, '../dist')

interface Literal {
  readonly type: string
  readonly value?: unknown
  readonly start: number
  readonly end: number
}

/** The places in a program that name another module by a fixed text. */
function specifiers(code: string): Literal[] {
  const found: Literal[] = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const one of node) visit(one)
    if (node === null || typeof node !== 'object' || Array.isArray(node)) return
    const { type, source } = node as { type?: string; source?: Literal | null }
    if (type !== undefined && /^(?:Import|Export)/.test(type) && source?.type === 'StringLiteral')
      found.push(source)
    for (const value of Object.values(node)) visit(value)
  }
  visit(parse(code, { sourceType: 'module', createImportExpressions: true }).program.body)
  return found
}

function compile(source: string): string {
  let code = stripTypeScriptTypes(source)
  for (const { value, start, end } of specifiers(code).sort((a, b) => b.start - a.start)) {
    if (typeof value !== 'string' || !/^\.{1,2}\/.*\.ts$/.test(value)) continue
    code = `${code.slice(0, start)}'${value.replace(/ts$/, 'js')}'${code.slice(end)}`
  }
  return code
}

rmSync(to, { recursive: true, force: true })
for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue
  const target = join(to, name.replace(/ts$/, 'js'))
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, compile(readFileSync(join(from, name), 'utf8')))
}
