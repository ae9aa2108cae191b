import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXECUTION_STATES } from '../../src/executions/index.ts'
import { ERROR_TABLE, SecretValue } from '../../src/kernel/index.ts'
import { type Answer, type ApiKit, startApi } from '../support/api-kit.ts'

/** The description against the daemon's real answers, by a validator that knows nothing of how it was made. */
interface Operation {
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>
  readonly requestBody?: object
}
interface Description {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, object> }
}

let api: ApiKit
let described: Description
let ajv: Ajv2020
beforeAll(async () => {
  api = await startApi()
  described = (await api.call('GET', '/openapi.json', { token: null })).json
  ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
  ajv.addSchema(described, 'api')
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const schema = (name: string): ValidateFunction => ajv.compile({ $ref: `api#/components/schemas/${name}` })

/** The answer's status is described for the operation, and its body has the described form. */
function expectDescribed(path: string, method: string, answer: Answer): void {
  const response = described.paths[path]?.[method]?.responses[String(answer.status)]
  expect(response, `${method} ${path} → ${answer.status}`).toBeDefined()
  const body = response?.content?.['application/json']?.schema as { $ref?: string } | undefined
  if (!body?.$ref) return
  const validate = ajv.compile({ $ref: `api${body.$ref}` })
  validate(answer.json)
  expect(validate.errors, `${method} ${path} → ${answer.status} ${answer.text}`).toBeNull()
}

test('GET /secrets names secrets and their hosts, and nothing else of them', async () => {
  await api.storage.transaction((tx) =>
    api.vault.put(tx, 'LISTED_KEY', new SecretValue('value-that-stays'), {
      hosts: ['api.example.com'],
      actor: 'cli:1000',
    }),
  )
  const answer = await api.call('GET', '/secrets')
  expectDescribed('/secrets', 'get', answer)
  expect(answer.json).toEqual({ secrets: [{ name: 'LISTED_KEY', hosts: ['api.example.com'] }] })
  expect(answer.text).not.toContain('value-that-stays')
  expectDescribed('/secrets', 'get', await api.call('GET', '/secrets', { token: null }))
})

const BODY = { skill_id: 'demo', code: 'console.log(1)' }

test('is OpenAPI 3.1 whose every reference leads somewhere', () => {
  expect(described.openapi).toBe('3.1.0')
  const references = JSON.stringify(described).match(/"\$ref":"[^"]+"/g) ?? []
  expect(references.length).toBeGreaterThan(10)
  for (const reference of references) {
    const name = /#\/components\/schemas\/(\w+)/.exec(reference)?.[1]
    expect(Object.keys(described.components.schemas)).toContain(name)
  }
})

test('names every path and method that the API has', async () => {
  for (const [path, operations] of Object.entries(described.paths)) {
    const probe = await api.call('PUT', path.replace('{id}', 'req_x'))
    expect(probe.status).toBe(405)
    const allowed = (probe.headers.get('allow') ?? '').toLowerCase().split(', ').sort()
    expect([path, Object.keys(operations).sort()]).toEqual([path, allowed])
  }
})

test('names every error code and every state', () => {
  const text = JSON.stringify(described.components.schemas)
  for (const name of [...Object.keys(ERROR_TABLE), ...EXECUTION_STATES]) expect(text).toContain(`"${name}"`)
})

const REFUSED = {
  method: 'GET',
  origin: 'https://evil.com',
  path: '/',
  status: null,
  requestBytes: 0,
  responseBytes: 0,
  secrets: [],
  refused: 'secret_not_for_host',
  rejected: ['DEMO_KEY'],
} as const

describe('real answers have the described form', () => {
  test('each state, in every operation that tells it', async () => {
    const pending = await api.execute({ ...BODY, secrets: ['NOT_STORED'] })
    expectDescribed('/execute', 'post', pending)
    const id: string = pending.json.request_id
    expectDescribed('/execute/{id}', 'get', await api.call('GET', `/execute/${id}`))
    await api.decide(id)
    const waiting = await api.call('GET', `/execute/${id}/status`)
    expect(waiting.json.status).toBe('awaiting_secrets')
    expectDescribed('/execute/{id}/status', 'get', waiting)
    expectDescribed('/execute/{id}', 'delete', await api.call('DELETE', `/execute/${id}`))
    expectDescribed('/execute/{id}/ack', 'post', await api.call('POST', `/execute/${id}/ack`))

    await api.decide((await api.execute(BODY)).json.request_id, 'forever')
    const success = await api.execute(BODY, { prefer: 'wait=5' })
    expect(success.json.status).toBe('success')
    expectDescribed('/execute', 'post', success)
    api.play = async (order) => {
      order.egress?.record(REFUSED)
      return { end: 'timeout', exitCode: null, durationMs: 30_000, truncated: true }
    }
    const failed = await api.execute(BODY, { prefer: 'wait=5' })
    expect(failed.json.error.code).toBe('timeout')
    expect(failed.json.network.refused).toHaveLength(1)
    expectDescribed('/execute', 'post', failed)

    const denied = await api.execute({ ...BODY, code: 'denied' })
    await api.decide(denied.json.request_id, 'deny')
    expectDescribed('/execute/{id}', 'get', await api.call('GET', `/execute/${denied.json.request_id}`))
    expectDescribed('/execute', 'get', await api.call('GET', '/execute'))
    expectDescribed('/health', 'get', await api.call('GET', '/health'))
  })

  test('each refusal', async () => {
    expectDescribed('/execute', 'post', await api.execute({}))
    expectDescribed('/execute', 'post', await api.execute({ ...BODY, code_hash: '0'.repeat(64) }))
    expectDescribed('/execute', 'post', await api.execute({ ...BODY, runtime: 'cobol' }))
    expectDescribed('/execute', 'post', await api.execute({ ...BODY, args: { a: 'a'.repeat(70_000) } }))
    expectDescribed('/execute', 'post', await api.call('POST', '/execute', { body: 'x' }))
    expectDescribed('/execute', 'post', await api.call('POST', '/execute', { token: null, body: 'x' }))
    expectDescribed('/execute', 'get', await api.call('GET', '/execute?limit=0'))
    expectDescribed('/execute/{id}', 'get', await api.call('GET', '/execute/req_x'))
    expectDescribed('/execute/{id}', 'delete', await api.call('DELETE', '/execute/req_x'))
    const { json } = await api.execute({ ...BODY, code: 'conflict' })
    expectDescribed('/execute/{id}/ack', 'post', await api.call('POST', `/execute/${json.request_id}/ack`))
    api.setAccepting(false)
    expectDescribed('/execute', 'post', await api.execute(BODY))
    api.setAccepting(true)
  })

  test('what the request schema takes and refuses, the daemon takes and refuses', async () => {
    const validate = schema('ExecuteRequest')
    const bodies: [object, boolean][] = [
      [BODY, true],
      [{ ...BODY, secrets: ['A', { name: 'B', mode: 'raw', hosts: [], in: ['header'] }] }, true],
      [
        {
          ...BODY,
          args: { deep: [{ a: null }] },
          metadata: { network: ['*.example.com'], timeout: 600, memory: 2_048 },
        },
        true,
      ],
      [{ ...BODY, skill_id: 'a b' }, false],
      [{ ...BODY, unknown: 1 }, false],
      [{ ...BODY, metadata: { timeout: 601 } }, false],
      [{ ...BODY, secrets: [{ mode: 'raw' }] }, false],
      [{ ...BODY, secrets: [{ name: 'B', in: [] }] }, false],
      [{ ...BODY, secrets: [{ name: 'B', in: ['trailer'] }] }, false],
      [{ ...BODY, secrets: [{ name: 'B', in: ['path', 'cookie', 'form'] }] }, true],
      [{ code: '1' }, false],
    ]
    for (const [body, fits] of bodies) {
      expect([body, validate(body)]).toEqual([body, fits])
      expect([body, (await api.execute(body)).status < 300]).toEqual([body, fits])
    }
  })

  test('an answer with one field more would be noticed', async () => {
    const validate = schema('Execution')
    const { json } = await api.execute({ ...BODY, code: 'one more' })
    expect(validate(json)).toBe(true)
    expect(validate({ ...json, token: 'x' })).toBe(false)
  })
})
