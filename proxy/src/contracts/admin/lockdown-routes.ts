import { z } from 'zod'
import type { Route } from '../index.ts'

const lockdownView = z.object({
  locked: z.boolean(),
  /** Unix milliseconds; null while nothing is locked. */
  since: z.int().nullable(),
  /** The actor. */
  by: z.string().nullable(),
})

/** The owner's routes about the emergency stop: a part of ADMIN_ROUTES. */
export const LOCKDOWN_ROUTES = {
  readLockdown: {
    method: 'GET',
    path: '/v1/panic',
    summary: 'Whether everything of this tenant is stopped, since when and by whom.',
    scope: 'owner',
    action: 'daemon.read',
    answer: lockdownView,
    errors: [],
  },
  panic: {
    method: 'POST',
    path: '/v1/panic',
    summary:
      'Stop everything of this tenant: runs end, grants are revoked, what waits is cancelled, and no secret or key is opened until that is ended.',
    scope: 'owner',
    action: 'daemon.panic',
    answer: lockdownView,
    errors: [],
  },
  endPanic: {
    method: 'POST',
    path: '/v1/panic/end',
    summary:
      'End the stop; what was revoked and cancelled stays so. By a session that a passkey has stepped up; on the admin socket only while the tenant has no passkey.',
    scope: 'owner',
    action: 'daemon.unlock',
    /** `confirm`: typed by a person. */
    body: z.strictObject({ confirm: z.literal('unlock') }),
    answer: lockdownView,
    errors: ['invalid_request', 'conflict', 'refused'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
