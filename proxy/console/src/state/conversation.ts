import { useEffect, useRef, useState } from 'preact/hooks'
import type { ToolCallView, TurnView } from '../../../src/contracts/admin/index.ts'
import { addressOf, api } from '../api/client.ts'
import { onEvent } from './stream.ts'

interface LiveTurn {
  readonly number: number
  readonly text: string
  readonly tools: readonly ToolCallView[]
}

export interface Conversation {
  /** The oldest first; undefined until they were read. */
  readonly turns: readonly TurnView[] | undefined
  /** What had come so far of the turn that is being answered. */
  readonly live: LiveTurn | undefined
  readonly error: string | undefined
  readonly hasOlder: boolean
  readonly readOlder: () => void
  /** Rejects where it is refused. */
  readonly say: (text: string, model: string | undefined) => Promise<void>
  readonly stop: () => Promise<void>
}

const PAGE = 50
const AGAIN_MS = 1_000

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const merged = (known: readonly TurnView[], read: readonly TurnView[]): readonly TurnView[] => {
  const all = new Map([...known, ...read].map((turn) => [turn.number, turn]))
  return [...all.values()].sort((one, other) => one.number - other.number)
}

/** The conversation with a hosted agent, as all browsers see it; the answer that is under way is followed as it comes. */
export function useConversation(name: string): Conversation {
  const [turns, setTurns] = useState<readonly TurnView[]>()
  const [hasOlder, setOlder] = useState(false)
  const [error, setError] = useState<string>()
  const [live, setLive] = useState<Conversation['live']>()
  const read = useRef<() => void>(() => {})
  // What goes on by itself is followed where nothing that was asked is.
  const open = (
    turns?.find(({ state, origin }) => state === 'open' && origin === 'person') ??
    turns?.find(({ state }) => state === 'open')
  )?.number

  useEffect(() => {
    let isHere = true
    setTurns(undefined)
    read.current = () => {
      api.call('listTurns', { params: { name }, query: { limit: PAGE } }).then(
        ({ turns: newest }) => {
          if (!isHere) return
          setError(undefined)
          setTurns((known) => {
            if (known === undefined) setOlder(newest.length === PAGE)
            return merged(known ?? [], newest)
          })
        },
        (failure: unknown) => isHere && setError(messageOf(failure)),
      )
    }
    read.current()
    const off = onEvent(({ type }) => {
      if (type === 'reset' || type.startsWith('chat.') || type.startsWith('lockdown.')) read.current()
    })
    return () => {
      isHere = false
      off()
    }
  }, [name])

  useEffect(() => {
    if (open === undefined) return
    return follow(name, open, {
      live: (live) => setLive({ number: open, ...live }),
      ended(turn) {
        setLive(undefined)
        setTurns((known) => merged(known ?? [], [turn]))
      },
      broken: () => read.current(),
    })
  }, [name, open])

  return {
    ...{ turns, live: live?.number === open ? live : undefined, error, hasOlder },
    readOlder() {
      const before = turns?.[0]?.number ?? 1
      api.call('listTurns', { params: { name }, query: { limit: PAGE, before } }).then(
        ({ turns: older }) => {
          setOlder(older.length === PAGE)
          setTurns((known) => merged(older, known ?? []))
        },
        (failure: unknown) => setError(messageOf(failure)),
      )
    },
    async say(text, model) {
      const turn = await api.call('sayToHost', { params: { name }, body: { text, model } })
      setTurns((known) => merged(known ?? [], [turn]))
    },
    async stop() {
      if (open === undefined) return
      const turn = await api.call('stopTurn', { params: { name, number: open } })
      setTurns((known) => merged(known ?? [], [turn]))
    },
  }
}

/** A tab that nobody sees leaves its connection to the others, and reads anew what it missed. */
function follow(
  name: string,
  number: number,
  told: { live(live: Omit<LiveTurn, 'number'>): void; ended(turn: TurnView): void; broken(): void },
): () => void {
  let source: EventSource | undefined
  let again: ReturnType<typeof setTimeout> | undefined
  let text = ''
  let tools = new Map<string, ToolCallView>()
  const tell = (): void => told.live({ text, tools: [...tools.values()] })
  const close = (): void => {
    clearTimeout(again)
    source?.close()
    source = undefined
  }
  const listen = (): void => {
    close()
    text = ''
    tools = new Map()
    const opened = new EventSource(addressOf('followTurn', { name, number }))
    source = opened
    opened.addEventListener('text', ({ data }: MessageEvent<string>) => {
      text += (JSON.parse(data) as { text: string }).text
      tell()
    })
    opened.addEventListener('tool', ({ data }: MessageEvent<string>) => {
      const tool = JSON.parse(data) as ToolCallView
      tools.set(tool.id, tool)
      tell()
    })
    opened.addEventListener('end', ({ data }: MessageEvent<string>) => {
      close()
      told.ended(JSON.parse(data) as TurnView)
    })
    opened.onerror = () => {
      // It comes back by itself with what it has seen, but where the answer is no stream.
      if (opened.readyState !== EventSource.CLOSED) return
      close()
      told.broken()
      again = setTimeout(listen, AGAIN_MS)
    }
  }
  const onSight = (): void => (document.visibilityState === 'hidden' ? close() : listen())
  document.addEventListener('visibilitychange', onSight)
  onSight()
  return () => {
    document.removeEventListener('visibilitychange', onSight)
    close()
  }
}
