/**
 * Forms in which the configuration of some client names a variable: `${X}`, `${env:X}`, `${X:-…}`, `$X`, `{env:X}`, `%X%`. A client that
 * knows another form sends the text as it stands (docs/clients/README.md, "MCP: the token from a variable").
 */
const NAMED = /^(?:bearer\s+)?(?:\$\{(?:env:)?\w+(?::-.*)?\}|\$\w+|\{env:\w+\}|%\w+%)$/i
const EMPTY = /^bearer$/i

/**
 * What to add to the refusal of a credential whose text shows why it is not good: a sentence with a space before it, or nothing. The text
 * is not repeated.
 */
export function variableInToken(credential: string | undefined): string {
  const text = credential?.trim() ?? ''
  if (NAMED.test(text))
    return ' What came is the name of a variable: this client puts none in there, or wants another form of it.'
  return EMPTY.test(text)
    ? ' Nothing came behind "Bearer": the variable may not be set where this client runs.'
    : ''
}
