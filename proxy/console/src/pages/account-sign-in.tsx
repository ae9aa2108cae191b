import type { TargetedEvent } from 'preact'
import { useId, useState } from 'preact/hooks'
import { fieldsOf } from '../admin/form.tsx'
import { hasPasskeys } from '../passkey.ts'
import { signInByKey, signInByPassword, signUp, signUpByPasskey, signUpByPassword } from '../state/account.ts'
import { isSigningIn, signInError, signInWith } from '../state/sign-in.ts'

function Input({
  name,
  label,
  type,
  autocomplete,
  hint,
  isNew = false,
}: {
  readonly name: string
  readonly label: string
  readonly type: 'email' | 'password' | 'text'
  readonly autocomplete: string
  readonly hint?: string
  readonly isNew?: boolean
}) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        // The types of inputs know no input of a type that is told while it is drawn.
        type={type as 'text'}
        autocomplete={autocomplete as 'off'}
        autocapitalize="off"
        spellcheck={false}
        minLength={isNew ? 8 : undefined}
        maxLength={256}
        aria-describedby={hint ? `${id}-hint` : undefined}
        required
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

/** Sends what was written and empties what is secret, whatever comes of it. */
const sending =
  (send: (fields: Readonly<Record<string, string>>) => Promise<void>) =>
  (event: TargetedEvent<HTMLFormElement, SubmitEvent>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const fields = fieldsOf(form)
    for (const field of form.querySelectorAll<HTMLInputElement>('[type=password]')) field.value = ''
    void signInWith(() => send(fields))
  }

function ByPassword({ mayJoin }: { readonly mayJoin: boolean }) {
  const [isNew, setNew] = useState(false)
  return (
    <section>
      <h2>{isNew ? 'Sign up' : 'With a password'}</h2>
      <form
        class="fields"
        onSubmit={sending(({ email = '', password = '' }) =>
          isNew ? signUpByPassword(email, password) : signInByPassword(email, password),
        )}
      >
        <Input name="email" label="Email address" type="email" autocomplete="username" />
        <Input
          key={String(isNew)}
          name="password"
          label="Password"
          type="password"
          autocomplete={isNew ? 'new-password' : 'current-password'}
          isNew={isNew}
          {...(isNew && {
            hint: 'At least 8 characters. No mail is sent: whoever has forgotten it asks the owner.',
          })}
        />
        <div class="answers">
          <button type="submit" class="primary" disabled={isSigningIn.value}>
            {isNew ? 'Sign up' : 'Sign in'}
          </button>
          {mayJoin && (
            <button
              type="button"
              class="quiet"
              onClick={() => {
                setNew(!isNew)
                signInError.value = null
              }}
            >
              {isNew ? 'I have an account' : 'I have no account yet'}
            </button>
          )}
        </div>
      </form>
    </section>
  )
}

function ByKey({ providers, mayJoin }: { readonly providers: readonly string[]; readonly mayJoin: boolean }) {
  const id = useId()
  return (
    <section>
      <h2>With a key of a provider</h2>
      <form
        class="fields"
        onSubmit={sending(({ provider = '', value = '' }) => signInByKey(provider, value))}
      >
        <div class="field">
          <label for={id}>Provider</label>
          <select id={id} name="provider">
            {providers.map((name) => (
              <option key={name} value={name} selected={name === 'poe'}>
                {name}
              </option>
            ))}
          </select>
        </div>
        <Input
          name="value"
          label="Key"
          type="password"
          autocomplete="off"
          hint={
            mayJoin
              ? 'The provider is asked whether it is good. It is kept sealed, and your models are called with it.'
              : 'The provider is asked whether it is good.'
          }
        />
        <div class="answers">
          <button type="submit" class="primary" disabled={isSigningIn.value}>
            {mayJoin ? 'Sign in or up' : 'Sign in'}
          </button>
        </div>
      </form>
    </section>
  )
}

function ByPasskey() {
  return (
    <section>
      <h2>Sign up with a passkey</h2>
      <form class="fields" onSubmit={sending(({ name = '' }) => signUpByPasskey(name.trim()))}>
        <Input name="name" label="Your name" type="text" autocomplete="nickname" />
        <div class="answers">
          <button type="submit" class="primary" disabled={isSigningIn.value}>
            Make a passkey
          </button>
        </div>
      </form>
    </section>
  )
}

/** Ways in for who has an account, and for who wants one. */
export default function AccountSignIn() {
  const told = signUp.value
  if (told === null || told.mode === 'closed') return null
  const { mode, providers } = told
  return (
    <>
      {mode === 'provider-key' && <ByKey providers={providers} mayJoin />}
      {mode === 'passkey' && hasPasskeys() && <ByPasskey />}
      <ByPassword mayJoin={mode === 'password'} />
      {mode !== 'provider-key' && <ByKey providers={providers} mayJoin={false} />}
    </>
  )
}
