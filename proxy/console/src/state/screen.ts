import type RFB from '@novnc/novnc'
import type { RefObject } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { desktopName } from '../../../src/contracts/host-defaults.ts'
import { api, session } from '../api/client.ts'
import { ApiError } from '../api/transport.ts'

type ScreenState =
  /** `again`: it was there before, and broke. */
  | { readonly is: 'connecting'; readonly again: boolean }
  | { readonly is: 'connected'; readonly viewOnly: boolean }
  /** `again`: whether it is tried again by itself. */
  | { readonly is: 'ended'; readonly why: string; readonly again: boolean }

export interface Screen {
  readonly state: ScreenState
  /** At once, whatever it waits for. */
  readonly reconnect: () => void
  readonly focus: () => void
  readonly type: (text: string) => void
}

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 15_000
/** The connection broke, or the daemon stopped: neither is anybody's word that it is over. */
const BROKEN: ReadonlySet<number> = new Set([1001, 1006, 1011, 1012])
/** What nobody's word would be a reason to wake it for. */
const AT_REST: ReadonlySet<string> = new Set(['pausing', 'paused', 'stopping', 'asleep'])
const BROKE = 'The connection broke.'
const RETURN = 0xff0d
/** X11: keys of other letters than Latin-1's. */
const UNICODE_KEYS = 0x0100_0000
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** A hosted agent's desktop in `target`, by a ticket for each connection; goes on by itself where one breaks. */
export function useScreen(name: string, viewOnly: boolean, target: RefObject<HTMLElement | null>): Screen {
  const [state, setState] = useState<ScreenState>({ is: 'connecting', again: false })
  const [attempt, setAttempt] = useState(0)
  const pauseMs = useRef(FIRST_PAUSE_MS)
  const shown = useRef<RFB | undefined>(undefined)
  /** The next attempt is nobody's wish. */
  const byItself = useRef(false)

  useEffect(() => {
    let isHere = true
    let timer: ReturnType<typeof setTimeout> | undefined
    const ended = (why: string, again: boolean): void => {
      if (!isHere) return
      setState({ is: 'ended', why, again })
      if (!again) return
      timer = setTimeout(() => {
        byItself.current = true
        setAttempt((count) => count + 1)
      }, pauseMs.current)
      pauseMs.current = Math.min(pauseMs.current * 2, LONGEST_PAUSE_MS)
    }
    const again = byItself.current
    byItself.current = false
    setState({ is: 'connecting', again })
    openScreen({ name, viewOnly, again }, () => (isHere ? target.current : null), {
      connected() {
        pauseMs.current = FIRST_PAUSE_MS
        if (isHere) setState({ is: 'connected', viewOnly })
      },
      ended,
    }).then(
      (rfb) => {
        if (isHere) shown.current = rfb
        else rfb?.disconnect()
      },
      (error: unknown) => ended(messageOf(error), passesOver(error)),
    )
    return () => {
      isHere = false
      clearTimeout(timer)
      shown.current?.disconnect()
      shown.current = undefined
    }
  }, [name, viewOnly, attempt])

  return {
    state,
    reconnect: useCallback(() => {
      pauseMs.current = FIRST_PAUSE_MS
      setAttempt((count) => count + 1)
    }, []),
    focus: useCallback(() => shown.current?.focus(), []),
    type: useCallback((text: string) => {
      for (const letter of text) shown.current?.sendKey(keyOf(letter), null)
    }, []),
  }
}

/** Of a daemon that is away, or comes up: what it says itself is final. */
const passesOver = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || (error.status >= 500 && error.code !== 'locked'))

/** Throws where it rests: nobody is here to wake it. */
async function assertUp(name: string): Promise<void> {
  const { hosts } = await api.call('listHosts')
  const desktop = hosts.find((one) => one.name === desktopName(name))
  if (desktop !== undefined && AT_REST.has(desktop.state))
    throw new Error(`The connection broke, and it is ${desktop.state} now: connect to wake it.`)
}

async function openScreen(
  { name, viewOnly, again }: { readonly name: string; readonly viewOnly: boolean; readonly again: boolean },
  targetNow: () => HTMLElement | null,
  on: { readonly connected: () => void; readonly ended: (why: string, again: boolean) => void },
): Promise<RFB | undefined> {
  if (again) await assertUp(name)
  const [{ default: Viewer }, { path }] = await Promise.all([
    import('@novnc/novnc'),
    session.call('issueTicket', { params: { name }, body: { purpose: viewOnly ? 'vnc_view' : 'vnc' } }),
  ])
  const target = targetNow()
  if (target === null) return undefined
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${path}`)
  // Of the viewer's own end it is not told why.
  socket.addEventListener('close', ({ code, reason }) =>
    BROKEN.has(code) ? on.ended(BROKE, true) : on.ended(reason === '' ? 'It ended.' : reason, false),
  )
  const rfb = new Viewer(target, socket, { shared: true })
  rfb.viewOnly = viewOnly
  rfb.scaleViewport = true
  rfb.background = 'transparent'
  rfb.addEventListener('connect', on.connected)
  return rfb
}

function keyOf(letter: string): number {
  const point = letter.codePointAt(0) ?? 0
  if (letter === '\n') return RETURN
  return point < 0x100 ? point : UNICODE_KEYS | point
}
