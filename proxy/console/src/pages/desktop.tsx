import '../styles/desktop.css'
import type { TargetedEvent, TargetedKeyboardEvent } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'
import type { HostedAgentView } from '../../../src/contracts/admin/index.ts'
import { desktopName } from '../../../src/contracts/host-defaults.ts'
import { ConfirmButton, useAct } from '../admin/act.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api } from '../api/client.ts'
import { type Screen, useScreen } from '../state/screen.ts'
import { sessionState } from '../state/session-signals.ts'
import { HostState } from '../ui/host-state.tsx'
import { Link } from '../ui/link.tsx'
import type { PageProps } from './table.ts'

/** The screen of a hosted agent, to be seen or used. */
export default function Desktop({ params }: PageProps) {
  const name = params.name ?? ''
  const hosts = useLoaded(() => api.call('listHosts'), name, ['machine.'])
  const all = hosts.data?.hosts
  const desktop = all?.find((one) => one.kind === 'desktop' && one.name === desktopName(name))
  const isGoing = desktop?.wanted === 'deleted'
  return (
    <div class="desktop">
      <header class="page-head">
        <h1>
          Desktop of <bdi>{name}</bdi>
        </h1>
        <div class="soft" role="status">
          {desktop && <HostState host={desktop} />}
        </div>
        <Link to={`/hosts/${encodeURIComponent(name)}`}>Chat</Link>
      </header>
      {hosts.error !== undefined && (
        <p class="note bad" role="alert">
          {hosts.error}
        </p>
      )}
      {all === undefined && hosts.error === undefined && <p class="empty">Loading …</p>}
      {isApprover() ? (
        <p class="note">
          A desktop is its owner’s to see: what they are signed in to stands on it. What it sends is in the
          audit.
        </p>
      ) : (
        <>
          {all && desktop === undefined && <None name={name} hosts={all} after={hosts.reload} />}
          {desktop && !isGoing && <Shown name={name} desktop={desktop} after={hosts.reload} />}
        </>
      )}
    </div>
  )
}

/** Whom the daemon would refuse both to look and to act. */
const isApprover = (): boolean =>
  typeof sessionState.value === 'object' && sessionState.value.role === 'approver'

function None({
  name,
  hosts,
  after,
}: {
  readonly name: string
  readonly hosts: readonly HostedAgentView[]
  readonly after: () => void
}) {
  const { isBusy, refusal, run } = useAct()
  if (!hosts.some((one) => one.kind === 'openclaw' && one.name === name))
    return <p class="empty">There is no hosted agent of this name.</p>
  const add = (): void =>
    void run(
      () => api.call('setDesktop', { params: { name }, body: { on: true } }),
      'Its desktop is being started.',
    ).then(after)
  return (
    <>
      <p>
        It has no desktop: a screen with Chromium in a machine of its own, which the agent uses by the
        DevTools Protocol, and you by looking and by taking over.
      </p>
      <p>
        <button type="button" class="primary" disabled={isBusy} onClick={add}>
          Give it one
        </button>
      </p>
      <p class="refusal" role="alert">
        {refusal}
      </p>
    </>
  )
}

const SLOW: ReadonlySet<HostedAgentView['state']> = new Set(['paused', 'pausing'])

function Shown({
  name,
  desktop,
  after,
}: {
  readonly name: string
  readonly desktop: HostedAgentView
  readonly after: () => void
}) {
  const [viewOnly, setViewOnly] = useState(true)
  const frame = useRef<HTMLDivElement>(null)
  const target = useRef<HTMLDivElement>(null)
  const mode = useRef<HTMLButtonElement>(null)
  const screen = useScreen(name, viewOnly, target)
  const isShown = screen.state.is === 'connected'
  // Tab is the desktop's while it has the keyboard: there has to be a way out.
  const leave = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    if (event.key !== 'Escape' || !event.shiftKey) return
    event.preventDefault()
    event.stopPropagation()
    mode.current?.focus()
  }
  return (
    <>
      <div class="answers">
        <button ref={mode} type="button" class="primary" onClick={() => setViewOnly(!viewOnly)}>
          {viewOnly ? 'Take over' : 'Only look'}
        </button>
        <button type="button" onClick={() => void frame.current?.requestFullscreen()}>
          Full screen
        </button>
        {isShown && (
          <span class="soft">
            {viewOnly
              ? 'You look; nothing you do here reaches it.'
              : 'You and the agent use it; Shift+Esc leaves it.'}
          </span>
        )}
      </div>
      <Ended screen={screen} />
      {isShown && SLOW.has(desktop.state) && (
        <p class="note" role="status">
          It is paused, and its picture stands still.{' '}
          {viewOnly
            ? 'Take over to wake it.'
            : 'What you do wakes it; what you typed meanwhile was not passed on.'}
        </p>
      )}
      <section ref={frame} class="screen" aria-label={`Screen of ${desktop.name}`}>
        <div ref={target} class={isShown ? 'shown' : 'gone'} onKeyDownCapture={leave} />
      </section>
      {isShown && !viewOnly && <Type type={screen.type} />}
      <p>
        <ConfirmButton
          label="Take its desktop away"
          title={`Remove ${desktop.name}?`}
          act={() => api.call('setDesktop', { params: { name }, body: { on: false } })}
          done={`${desktop.name} is removed.`}
          after={after}
        >
          <p>Its files go with it, and what is signed in there.</p>
        </ConfirmButton>
      </p>
    </>
  )
}

function Ended({ screen: { state, reconnect } }: { readonly screen: Screen }) {
  return (
    <div class="screen-state" role="status">
      {state.is === 'connecting' && (
        <p class="soft">
          {state.again ? 'Connecting again …' : 'It is opened, and woken if it is paused or asleep …'}
        </p>
      )}
      {state.is === 'connected' && (
        <p class="soft">{state.viewOnly ? 'Connected: you look.' : 'Connected: you use it.'}</p>
      )}
      {state.is === 'ended' && (
        <p class={state.again ? 'soft' : 'tone-bad'}>
          <bdi>{state.why}</bdi> {state.again && 'It is tried again.'}{' '}
          <button type="button" class="small" onClick={reconnect}>
            Connect
          </button>
        </p>
      )}
    </div>
  )
}

/** For where there is no keyboard, and for what no keyboard has. */
function Type({ type }: { readonly type: (text: string) => void }) {
  const id = useId()
  const [text, setText] = useState('')
  const send = (event: TargetedEvent<HTMLFormElement, SubmitEvent>): void => {
    event.preventDefault()
    type(text)
    setText('')
  }
  return (
    <form class="type" onSubmit={send} autocomplete="off">
      <label for={id}>Type into it</label>
      <input
        id={id}
        type="text"
        value={text}
        maxLength={1_000}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" disabled={text === ''}>
        Type
      </button>
      <button type="button" onClick={() => type('\n')}>
        Enter
      </button>
    </form>
  )
}
