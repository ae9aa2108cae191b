import { useEffect, useId, useRef } from 'preact/hooks'
import { fieldsOf } from '../admin/form.tsx'
import { type Asked, passwordAsked } from '../state/step-up.ts'

/** Asks for the password of the account, where an act wants to know again who it is. Else no page has a field for one, which a browser might fill. */
export function StepUp() {
  const asked = passwordAsked.value
  return asked && <PasswordDialog asked={asked} />
}

function PasswordDialog({ asked }: { readonly asked: Asked }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const shown = dialog.current
    shown?.showModal()
    // Closed and not just removed: the focus goes back to where it was.
    return () => shown?.close()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} onClose={() => asked.settle(null)}>
      <h2 id={`${id}-title`}>Is it you?</h2>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault()
          const { password = '' } = fieldsOf(event.currentTarget)
          event.currentTarget.reset()
          asked.settle(password)
        }}
      >
        <div class="field">
          <label for={id}>Your password</label>
          <input id={id} name="password" type="password" autocomplete="current-password" required />
          <p class="hint">Whoever signed in without one signs in again.</p>
        </div>
        <div class="answers">
          <button type="button" onClick={() => asked.settle(null)}>
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
