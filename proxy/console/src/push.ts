import { api } from './api/client.ts'

/** Web Push (RFC 8030): this browser is told by its own vendor's service when something waits, also with no page open. */

const WORKER = '/console/sw.js'

export const hasPush = (): boolean =>
  'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(): string }): { createScriptURL(text: string): string }
}

/** The page's policy takes addresses of scripts as trusted values alone; this makes one, of one script. */
function workerUrl(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  if (trustedTypes === undefined) return WORKER
  return trustedTypes.createPolicy('oauth3-worker', { createScriptURL: () => WORKER }).createScriptURL('')
}

const current = async (): Promise<PushSubscription | null> => {
  const registration = await navigator.serviceWorker.getRegistration('/console/')
  return (await registration?.pushManager.getSubscription()) ?? null
}

const OWN_ID = 'oauth3-push'

/** By what id the daemon knows this browser; null: it is not subscribed, as far as it knows itself. */
export const ownSubscription = async (): Promise<string | null> =>
  hasPush() && (await current()) !== null ? localStorage.getItem(OWN_ID) : null

/** Asks the person, subscribes, and tells the daemon. Throws what stands in the way, in words. */
export async function subscribe(publicKey: string): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted')
    throw new Error('This browser does not let the console notify: allow it in the settings of the site.')
  const registration = await navigator.serviceWorker.register(workerUrl(), { scope: '/console/' })
  await navigator.serviceWorker.ready
  const old = await registration.pushManager.getSubscription()
  // Of another key, as after the daemon's data was replaced: it would be refused at every message.
  await old?.unsubscribe()
  const made = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: publicKey,
  })
  const { endpoint = '', keys } = made.toJSON()
  try {
    const { id } = await api.call('addPush', {
      body: { endpoint, keys: { p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' } },
    })
    localStorage.setItem(OWN_ID, id)
  } catch (error) {
    await made.unsubscribe()
    throw error
  }
}

/** The daemon first: a message to a browser that left is nobody's. */
export async function unsubscribe(id: string): Promise<void> {
  await api.call('removePush', { params: { id } })
  if (localStorage.getItem(OWN_ID) !== id) return
  localStorage.removeItem(OWN_ID)
  await (await current())?.unsubscribe()
}
