import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { onEvent } from '../state/stream.ts'

const MOMENT_MS = 150

export interface Loaded<T> {
  /** Of the last answer; it stays while the next is on its way, and where that fails. */
  readonly data: T | undefined
  /** Why the last reading failed. */
  readonly error: string | undefined
  readonly reload: () => void
}

/**
 * What `read` answers, read again when `key` changes, and upon events whose type begins with one of `upon`. An answer that is
 * overtaken by a later one is dropped. Null: never by itself, as where reading does something.
 */
export function useLoaded<T>(
  read: () => Promise<T>,
  key: string,
  upon: readonly string[] | null = [],
): Loaded<T> {
  const [data, setData] = useState<T>()
  const [error, setError] = useState<string>()
  const turn = useRef(0)
  const latest = useRef(read)
  latest.current = read
  const reload = useCallback(() => {
    turn.current += 1
    const own = turn.current
    latest.current().then(
      (answer) => {
        if (own !== turn.current) return
        setData(answer)
        setError(undefined)
      },
      (failure: unknown) => {
        if (own === turn.current) setError(failure instanceof Error ? failure.message : String(failure))
      },
    )
  }, [])
  useEffect(() => {
    reload()
    return () => {
      turn.current += 1
    }
  }, [key])
  useEffect(() => {
    let waits: ReturnType<typeof setTimeout> | undefined
    // A run opens many secrets: one reading for all of a moment.
    const off = onEvent(({ type }) => {
      if (upon === null || (type !== 'reset' && !upon.some((beginning) => type.startsWith(beginning)))) return
      waits ??= setTimeout(() => {
        waits = undefined
        reload()
      }, MOMENT_MS)
    })
    return () => {
      off()
      clearTimeout(waits)
    }
  }, [])
  return { data, error, reload }
}
