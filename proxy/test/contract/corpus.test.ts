import { describe, expect, test } from 'vitest'
import { CARD_LINES } from '../../src/surfaces/telegram/card-message.ts'
import { allDeceptive, allHonest } from '../corpus/index.ts'
import { assessDeceptive, falseAlarms, show } from '../corpus/verdict.ts'

/** The corpus of requests, put to the card: nobody is deceived without a word, and honest programs are left alone. */
const MAX_FALSE = 0.03

describe('the corpus', () => {
  const deceptive = allDeceptive()
  const honest = allHonest()

  test('is large, and no id stands twice', () => {
    const ids = [...deceptive, ...honest].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(deceptive.length).toBeGreaterThanOrEqual(400)
    expect(new Set(deceptive.map(({ family }) => family)).size).toBeGreaterThanOrEqual(60)
    expect(honest.length).toBeGreaterThanOrEqual(300)
  })

  test('holds no deceptive request that passes silently, or whose warning a phone does not show', () => {
    const missed = deceptive.flatMap((item) => {
      const { verdict } = assessDeceptive(item)
      return verdict === 'told' ? [] : [`${verdict} ${item.id}`]
    })
    expect(missed).toEqual([])
  })

  test(`warns of at most ${MAX_FALSE * 100} % of honest programs what they do not deserve`, () => {
    const alarmed = honest.flatMap((item) => {
      const { alarms } = falseAlarms(item)
      return alarms.length === 0 ? [] : [`${item.id}: ${alarms.join(' | ')}`]
    })
    expect(alarmed.length, alarmed.join('\n')).toBeLessThanOrEqual(MAX_FALSE * honest.length)
  })

  test('fits a phone with every card', () => {
    const long = [...deceptive, ...honest].filter(({ request }) => {
      const card = show(request)
      return card.refused === null && card.phoneLines > CARD_LINES
    })
    expect(long.map(({ id }) => id)).toEqual([])
  })
})
