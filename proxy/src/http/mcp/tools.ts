import { z } from 'zod'
import type { Approvals } from '../../approvals/index.ts'
import { executeBody, executionView, explanationView, secretsView } from '../../contracts/agent/index.ts'
import { explainExecution, submitExecution, viewWithApprovals } from '../../executions/agent-routes/index.ts'
import { type Executions, isFinal } from '../../executions/index.ts'
import type { Storage } from '../../kernel/index.ts'
import type { Vault } from '../../vault/index.ts'
import { type AgentGate, secretsOf } from '../agent-api/index.ts'
import { outputSchemaOf } from './output-schema.ts'
import { createRequestTools } from './request-tools.ts'
import { checked, jsonSchema, nothing, type Tool } from './tool.ts'

/** MCP clients give a call 60 s; an answer is held a good deal less. */
const MAX_HOLD_SECONDS = 45

export interface ToolDeps {
  readonly executions: Executions
  readonly vault: Pick<Vault, 'list'>
  readonly approvals: Approvals
  readonly storage: Pick<Storage, 'read' | 'tenant' | 'flushed'>
  readonly gate: AgentGate
}

const statusInput = z.strictObject({
  request_id: z.string().describe('The request_id that execute gave.'),
  wait: z.int().min(0).max(MAX_HOLD_SECONDS).default(0).describe('Seconds to wait for the final state.'),
})
/** Of `execute`, beside what HTTP takes in the body. */
const waiting = z.strictObject({
  wait: z
    .int()
    .min(0)
    .max(MAX_HOLD_SECONDS)
    .optional()
    .describe(
      'Seconds to wait for the person and the run; what is not final by then is answered with its request_id.',
    ),
})

/** Vendors of models take no alternatives at the top of a tool's schema: a tool is told to send the id always, of a skill its name. */
const { anyOf: _alternatives, ...members } = jsonSchema(executeBody)
const bodySchema = { ...members, required: ['skill_id'] }

export function createTools(deps: ToolDeps): readonly Tool[] {
  const { executions, storage, gate } = deps
  return [
    {
      name: 'execute',
      title: 'Ask to run code with secrets',
      description:
        'Asks a person to approve and run code that uses stored secrets (Deno TypeScript unless runtime says ' +
        'otherwise). A secret is an environment variable that holds a placeholder, not the value: send it as you would ' +
        'send the value, in a header of a request to a host of metadata.network, and the gateway puts the value in on ' +
        'the way. metadata.network entries may state {"host", "methods", "paths"}; a bare host gets what the code is seen to send ' +
        'there, and nothing else passes. For a query or a body ask with {"name", "in": ["query"]} or ["body"]. Code that must compute with the ' +
        'value, such as signing, needs {"name", "mode": "raw"}, of which the person is warned. A refused request is ' +
        'answered to the code with 403, error.rule and error.ask, the entry that would allow it. Answers at once with a request_id while a person must answer, ' +
        'or waits so many seconds as `wait` says; ask execution_status for the outcome. Code that was trusted before runs right away.',
      inputSchema: withOptions(bodySchema),
      outputSchema: outputSchemaOf(executionView),
      limit: 'execute',
      action: 'execution.submit',
      readOnly: false,
      async call({ caller: { agent }, input, signal }) {
        gate.assertAccepting()
        const { idempotency_key: key, wait, ...body } = input
        const { wait: waitSeconds } = checked(waiting, wait === undefined ? {} : { wait })
        const execution = await submitExecution(deps, {
          agent,
          body,
          idempotencyKey: key === undefined ? undefined : String(key),
          waitSeconds,
          maxWaitSeconds: MAX_HOLD_SECONDS,
          signal,
        })
        return { content: { ...(await viewWithApprovals(deps, execution)) }, execution }
      },
    },
    {
      name: 'explain',
      title: 'What a request would ask for',
      description:
        'Takes what execute takes and answers what the person would be shown: the capabilities (methods and paths by host) ' +
        'that were stated or derived from the code, what was read of the code, and the warnings. Nobody is asked, nothing is ' +
        'stored, nothing runs. Use it to narrow metadata.network before you ask.',
      inputSchema: bodySchema,
      outputSchema: outputSchemaOf(explanationView),
      limit: 'execute',
      action: 'execution.explain',
      readOnly: true,
      async call({ caller: { agent }, input, signal }) {
        return { content: await explainExecution(executions, agent, input, signal) }
      },
    },
    {
      name: 'execution_status',
      title: 'State and result of an execution',
      description: 'Tells the state of an execution of yours and, once it is final, its output.',
      inputSchema: jsonSchema(statusInput),
      outputSchema: outputSchemaOf(executionView),
      limit: 'read',
      action: 'execution.read',
      readOnly: true,
      async call({ caller: { agent, by }, input, signal }) {
        const { request_id, wait } = checked(statusInput, input)
        const { requestId, status } = await storage.read((tx) =>
          executions.readFor(tx, by, 'execution.read', request_id),
        )
        using _held = wait > 0 && !isFinal(status) ? gate.hold(agent.id) : undefined
        const execution = await executions.wait(requestId, wait * 1_000, signal)
        return { content: { ...(await viewWithApprovals(deps, execution)) }, execution }
      },
    },
    {
      name: 'list_secrets',
      title: 'Names of stored secrets',
      description:
        'Lists the names of stored secrets and the hosts that each is bound to: its value is sent to no other. Never ' +
        'their values.',
      inputSchema: jsonSchema(nothing),
      outputSchema: outputSchemaOf(secretsView),
      limit: 'read',
      action: 'secret.list',
      readOnly: true,
      async call({ input }) {
        checked(nothing, input)
        return { content: await secretsOf(deps) }
      },
    },
    ...createRequestTools(deps),
  ]
}

/** HTTP has headers for them; a tool has its arguments only. */
function withOptions(schema: Record<string, unknown>): Record<string, unknown> {
  const properties = schema.properties as Record<string, unknown>
  const idempotency_key = {
    type: 'string',
    description: '1–128 visible ASCII characters. A repeat returns the first answer.',
  }
  const { properties: options } = jsonSchema(waiting) as { properties: Record<string, unknown> }
  return { ...schema, properties: { ...properties, ...options, idempotency_key } }
}
