export { createPushSender, type PushSenderOptions } from './push-sender.ts'
export { createPushSubscriptions, type PushSubscriptions } from './subscriptions.ts'
export { createWebPush, type WebPush } from './web-push.ts'
