import { useEffect } from 'preact/hooks'
import { ConfirmButton } from '../admin/act.tsx'
import { Field, FoldedForm } from '../admin/form.tsx'
import { endStop, followLockdown, lockdown, stopEverything } from '../state/lockdown.ts'
import { Icon } from './icon.tsx'
import { Ago } from './time.tsx'

/** On every page: for the moment in which something goes wrong. */
export function PanicButton() {
  if (lockdown.value === null || lockdown.value.locked) return null
  return (
    <ConfirmButton
      label="Stop everything"
      title="Stop everything, now?"
      act={stopEverything}
      done="Everything is stopped."
    >
      <p>
        Runs end, every grant is revoked, what waits is cancelled, and no secret or key is opened until you
        end it. What is revoked and cancelled stays so.
      </p>
    </ConfirmButton>
  )
}

/** Above every page while the stop holds. */
export function LockdownBanner() {
  useEffect(followLockdown, [])
  const state = lockdown.value
  if (!state?.locked) return null
  return (
    <section class="lockdown" aria-label="Everything is stopped">
      <p>
        <Icon name="warning" /> <strong>Everything is stopped</strong>
        <span>
          {state.by !== null && (
            <>
              by <bdi>{state.by}</bdi>
            </>
          )}
          {state.since !== null && (
            <>
              , <Ago at={state.since} />
            </>
          )}
          . Nothing runs, and no secret is opened.
        </span>
      </p>
      <FoldedForm
        title="End the stop"
        submit="End it"
        done="The stop is ended. What was revoked stays revoked."
        send={({ confirm = '' }) => endStop(confirm)}
      >
        <Field
          name="confirm"
          label="Type unlock"
          hint="Your passkey is asked for, if you have one. What was revoked and cancelled stays so."
          isRequired
        />
      </FoldedForm>
    </section>
  )
}
