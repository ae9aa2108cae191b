import { createRef } from 'preact'
import { useState } from 'preact/hooks'
import { boundKeys, type KeyBinding } from '../state/keys.ts'

const dialog = createRef<HTMLDialogElement>()
let refresh: (keys: readonly KeyBinding[]) => void = () => undefined

export function openHelp(): void {
  refresh(boundKeys())
  dialog.current?.showModal()
}

/** The keys that are bound where one is. */
export function Help() {
  const [keys, setKeys] = useState<readonly KeyBinding[]>([])
  refresh = setKeys
  return (
    <dialog ref={dialog} aria-labelledby="help-title" closedby="any">
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {keys.map(({ key, says }) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((part) => (
                <kbd key={part}>{part}</kbd>
              ))}
            </dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  )
}
