import type { ComponentChildren } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'
import { ApiError } from '../api/transport.ts'
import { say } from '../state/news.ts'
import { proveAgain } from '../state/step-up.ts'

const isStepUp = (error: unknown): boolean =>
  error instanceof ApiError &&
  /^(?:step_up|passkey)_required$/.test(
    (error.details as { reason?: string } | null | undefined)?.reason ?? '',
  )

/** Does `act`; where the daemon wants to know again who it is, asks for the passkey or password and does it once more. */
async function withStepUp<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!isStepUp(error)) throw error
    await proveAgain()
    return await act()
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What is being done, and what it came to; the page says a success aloud. */
export function useAct(): {
  readonly isBusy: boolean
  readonly refusal: string | undefined
  /** Resolves to whether it was done. */
  readonly run: (act: () => Promise<unknown>, done: string) => Promise<boolean>
} {
  const [isBusy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<string>()
  return {
    isBusy,
    refusal,
    async run(act, done) {
      setBusy(true)
      setRefusal(undefined)
      try {
        await withStepUp(act)
        say(done)
        return true
      } catch (error) {
        setRefusal(messageOf(error))
        return false
      } finally {
        setBusy(false)
      }
    },
  }
}

/** A button for an act that takes something away: it asks first, in words that say what goes. */
export function ConfirmButton({
  label,
  title,
  children,
  act,
  done,
  after,
  isDanger = true,
}: {
  readonly label: string
  /** The question. */
  readonly title: string
  /** What comes of it. */
  readonly children: ComponentChildren
  readonly act: () => Promise<unknown>
  /** Said when it is done. */
  readonly done: string
  readonly after?: () => void
  readonly isDanger?: boolean
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  const { isBusy, refusal, run } = useAct()
  const confirm = async (): Promise<void> => {
    if (!(await run(act, done))) return
    dialog.current?.close()
    after?.()
  }
  return (
    <>
      <button type="button" class="small" onClick={() => dialog.current?.showModal()}>
        {label}
      </button>
      <dialog ref={dialog} aria-labelledby={id}>
        <h2 id={id}>{title}</h2>
        <div class="soft">{children}</div>
        <p class="refusal" role="alert">
          {refusal}
        </p>
        <div class="answers">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="button"
            class={isDanger ? 'danger' : 'primary'}
            disabled={isBusy}
            onClick={() => void confirm()}
          >
            {label}
          </button>
        </div>
      </dialog>
    </>
  )
}
