import { z } from 'zod'
import type { Route } from '../index.ts'
import { okBody } from './schemas.ts'

const subscriptionView = z.object({ id: z.string(), service: z.string() })

/** The owner's routes about browsers that are told when something waits: a part of ADMIN_ROUTES. */
export const PUSH_ROUTES = {
  listPush: {
    method: 'GET',
    path: '/v1/push',
    summary: 'The key that a browser subscribes with (VAPID, base64url), and the browsers of whoever asks.',
    scope: 'owner',
    action: 'push.manage',
    answer: z.object({ public_key: z.string(), subscriptions: z.array(subscriptionView) }),
    errors: [],
  },
  addPush: {
    method: 'POST',
    path: '/v1/push',
    summary: 'Tell this browser too, by what it subscribed with.',
    scope: 'owner',
    action: 'push.manage',
    /** `PushSubscription.toJSON()`. */
    body: z.strictObject({
      endpoint: z.string(),
      expirationTime: z.number().nullable().optional(),
      keys: z.strictObject({ p256dh: z.string(), auth: z.string() }),
    }),
    answer: subscriptionView,
    errors: ['invalid_request', 'conflict'],
  },
  removePush: {
    method: 'DELETE',
    path: '/v1/push/:id',
    summary: 'Tell this browser no more.',
    scope: 'owner',
    action: 'push.manage',
    answer: okBody,
    errors: ['not_found'],
  },
} as const satisfies Readonly<Record<string, Route & { readonly action: string }>>
