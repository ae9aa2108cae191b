import type { z } from 'zod'
import type { explainBody } from '../../contracts/admin/index.ts'
import type { Agent } from '../../identity/agents/index.ts'
import { MAX_NAMED } from '../../kernel/index.ts'
import type { ExecuteRequest, Executions, Explanation } from '../index.ts'

/** Stands for the agent that has not asked yet. */
const NOBODY = { id: 'agt_none', name: '(not asked yet)' } as Agent

/** What a program would ask for. What is left out is what the program itself names: its hosts, its secrets. */
export async function explainProgram(
  executions: Pick<Executions, 'explain'>,
  body: z.infer<typeof explainBody>,
  signal: AbortSignal,
): Promise<Explanation> {
  const request: ExecuteRequest = {
    skillId: 'explain',
    code: body.code,
    runtime: body.runtime,
    argsJson: null,
    network: body.network ?? [],
    secrets: (body.secrets ?? []).map((name) => ({ name })),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.dynamic_code === undefined ? {} : { dynamicCode: body.dynamic_code }),
  }
  const first = await executions.explain(NOBODY, request, signal)
  if (body.network !== undefined && body.secrets !== undefined) return first
  const { requests, secrets } = first.facts
  const hosts = [...new Set(requests.flatMap(({ host }) => host ?? []))]
  const names = secrets.map(({ name }) => name).filter((name) => name !== '*')
  return await executions.explain(
    NOBODY,
    {
      ...request,
      network: body.network ?? hosts.slice(0, MAX_NAMED),
      secrets: (body.secrets ?? names.slice(0, MAX_NAMED)).map((name) => ({ name })),
    },
    signal,
  )
}
