import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ACCOUNT_ROUTES, CHAT_ROUTES, SOCKET_ROUTES } from './accounts/index.ts'
import { ADMIN_ROUTES } from './admin/index.ts'
import { AGENT_ROUTES } from './agent/index.ts'
import { CLAUDE_RUNS_ROUTES } from './claude-runs/index.ts'
import { CONSOLE_ROUTES } from './console/index.ts'
import { createRouteClient, pathOf, type Route, type RouteHandlers, type RouteRequest } from './index.ts'

const ROUTES = {
  readThing: {
    method: 'GET',
    path: '/things/:name',
    summary: 'One.',
    scope: 'owner',
    query: z.strictObject({ limit: z.string().optional() }),
    answer: z.object({ name: z.string() }),
    errors: ['not_found'],
  },
  putThing: {
    method: 'PUT',
    path: '/things/:name',
    summary: 'Store it.',
    scope: 'owner',
    body: z.strictObject({ hosts: z.array(z.string()) }),
    answer: z.object({ name: z.string() }),
    errors: [],
  },
} as const satisfies Readonly<Record<string, Route>>

/** A client whose requests are kept, and which is answered with `answer`. */
function clientAnswered(answer: unknown) {
  const sent: RouteRequest[] = []
  const client = createRouteClient(ROUTES, {
    send: async (request) => {
      sent.push(request)
      return answer
    },
    async *lines() {},
    bytes: async () => new Uint8Array(),
    strangeAnswer: () => new Error('strange'),
  })
  return { client, sent }
}

describe('a path', () => {
  test('has what is filled in encoded, so that a name stays one segment', () => {
    expect(pathOf('/things/:name/x', { name: '../a b?c#d/e' })).toBe('/things/..%2Fa%20b%3Fc%23d%2Fe/x')
  })
  test('names only what the query has', () => {
    const query = { limit: 5, before: undefined, host: 'a&b' }
    expect(pathOf('/things', {}, query)).toBe('/things?limit=5&host=a%26b')
  })
  test('is not built with a segment missing', () => {
    expect(() => pathOf('/things/:name')).toThrow(TypeError)
  })
})

describe('a client of a table', () => {
  test('sends what the route says and gives back what the schema says', async () => {
    const { client, sent } = clientAnswered({ name: 'one', surplus: 1 })
    const call = { params: { name: 'one' }, body: { hosts: ['a.example'] } }
    expect(await client.call('putThing', call)).toEqual({ name: 'one' })
    expect(sent).toEqual([{ method: 'PUT', path: '/things/one', body: { hosts: ['a.example'] } }])
  })
  test('refuses an answer of another form', async () => {
    const { client } = clientAnswered({ name: 1 })
    await expect(client.call('readThing', { params: { name: 'one' } })).rejects.toThrow('strange')
  })
})

test('what stands on one side only does not compile', () => {
  const { client } = clientAnswered({ name: 'one' })
  const wrong = [
    // @ts-expect-error There is no such route.
    () => client.call('removeThing', { params: { name: 'one' } }),
    // @ts-expect-error The path has a segment to fill in.
    () => client.call('readThing', {}),
    // @ts-expect-error The body has no such member.
    () => client.call('putThing', { params: { name: 'one' }, body: { hosts: [], port: 1 } }),
    // @ts-expect-error The query has no such member.
    () => client.call('readThing', { params: { name: 'one' }, query: { before: '1' } }),
  ]
  expect(wrong).toHaveLength(4)
  // @ts-expect-error A route has no handler.
  const missing: RouteHandlers<typeof ROUTES> = { readThing: () => ({ name: 'one' }) }
  const surplus: RouteHandlers<typeof ROUTES> = {
    readThing: ({ params }) => ({ name: params.name }),
    putThing: ({ params }) => ({ name: params.name }),
    // @ts-expect-error A handler has no route.
    removeThing: () => ({ name: 'one' }),
  }
  const otherAnswer: RouteHandlers<typeof ROUTES> = {
    readThing: ({ params }) => ({ name: params.name }),
    // @ts-expect-error The answer is of another form.
    putThing: () => ({ id: 1 }),
  }
  expect([missing, surplus, otherAnswer]).toHaveLength(3)
})

/** Patterns in what a schema checks that would be told as they stand. */
function wordless(value: unknown, seen = new Set<unknown>()): readonly string[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return []
  seen.add(value)
  if ('_zod' in value) return wordless((value._zod as { readonly def: unknown }).def, seen)
  const { pattern, format, error } = value as Readonly<Record<string, unknown>>
  const own = format === 'regex' && pattern instanceof RegExp && error === undefined ? [String(pattern)] : []
  return [...own, ...Object.values(value).flatMap((part) => wordless(part, seen))]
}

test('what has not the form that is asked for is refused in words, and by no pattern', () => {
  expect(wordless(z.object({ a: z.string().regex(/x/).optional() }))).toEqual(['/x/'])
  const tables: readonly Readonly<Record<string, object>>[] = [
    ...[ADMIN_ROUTES, AGENT_ROUTES, CLAUDE_RUNS_ROUTES, CONSOLE_ROUTES],
    ...[ACCOUNT_ROUTES, CHAT_ROUTES, SOCKET_ROUTES],
  ]
  const found = tables.flatMap((table) =>
    Object.entries<{ query?: unknown; body?: unknown }>(table).flatMap(([name, { query, body }]) =>
      [...wordless(query), ...wordless(body)].map((pattern) => `${name}: ${pattern}`),
    ),
  )
  expect(found).toEqual([])
})
