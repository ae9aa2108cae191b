import { expect, it } from 'vitest'
import type { EgressSession } from '../../egress/index.ts'
import type { AgentId, MachineId } from '../../kernel/index.ts'
import { changedHosts } from './egress-list.ts'
import { openMachineEgress } from './machine-egress.ts'

it('counts anew each hour, and ends what is under way only where the list is another one', async () => {
  let now = 0
  let cuts = 0
  let ask: () => EgressSession | null = () => null
  const begun: { hosts: readonly string[]; ended: boolean }[] = []
  const egress = await openMachineEgress(
    {
      endpoints: {
        async openLasting(_folder, sessions) {
          ask = sessions
          const cut = (): void => {
            cuts += 1
          }
          return { cut, close: async () => {} }
        },
      },
      sessions: {
        begin(_id, { network }) {
          const one = { hosts: network.map(({ host }) => host), ended: false }
          begun.push(one)
          const end = (): void => {
            one.ended = true
          }
          return { end } as unknown as EgressSession
        },
      },
      clock: { now: () => now },
      machine: 'mch_1' as MachineId,
      agent: 'agt_1' as AgentId,
      folder: '/none',
      mayGo: () => now < 10_000_000,
    },
    ['a.test'],
  )
  const first = ask()
  now = 3_599_999
  expect(ask()).toBe(first)
  now = 3_600_000
  expect(ask()).not.toBe(first)
  expect(begun.map(({ ended }) => ended)).toEqual([true, false])
  egress.allow(['a.test'])
  expect(cuts).toBe(0)
  egress.allow(['a.test', 'b.test'])
  expect(cuts).toBe(1)
  ask()
  expect(begun.at(-1)).toEqual({ hosts: ['a.test', 'b.test'], ended: false })
  now = 10_000_000
  expect(ask()).toBeNull()
})

it('a list is sorted, has each host once, and an end', () => {
  expect(changedHosts(['b.test', 'a.test'], ['a.test', 'c.test'], ['b.test'])).toEqual(['a.test', 'c.test'])
  const many = Array.from({ length: 101 }, (_, at) => `h${at}.test`)
  expect(() => changedHosts([], many, [])).toThrow('at most 100')
})
