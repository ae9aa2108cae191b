import type { ComponentType } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { hasPasskeys, signInByPasskey } from '../passkey.ts'
import { loadSignUp, signUp } from '../state/account.ts'
import { signedIn, signInByCode } from '../state/session.ts'
import { codeIn, isSigningIn, signInError, signInWith } from '../state/sign-in.ts'
import { Copy } from '../ui/copy.tsx'

const isLoopbackAddress = /^(?:127\.|\[::1\])/.test(location.hostname)

export function SignIn() {
  const [link, setLink] = useState('')
  const code = codeIn(link)
  const [Accounts, setAccounts] = useState<ComponentType>()
  const isOpen = signUp.value !== null && signUp.value.mode !== 'closed'
  const refusal = useRef<HTMLParagraphElement>(null)
  useEffect(loadSignUp, [])
  // With all ways in on it the page is taller than a phone.
  useEffect(() => refusal.current?.scrollIntoView({ block: 'nearest' }), [signInError.value])
  useEffect(() => {
    // A chunk of its own: most daemons have no accounts.
    if (isOpen) void import('./account-sign-in.tsx').then((chunk) => setAccounts(() => chunk.default))
  }, [isOpen])
  return (
    <main class="sign-in" aria-labelledby="sign-in-title">
      <div class="brand">
        <img src="/console/icon.svg" alt="" width="32" height="32" />
        <h1 id="sign-in-title">Sign in to OAuth3</h1>
      </div>
      {isLoopbackAddress && (
        <p class="note bad" role="alert">
          Passkeys and sessions belong to a name, not to an address. Open{' '}
          <a href={`http://localhost:${location.port}${location.pathname}`}>
            http://localhost:{location.port}/console/
          </a>
          .
        </p>
      )}
      {hasPasskeys() && !isLoopbackAddress && (
        <section>
          <h2>With a passkey</h2>
          <button
            type="button"
            class="primary"
            disabled={isSigningIn.value}
            onClick={() => void signInWith(() => signInByPasskey().then(signedIn))}
          >
            Use a passkey
          </button>
        </section>
      )}
      {Accounts && <Accounts />}
      <section>
        <h2>With a link</h2>
        <p>
          On the machine of the daemon, run this and open what it prints. The link is good once, for two
          minutes.
        </p>
        <Copy text="npx oauth3 console" />
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (code === undefined) return
            setLink('')
            void signInWith(() => signInByCode(code))
          }}
        >
          <label for="sign-in-link">Or paste the link here</label>
          <div class="joined">
            <input
              id="sign-in-link"
              type="password"
              autocomplete="off"
              spellcheck={false}
              value={link}
              onInput={(event) => setLink(event.currentTarget.value)}
            />
            <button type="submit" class="primary" disabled={code === undefined || isSigningIn.value}>
              Sign in
            </button>
          </div>
        </form>
      </section>
      <p role="alert" class="refusal" ref={refusal}>
        {signInError.value}
      </p>
    </main>
  )
}
