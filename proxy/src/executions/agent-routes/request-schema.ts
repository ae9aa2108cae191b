import type { z } from 'zod'
import { executeBodyWith } from '../../contracts/agent/index.ts'
import { skillName } from '../../contracts/registry/index.ts'
import { methodProblem, parsePathPattern } from '../../egress/capabilities/index.ts'
import { AppError, canonicalJson } from '../../kernel/index.ts'
import type { ExecuteRequest, NetworkEntry, RequestedSecret } from '../index.ts'

const MAX_ARGS_BYTES = 65_536

const checkedBody = executeBodyWith({
  method: methodProblem,
  path(text) {
    const pattern = parsePathPattern(text)
    return 'problem' in pattern ? pattern.problem : null
  },
})
type ExecuteBody = z.output<typeof checkedBody>
type NetworkBody = NonNullable<NonNullable<ExecuteBody['metadata']>['network']>[number]
type SecretBody = NonNullable<ExecuteBody['secrets']>[number]

/** The body of POST /execute; AppError `invalid_request` with every issue, `too_large` for args. */
export function parseExecuteBody(value: unknown): ExecuteRequest {
  const parsed = checkedBody.safeParse(value)
  if (!parsed.success) throw invalidBody(parsed.error)
  const body = parsed.data
  const argsJson = body.args === undefined ? null : canonicalJson(body.args)
  if (argsJson !== null && Buffer.byteLength(argsJson) > MAX_ARGS_BYTES) {
    throw new AppError('too_large', `args are at most ${MAX_ARGS_BYTES} bytes of JSON.`)
  }
  const asked = body.secrets ?? body.metadata?.secrets
  return {
    skillId: body.skill_id ?? skillName(body.skill ?? ''),
    runtime: body.runtime,
    argsJson,
    ...given('code', body.code),
    ...given('skillUrl', body.skill_url),
    ...given('skill', body.skill),
    ...given('codeHash', body.code_hash),
    ...given('secrets', asked?.map(requestedSecret)),
    ...given('description', body.metadata?.description),
    ...given('network', body.metadata?.network?.map(networkOf)),
    ...given('dynamicCode', body.dynamic_code),
    ...given('timeoutSeconds', body.metadata?.timeout),
    ...given('memoryMib', body.metadata?.memory),
  }
}

function networkOf(entry: NetworkBody): NetworkEntry {
  if (typeof entry === 'string') return entry
  return {
    host: entry.host,
    ...given('methods', entry.methods),
    ...given('paths', entry.paths),
    ...given('requests', entry.requests),
    ...given('websocket', entry.websocket),
    ...given('graphql', entry.graphql),
  }
}

function requestedSecret(secret: SecretBody): RequestedSecret {
  if (typeof secret === 'string') return { name: secret }
  return {
    name: secret.name,
    ...given('mode', secret.mode),
    ...given('hosts', secret.hosts),
    ...given('in', secret.in),
  }
}

/** Every issue as `{path, message}`; those of a union's branches are told where they are. */
export function invalidBody(error: z.ZodError): AppError {
  const details = error.issues.flatMap((issue) => flatten(issue, [])).slice(0, 50)
  return new AppError('invalid_request', 'The request does not have the documented form; see details.', {
    details,
  })
}

type Issue = z.core.$ZodIssue

function flatten(
  issue: Issue,
  above: readonly PropertyKey[],
): { path: (string | number)[]; message: string }[] {
  const path = [...above, ...issue.path].map((key) =>
    typeof key === 'number' ? key : String(key).slice(0, 128),
  )
  if (issue.code === 'invalid_union') {
    const closest = issue.errors.find((branch) =>
      branch.every((inner) => inner.path.length > 0 || inner.code !== 'invalid_type'),
    )
    if (closest) return closest.flatMap((inner) => flatten(inner, path))
  }
  return [{ path, message: issue.message.slice(0, 300) }]
}

const given = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })
