// Tells that something waits while no page of the console is open. What it gets is a title and the request's id, and no more: what is to be
// decided is shown by the console alone, to whoever is signed in.

const CONSOLE = '/console'

/** An id is put into an address: it is one, or is left out. */
const pageOf = (id) =>
  typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? `${CONSOLE}/requests/${id}` : `${CONSOLE}/`

const told = (data) => {
  try {
    return data.json()
  } catch {
    return {}
  }
}

addEventListener('install', () => skipWaiting())
addEventListener('activate', (event) => event.waitUntil(clients.claim()))

addEventListener('push', (event) => {
  const { title, id } = told(event.data)
  const page = pageOf(id)
  event.waitUntil(
    registration.showNotification(typeof title === 'string' ? title.slice(0, 120) : 'OAuth3', {
      body: 'Open the console to look at it.',
      icon: `${CONSOLE}/icon.svg`,
      // One request is told once, however often it is sent.
      tag: page,
      data: { page },
    }),
  )
})

addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(open(event.notification.data.page))
})

async function open(page) {
  const tabs = await clients.matchAll({ type: 'window', includeUncontrolled: true })
  const tab = tabs.find(({ url }) => new URL(url).pathname.startsWith(`${CONSOLE}/`))
  if (tab === undefined) return await clients.openWindow(page)
  await tab.focus()
  return await tab.navigate(page).catch(() => clients.openWindow(page))
}
