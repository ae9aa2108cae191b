import { z } from 'zod'
import {
  FILE_ERRORS,
  fileContent,
  fileList,
  fileQuery,
  fileStored,
  folderQuery,
  MAX_FILE_BYTES,
  putFileQuery,
} from '../file-schemas.ts'
import { HOST_DEFAULTS } from '../host-defaults.ts'
import { hostModel, hostName } from '../host-forms.ts'
import type { DescribedRoute } from '../index.ts'
import { ticketBody, ticketParts } from '../ticket-schemas.ts'
import { okView } from './schemas.ts'

/** CloudBot's words for what becomes of a machine. `stopped`: paused or asleep; whoever talks to it wakes it. */
const INSTANCE_STATUS = ['pending', 'running', 'stopping', 'stopped', 'failed', 'terminating'] as const

export const instanceView = z.object({
  id: z.string(),
  name: z.string(),
  status: z.enum(INSTANCE_STATUS),
  provider: z.string(),
  model: z.string(),
  /** Why it failed last; null: it did not. */
  error: z.string().nullable(),
  /** What it lacks before it can answer, and where to give it that; null: nothing. */
  notice: z.string().nullable(),
  /** ISO 8601, in UTC; of its last change of status too. */
  created_at: z.string(),
  updated_at: z.string(),
})
export type InstanceView = z.output<typeof instanceView>

/** A machine of its own, which counts to the quota. */
export const desktopView = instanceView.omit({ provider: true, model: true, notice: true })
export type DesktopView = z.output<typeof desktopView>

const instanceGenerationView = z.object({
  number: z.int(),
  /** Whether the next start brings it. */
  current: z.boolean(),
  /** ISO 8601, in UTC. */
  created_at: z.string(),
  files: z.int(),
  /** Contents of files together. */
  bytes: z.int(),
})

const createBody = z
  .strictObject({
    /** Left out or null: one that is free. */
    name: hostName.nullish(),
    provider: z.string().min(1).max(64).default(HOST_DEFAULTS.provider),
    model: hostModel.default(HOST_DEFAULTS.model),
  })
  .prefault({})

export const ticketView = z.object({
  ...ticketParts,
  /** ISO 8601, in UTC: half a minute on. */
  expires_at: z.string(),
})

export const pageView = z.object({
  /** Of an origin of its own: good once. */
  url: z.string(),
  expires_at: z.string(),
})

export { fileList as instanceFilesView }

const FILES = { scope: 'machines', action: 'hosted_agent.files' } as const

const CHANGE = {
  scope: 'machines',
  action: 'instance.manage',
  answer: instanceView,
  errors: ['not_found', 'conflict', 'locked'],
} as const

