import { describe, expect, it } from 'vitest'
import { remembering } from './remembering.ts'

describe('what is remembered of a function', () => {
  const counted = () => {
    const asked: string[] = []
    const answer = remembering((text) => {
      asked.push(text)
      return text === 'none' ? null : text.length
    })
    return { asked, answer }
  }

  it('is worked out once, also where the answer is null', () => {
    const { asked, answer } = counted()
    expect([answer('none'), answer('none'), answer('four'), answer('four')]).toEqual([null, null, 4, 4])
    expect(asked).toEqual(['none', 'four'])
  })

  it('is no answer to a long text', () => {
    const { asked, answer } = counted()
    const long = 'x'.repeat(201)
    expect([answer(long), answer(long)]).toEqual([201, 201])
    expect(asked).toHaveLength(2)
  })

  it('is forgotten when there is too much of it', () => {
    const { asked, answer } = counted()
    for (let one = 0; one <= 500; one += 1) answer(`${one}`)
    answer('0')
    answer('500')
    expect(asked).toHaveLength(502)
  })
})
