import { expect, it } from 'vitest'
import { variableInToken } from './variable-in-token.ts'

it.each([
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as clients' configuration has it
  ...['Bearer ${X}', 'bearer ${env:X_1}', '${X:-none}', 'Bearer $TOKEN', '{env:TOKEN}', 'Bearer %TOKEN%'],
])('sees the name of a variable in %s', (text) => expect(variableInToken(text)).toMatch(/^ .*variable.*\.$/))

it.each(['Bearer', 'Bearer ', ' bearer'])('sees that nothing is in %j', (text) =>
  expect(variableInToken(text)).toMatch(/^ Nothing came/),
)

it.each([undefined, '', 'Bearer oa3_x', 'Basic dTpw', 'Bearer a$b', 'Bearer ${', '$5.00', '100%'])(
  'says nothing of %j',
  (text) => expect(variableInToken(text)).toBe(''),
)
