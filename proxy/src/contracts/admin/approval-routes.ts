import type { Route } from '../index.ts'
import {
  approvalDecisionBody,
  approvalList,
  approvalsQuery,
  approvalView,
  askAgainBody,
  comparedTexts,
  decidedApproval,
} from './approval-schemas.ts'

/** The owner's routes about all that waits for an answer: a part of ADMIN_ROUTES. */
export const APPROVAL_ROUTES = {
  listApprovals: {
    method: 'GET',
    path: '/v1/approvals',
    summary: 'Requests of every kind that wait for the owner; with `all=1` the newest, whatever their state.',
    scope: 'owner',
    action: 'approval.list',
    query: approvalsQuery,
    answer: approvalList,
    errors: ['invalid_request'],
  },
  readApproval: {
    method: 'GET',
    path: '/v1/approvals/:id',
    summary: 'A request by its id or the beginning of it, with its card, its choices and what came of it.',
    scope: 'owner',
    action: 'approval.read',
    answer: approvalView,
    errors: ['invalid_request', 'not_found'],
  },
  compareApproval: {
    method: 'GET',
    path: '/v1/approvals/:id/compared',
    summary: 'Texts of a request that are others than those approved before, each beside the one that was.',
    scope: 'owner',
    action: 'approval.read',
    answer: comparedTexts,
    errors: ['invalid_request', 'not_found'],
  },
  decideApproval: {
    method: 'POST',
    path: '/v1/approvals/:id/decision',
    summary: 'Answer a request with one of its choices, by the hash of the card that the person was shown.',
    scope: 'owner',
    action: 'approval.decide',
    body: approvalDecisionBody,
    answer: decidedApproval,
    errors: ['invalid_request', 'not_found', 'refused'],
  },
  askAgain: {
    method: 'POST',
    path: '/v1/approvals/:id/again',
    summary:
      'Ask once more what expired: a new request with the same content, which waits for an answer. Once for each.',
    scope: 'owner',
    action: 'approval.decide',
    body: askAgainBody,
    answer: approvalView,
    errors: ['invalid_request', 'not_found', 'refused', 'conflict', 'rate_limited'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
