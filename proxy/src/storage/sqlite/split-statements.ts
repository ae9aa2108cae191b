/** What may hide a semicolon or end a body: texts, names, comments, the beginning of a trigger, CASE and END. */
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\bCREATE\s+(?:TEMP(?:ORARY)?\s+)?TRIGGER\b|\bCASE\b|\bEND\b|;/gi

/** A script of SQLite's, statement by statement; what a trigger does is part of its own. */
export function splitStatements(sql: string): readonly string[] {
  const statements: string[] = []
  let from = 0
  let isTrigger = false
  let cases = 0
  const add = (to: number): void => {
    const statement = sql.slice(from, to).trim()
    if (statement !== '') statements.push(statement)
    from = to
  }
  for (const { 0: token, index } of sql.matchAll(TOKENS)) {
    const word = token.toUpperCase()
    if (word.startsWith('CREATE')) isTrigger = true
    else if (word === 'CASE') cases += 1
    else if (word === 'END' && cases > 0) cases -= 1
    else if (word === 'END') isTrigger = false
    else if (word === ';' && !isTrigger) add(index + 1)
  }
  add(sql.length)
  return statements
}
