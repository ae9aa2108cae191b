import type { Route } from '../index.ts'
import {
  addHostBody,
  chatAnswer,
  chatBody,
  hostList,
  hostView,
  orderHostBody,
  reachBody,
} from './host-schemas.ts'

/** Agents that live in machines of this host: a part of ADMIN_ROUTES. */
export const HOST_ROUTES = {
  listHosts: {
    method: 'GET',
    path: '/v1/hosts',
    summary: 'The hosted agents: how each is, and what comes next. Wakes none.',
    scope: 'owner',
    action: 'hosted_agent.list',
    answer: hostList,
    errors: [],
  },
  addHost: {
    method: 'POST',
    path: '/v1/hosts',
    summary: 'Make an agent and the machine that it lives in; answered when it is ordered, not when it runs.',
    scope: 'owner',
    action: 'hosted_agent.manage',
    body: addHostBody,
    answer: hostView,
    errors: ['invalid_request', 'conflict', 'refused', 'locked'],
  },
  orderHost: {
    method: 'POST',
    path: '/v1/hosts/:name/order',
    summary:
      'Have a hosted agent woken, put to sleep or stopped, or removed with all its files; answered when it is ordered.',
    scope: 'owner',
    action: 'hosted_agent.manage',
    body: orderHostBody,
    answer: hostView,
    errors: ['invalid_request', 'not_found', 'conflict', 'refused', 'locked'],
  },
  reachFromHost: {
    method: 'POST',
    path: '/v1/hosts/:name/egress',
    summary:
      'Change which hosts a hosted agent may reach through the gateway; in force when it is answered, and what is under way then ends.',
    scope: 'owner',
    action: 'hosted_agent.manage',
    body: reachBody,
    answer: hostView,
    errors: ['invalid_request', 'not_found', 'refused'],
  },
  chatWithHost: {
    method: 'POST',
    path: '/v1/hosts/:name/chat',
    summary: 'Say something to a hosted agent, which is woken for it; answered with what it says.',
    scope: 'owner',
    action: 'hosted_agent.chat',
    body: chatBody,
    answer: chatAnswer,
    errors: ['invalid_request', 'not_found', 'refused', 'sandbox_unavailable', 'locked'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
