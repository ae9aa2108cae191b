import { z } from 'zod'
import { ERROR_TABLE, type ErrorCode, formatBytes } from '../kernel/index.ts'
import type { Route } from './route.ts'

/** A route with what a reference says of it beside its form. */
export interface DescribedRoute extends Route {
  /** Request headers that it reads. */
  readonly headers?: readonly { readonly name: string; readonly description: string }[]
  /** What it answers when it does what it is for, by status; 200 with `answer` when left out. */
  readonly answers?: Readonly<Record<number, DescribedAnswer>>
}

interface DescribedAnswer {
  readonly description: string
  /** application/json when left out. */
  readonly mediaType?: string
  /** One of these forms; none: there is no body. */
  readonly schemas?: readonly z.ZodType[]
  readonly headers?: Readonly<Record<string, string>>
}

export interface ApiDescription {
  readonly title: string
  readonly version: string
  readonly description: string
  readonly routes: Readonly<Record<string, DescribedRoute>>
  /** What every route whose scope is not `open` may refuse. */
  readonly always: readonly ErrorCode[]
  readonly securitySchemes: JsonSchema
  /** Forms that have a name of their own; all others stand where they are used. */
  readonly named: Readonly<Record<string, NamedSchema>>
}

interface NamedSchema {
  readonly schema: z.ZodType
  readonly io: 'input' | 'output'
}

type JsonSchema = Record<string, unknown>

const BYTES = 'application/octet-stream'

const errorView = z.strictObject({
  error: z.strictObject({
    code: z.enum(Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    details: z.unknown().optional(),
  }),
})

const jsonSchemaOf = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema
  return rest
}

const textHeader = (description: string): JsonSchema => ({ description, schema: { type: 'string' } })

/** OpenAPI 3.1 of a table of routes, from the very schemas that check requests and type answers. */
export function describeApi(api: ApiDescription): JsonSchema {
  const named = { ...api.named, Error: { schema: errorView, io: 'output' as const } }
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
    const name = Object.entries(named).find(([, one]) => one.schema === schema && one.io === io)?.[0]
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
    const inline = jsonSchemaOf(schema, io)
    const { properties, additionalProperties: _, ...rest } = inline
    const isAnyObject = typeof properties === 'object' && Object.keys(properties ?? {}).length === 0
    return isAnyObject ? rest : inline
  }
  const answerOf = (answer: DescribedAnswer): JsonSchema => {
    const forms = answer.schemas?.map((schema) => schemaOf(schema, 'output'))
    return {
      description: answer.description,
      ...(answer.headers && {
        headers: Object.fromEntries(
          Object.entries(answer.headers).map(([name, description]) => [name, textHeader(description)]),
        ),
      }),
      ...(forms && {
        content: {
          [answer.mediaType ?? 'application/json']: {
            schema: forms.length === 1 ? forms[0] : { anyOf: forms },
          },
        },
      }),
    }
  }
  const operationOf = (operationId: string, route: DescribedRoute): JsonSchema => {
    const isOpen = route.scope === 'open'
    const parameters = parametersOf(route)
    const answers = route.answers ?? {
      200: {
        description: route.isLines
          ? 'JSON Lines, each of this form.'
          : route.isEvents
            ? 'Server-sent events, the data of each of this form.'
            : route.isBytes
              ? 'The file, as an attachment.'
              : 'Done.',
        ...(route.isLines && { mediaType: 'application/x-ndjson' }),
        ...(route.isEvents && { mediaType: 'text/event-stream' }),
        ...(route.isBytes && { mediaType: BYTES }),
        schemas: [route.answer],
      },
    }
    return {
      operationId,
      summary: route.summary,
      ...(isOpen && { security: [] }),
      ...(parameters.length > 0 && { parameters }),
      ...(route.body && {
        requestBody: {
          required: true,
          content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
        },
      }),
      ...(route.takesBytes && {
        requestBody: {
          description: `Bytes as they are, ${formatBytes(route.maxBodyBytes ?? 0)} at most; Content-Length says how many.`,
          required: true,
          content: { [BYTES]: { schema: { type: 'string', format: 'binary' } } },
        },
      }),
      responses: {
        ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])),
        ...(isOpen ? {} : refusalsOf([...route.errors, ...api.always])),
      },
    }
  }
  const paths: Record<string, JsonSchema> = {}
  for (const [name, route] of Object.entries(api.routes)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(name, route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: api.title, version: api.version, description: api.description },
    security: Object.keys(api.securitySchemes).map((name) => ({ [name]: [] })),
    paths,
    components: {
      securitySchemes: api.securitySchemes,
      schemas: Object.fromEntries(
        Object.entries(named).map(([name, { schema, io }]) => [name, jsonSchemaOf(schema, io)]),
      ),
    },
  }
}

/** One answer for each status; codes that share a status are told together. */
function refusalsOf(codes: readonly ErrorCode[]): JsonSchema {
  const byStatus = Map.groupBy(codes, (code) => ERROR_TABLE[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      String(status),
      {
        description: those.map((code) => `\`${code}\`: ${ERROR_TABLE[code].help}`).join(' '),
        ...(those.some((code) => ERROR_TABLE[code].retryable) && {
          headers: { 'Retry-After': textHeader('Seconds to wait.') },
        }),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  )
}

function parametersOf(route: DescribedRoute): JsonSchema[] {
  const open = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  const params = route.params ? propertiesOf(route.params) : {}
  const query = route.query ? propertiesOf(route.query) : {}
  return [
    ...open.map((name) => parameter(name, 'path', params[name] ?? { type: 'string' }, { required: true })),
    ...Object.entries(query).map(([name, schema]) => parameter(name, 'query', schema)),
    ...(route.headers ?? []).map(({ name, description }) =>
      parameter(name, 'header', { type: 'string', description }),
    ),
  ]
}

function parameter(
  name: string,
  place: 'path' | 'query' | 'header',
  { description, ...schema }: JsonSchema,
  more: JsonSchema = {},
): JsonSchema {
  return { name, in: place, ...more, schema, ...(description === undefined ? {} : { description }) }
}

const propertiesOf = (schema: z.ZodType): Record<string, JsonSchema> =>
  (jsonSchemaOf(schema, 'input').properties ?? {}) as Record<string, JsonSchema>
