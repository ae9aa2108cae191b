import type { IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { Exchange } from './exchange.ts'

const exchange = (): Exchange => new Exchange({} as IncomingMessage, null)
const held = (given: string[], name: string): Disposable => ({ [Symbol.dispose]: () => given.push(name) })

it('gives back what is held for it when it is over, also what comes after its end', () => {
  const given: string[] = []
  const one = exchange()
  one.keep(held(given, 'before'))
  expect(given).toEqual([])
  one.end()
  expect(given).toEqual(['before'])
  one.keep(held(given, 'after'))
  expect(given).toEqual(['before', 'after'])
})

it('tells those who wait that the client is gone, whenever they ask', () => {
  const early = exchange()
  const signal = early.gone()
  expect(signal.aborted).toBe(false)
  early.end()
  expect(signal.aborted).toBe(true)
  const late = exchange()
  late.end()
  expect(late.gone().aborted).toBe(true)
})
