import { describe, expect, test } from 'vitest'
import { CARD_LINES } from '../../src/notify/telegram/card-message.ts'
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

  test('holds no deceptive request that passes silently, or whose warning a phone does not show', async () => {
    const missed: string[] = []
    for (const item of deceptive) {
      const { verdict } = await assessDeceptive(item)
      if (verdict !== 'told') missed.push(`${verdict} ${item.id}`)
    }
    expect(missed).toEqual([])
  })

  test(`warns of at most ${MAX_FALSE * 100} % of honest programs what they do not deserve`, async () => {
    const alarmed: string[] = []
    for (const item of honest) {
      const { alarms } = await falseAlarms(item)
      if (alarms.length > 0) alarmed.push(`${item.id}: ${alarms.join(' | ')}`)
    }
    expect(alarmed.length, alarmed.join('\n')).toBeLessThanOrEqual(MAX_FALSE * honest.length)
  })

  test('fits a phone with every card', async () => {
    const long: string[] = []
    for (const { id, request } of [...deceptive, ...honest]) {
      const card = await show(request)
      if (card.refused === null && card.phoneLines > CARD_LINES) long.push(id)
    }
    expect(long).toEqual([])
  })
})
