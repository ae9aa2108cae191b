import { expect, it } from 'vitest'
import { allowsModel, modelPatterns } from './models.ts'

it.each([
  ['sonnet', ['claude-sonnet-*'], true],
  ['sonnet', ['claude-sonnet-5-5'], true],
  ['claude-sonnet-5-5', ['sonnet'], true],
  ['sonnet', ['sonnet'], true],
  ['sonnet', ['claude-haiku-*'], false],
  ['opus', ['sonnet'], false],
  ['opusplan', ['claude-haiku-*'], false],
  // Nobody knows what it stands for.
  ['default', ['claude-*'], false],
  ['default', null, true],
  ['claude-opus-5-5', [], false],
] as const)('%s for an app that may use %j: %s', (model, models, isAllowed) => {
  expect(allowsModel({ models }, model)).toBe(isAllowed)
})

it('patterns go to the model’s end as ids', () => {
  expect(modelPatterns({ models: ['haiku', 'claude-opus-*'] })).toEqual(['claude-haiku-5-5', 'claude-opus-*'])
})
