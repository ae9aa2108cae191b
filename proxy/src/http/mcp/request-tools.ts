import { z } from 'zod'
import { type Approvals, type ApprovalView, plainLine } from '../../approvals/index.ts'
import { requestsView, requestView } from '../../contracts/agent/index.ts'
import { agentRequester, authorize, resourceOf } from '../../identity/index.ts'
import { AppError, type Storage } from '../../kernel/index.ts'
import { outputSchemaOf } from './output-schema.ts'
import { checked, jsonSchema, nothing, type Tool } from './tool.ts'

const MESSAGES = {
  pending: 'Waiting for a person to answer.',
  approved: 'A person said yes.',
  denied: 'A person said no.',
  expired: 'Nobody answered in time.',
  cancelled: 'It was taken back.',
} as const

const statusInput = z.strictObject({
  id: z.string().min(1).max(128).describe('The id of a request of yours: req_…, ask_…'),
})

/** What an agent sees of all that it asked a person for. They know no kinds. */
export function createRequestTools({
  approvals,
  storage,
}: {
  readonly approvals: Pick<Approvals, 'list' | 'find'>
  readonly storage: Pick<Storage, 'read' | 'tenant' | 'flushed'>
}): readonly Tool[] {
  return [
    {
      name: 'list_requests',
      title: 'What waits for a person',
      description:
        'Lists all that you asked a person for and that still waits: code to run, access to a provider of models, and whatever else. ' +
        'Do not ask for the same again while it is listed.',
      inputSchema: jsonSchema(nothing),
      outputSchema: outputSchemaOf(requestsView),
      limit: 'read',
      action: 'approval.follow',
      readOnly: true,
      async call({ caller: { agent }, input }) {
        checked(nothing, input)
        const found = await storage.read((tx) =>
          approvals.list(tx, { which: 'waiting', requester: agentRequester(agent.id) }),
        )
        return { content: { requests: found.map(viewOf) } }
      },
    },
    {
      name: 'request_status',
      title: 'What became of a request',
      description:
        'Tells whether a person has answered a request of yours, of whichever kind, and how. Output of code is with execution_status.',
      inputSchema: jsonSchema(statusInput),
      outputSchema: outputSchemaOf(requestView),
      limit: 'read',
      action: 'approval.follow',
      readOnly: true,
      async call({ caller: { by }, input }) {
        const { id } = checked(statusInput, input)
        const found = await storage.read((tx) => approvals.find(tx, id))
        const isTheirs = ({ requester }: ApprovalView): boolean =>
          authorize(by, 'approval.follow', resourceOf(storage.tenant, 'approval.follow', requester.id))
            .allowed
        // An id tells nobody else whether it exists.
        if (found === undefined || !isTheirs(found)) throw new AppError('not_found', 'No such request.')
        // No answer is told that a power cut may take.
        await storage.flushed()
        return { content: viewOf(found) }
      },
    },
  ]
}

const viewOf = (found: ApprovalView): z.infer<typeof requestView> => ({
  ...{ id: found.id, kind: found.kind, state: found.state, status: found.status },
  summary: plainLine(found.summary),
  waiting: found.isWaiting,
  approvals_needed: found.approvalsNeeded,
  approvals_given: found.approvalsGiven,
  message:
    found.isWaiting && found.state === 'approved'
      ? 'Approved; a person has something left to do.'
      : found.state === 'pending' && !found.isWaiting
        ? MESSAGES.expired
        : MESSAGES[found.state],
  created_at: new Date(found.createdAt).toISOString(),
  expires_at: new Date(found.expiresAt).toISOString(),
})
