import { describe, expect, it } from 'vitest'
import { DEFAULT_TENANT } from '../../kernel/index.ts'
import type { SessionId } from '../index.ts'
import { createTickets, type TicketHolder } from './index.ts'

const holder = (session: string): TicketHolder => ({
  ...{ kind: 'session', tenant: DEFAULT_TENANT, session: session as SessionId },
})
const USE = { machine: 'mch_1', purpose: 'vnc' } as const

describe('a ticket', () => {
  const open = () => {
    let now = 1_000_000
    return {
      tickets: createTickets({ clock: { now: () => now } }),
      pass: (ms: number) => {
        now += ms
      },
    }
  }

  it('opens what it was issued for, once', () => {
    const { tickets } = open()
    const { ticket, expiresAt } = tickets.issue(holder('a'), USE)
    expect(expiresAt).toBe(1_030_000)
    expect(tickets.take(ticket, USE)).toEqual(holder('a'))
    expect(tickets.take(ticket, USE)).toBeUndefined()
  })

  it('opens nothing else, and is burnt by the try', () => {
    const { tickets } = open()
    for (const other of [
      { ...USE, machine: 'mch_2' },
      { ...USE, purpose: 'cloudbot' as const },
    ]) {
      const { ticket } = tickets.issue(holder('a'), USE)
      expect(tickets.take(ticket, other)).toBeUndefined()
      expect(tickets.take(ticket, USE)).toBeUndefined()
    }
    expect(tickets.take('ot_', USE)).toBeUndefined()
    expect(tickets.take('x'.repeat(46), USE)).toBeUndefined()
  })

  it.each([30_000, -1])('is over when the clock has gone by %i ms', (ms) => {
    const { tickets, pass } = open()
    const { ticket } = tickets.issue(holder('a'), USE)
    pass(ms)
    expect(tickets.take(ticket, USE)).toBeUndefined()
  })

  it('is one of a bounded number, of which nobody takes another’s place', () => {
    const { tickets } = open()
    const other = tickets.issue(holder('b'), USE)
    const own = Array.from({ length: 40 }, () => tickets.issue(holder('a'), USE).ticket)
    expect(own.filter((ticket) => tickets.take(ticket, USE) !== undefined)).toHaveLength(32)
    expect(tickets.take(other.ticket, USE)).toEqual(holder('b'))
  })
})
