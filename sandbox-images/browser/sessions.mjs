// Sessions: a Chromium each, with a profile that no other session sees. One lasts as long as somebody is connected to it.
import { startChromium } from './chromium.mjs'

/** Each takes some 400 MB. */
const MAX_SESSIONS = 4
/** How long one waits for somebody to connect. */
const UNUSED_MS = 30_000

export function createSessions() {
  const sessions = new Map()

  async function end(id) {
    const session = sessions.get(id)
    if (session === undefined || session.ending) return
    session.ending = true
    clearTimeout(session.timer)
    for (const cut of session.cuts) cut()
    await session.starting.then((browser) => browser.end()).catch(() => {})
    sessions.delete(id)
  }
  const endSoon = (session, id) => {
    session.timer = setTimeout(() => void end(id), UNUSED_MS)
  }

  function open(id) {
    const known = sessions.get(id)
    if (known !== undefined) {
      if (known.ending) throw new Error('it is ending')
      return known
    }
    if (sessions.size >= MAX_SESSIONS) throw new Error(`there are ${MAX_SESSIONS} sessions already`)
    const session = { starting: startChromium(), cuts: new Set(), timer: undefined, ending: false }
    sessions.set(id, session)
    session.starting.then(
      (browser) => browser.ended.then(() => end(id)),
      () => end(id),
    )
    return session
  }

  return {
    has: (id) => sessions.has(id),
    /** Resolves to where its Chromium listens. It waits for a connection from here on. */
    async start(id) {
      const session = open(id)
      if (session.cuts.size === 0 && session.timer === undefined) endSoon(session, id)
      return await session.starting
    },
    /** While one is in use it stays; `cut` is called when it ends first. */
    async use(id, cut) {
      const session = open(id)
      clearTimeout(session.timer)
      session.timer = undefined
      session.cuts.add(cut)
      const release = () => {
        if (session.cuts.delete(cut) && session.cuts.size === 0) void end(id)
      }
      try {
        return { browser: await session.starting, release }
      } catch (error) {
        release()
        throw error
      }
    },
    endAll: () => Promise.all([...sessions.keys()].map(end)),
  }
}