/** Hosted agents of the account, as CloudBot's client knows them: a part of ACCOUNT_ROUTES. */
export const INSTANCE_ROUTES = {
  listInstances: {
    method: 'GET',
    path: '/api/instances',
    summary: "The account's hosted agents; wakes none.",
    scope: 'machines',
    action: 'instance.list',
    answer: z.object({ instances: z.array(instanceView) }),
    errors: [],
  },
  createInstance: {
    ...CHANGE,
    method: 'POST',
    path: '/api/instances',
    summary: 'Make a hosted agent, as far as the quota goes; answered when it is ordered, not when it runs.',
    body: createBody,
    errors: ['invalid_request', 'conflict', 'locked'],
  },
  readInstance: {
    method: 'GET',
    path: '/api/instances/:id',
    summary: 'How a hosted agent is; wakes it not.',
    scope: 'machines',
    action: 'instance.list',
    answer: instanceView,
    errors: ['not_found'],
  },
  deleteInstance: {
    ...CHANGE,
    method: 'DELETE',
    path: '/api/instances/:id',
    summary: 'Remove a hosted agent with all its files.',
    answer: okView,
  },
  stopInstance: {
    ...CHANGE,
    method: 'POST',
    path: '/api/instances/:id/stop',
    summary: 'Stop a hosted agent: its files stay, its container goes.',
  },
  listInstanceGenerations: {
    method: 'GET',
    path: '/api/instances/:id/generations',
    summary:
      'What is kept of the files of a hosted agent, by the times that it was stopped; the newest first.',
    scope: 'machines',
    action: 'instance.list',
    answer: z.object({ generations: z.array(instanceGenerationView) }),
    errors: ['not_found'],
  },
  rollBackInstance: {
    ...CHANGE,
    method: 'POST',
    path: '/api/instances/:id/rollback',
    summary: 'Put a kept generation of files in the place of what a hosted agent has, which is kept first.',
    body: z.strictObject({ to: z.int().min(1) }),
    errors: ['invalid_request', 'not_found', 'conflict', 'sandbox_unavailable', 'locked'],
  },
  startInstance: {
    ...CHANGE,
    method: 'POST',
    path: '/api/instances/:id/start',
    summary: 'Wake a hosted agent.',
  },
  readDesktop: {
    method: 'GET',
    path: '/api/instances/:id/desktop',
    summary: 'How the desktop of a hosted agent is, where it has one; wakes it not.',
    scope: 'machines',
    action: 'instance.list',
    answer: desktopView,
    errors: ['not_found'],
  },
  createDesktop: {
    ...CHANGE,
    method: 'POST',
    path: '/api/instances/:id/desktop',
    summary:
      'Give a hosted agent a desktop, as far as the quota goes; answered when it is ordered. `WS /api/instances/{id}/vnc` shows it.',
    answer: desktopView,
  },
  deleteDesktop: {
    ...CHANGE,
    method: 'DELETE',
    path: '/api/instances/:id/desktop',
    summary: 'Take the desktop of a hosted agent away, with its files.',
    answer: okView,
  },
  listInstanceFiles: {
    ...FILES,
    method: 'GET',
    path: '/api/instances/:id/files',
    summary:
      'What is in a folder of the workspace of a hosted agent: its direct children, up to a thousand; times are unix milliseconds. Wakes it; not on EC2.',
    query: folderQuery,
    answer: fileList,
    errors: FILE_ERRORS,
  },
  takeInstanceFile: {
    ...FILES,
    method: 'GET',
    path: '/api/instances/:id/file',
    summary: 'A file of the workspace, up to 25 MiB. Wakes it; not on EC2.',
    query: fileQuery,
    answer: fileContent,
    isBytes: true,
    errors: ['too_large', ...FILE_ERRORS],
  },
  putInstanceFile: {
    ...FILES,
    method: 'PUT',
    path: '/api/instances/:id/file',
    summary:
      'Put a file into the workspace, with the folders that it lacks; nothing is there before all of it came. Wakes it; not on EC2.',
    query: putFileQuery,
    takesBytes: true,
    maxBodyBytes: MAX_FILE_BYTES,
    answer: fileStored,
    errors: ['too_large', 'unsupported_media_type', ...FILE_ERRORS],
  },
  openPage: {
    method: 'POST',
    path: '/api/instances/:id/page',
    summary:
      "An address at which a browser opens the page of the agent's own OpenClaw, once, within half a minute; refused where `OAUTH3_HOST_PAGES` is not set.",
    scope: 'machines',
    action: 'hosted_agent.operate',
    answer: pageView,
    errors: ['not_found'],
  },
  issueTicket: {
    method: 'POST',
    path: '/api/instances/:id/tickets',
    summary:
      'A ticket that opens one WebSocket to a hosted agent, once, within half a minute: a browser cannot send a header with it.',
    scope: 'machines',
    action: 'instance.list',
    body: ticketBody,
    answer: ticketView,
    errors: ['invalid_request', 'not_found'],
  },
} as const satisfies Readonly<Record<string, DescribedRoute & { readonly scope: 'machines' }>>
