import { useEffect, useId, useRef } from 'preact/hooks'
import { fieldsOf } from '../admin/form.tsx'
import { passwordAsked } from '../state/step-up.ts'

/** Asks for the password of the account, where an act wants to know again who it is. */
export function StepUp() {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  const asked = passwordAsked.value
  useEffect(() => {
    if (asked === null) dialog.current?.close()
    else dialog.current?.showModal()
  }, [asked])
  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} onClose={() => asked?.settle(null)}>
      <h2 id={`${id}-title`}>Is it you?</h2>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault()
          const { password = '' } = fieldsOf(event.currentTarget)
          event.currentTarget.reset()
          asked?.settle(password)
        }}
      >
        <div class="field">
          <label for={id}>Your password</label>
          <input id={id} name="password" type="password" autocomplete="current-password" required />
          <p class="hint">Whoever signed in without one signs in again.</p>
        </div>
        <div class="answers">
          <button type="button" onClick={() => asked?.settle(null)}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Continue
          </button>
        </div>
      </form>
    </dialog>
  )
}
