import '../styles/chat.css'
import type { TargetedEvent, TargetedKeyboardEvent } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { HostedAgentView, ToolCallView, TurnView } from '../../../src/contracts/admin/index.ts'
import { useAct } from '../admin/act.tsx'
import { useLoaded } from '../admin/use-loaded.ts'
import { api, session } from '../api/client.ts'
import { views, waiting } from '../state/approvals.ts'
import { type Conversation, useConversation } from '../state/conversation.ts'
import { sessionState } from '../state/session-signals.ts'
import { CompactCard, useHold } from '../ui/compact-card.tsx'
import { HostState } from '../ui/host-state.tsx'
import { InertMarkdown } from '../ui/inert-markdown.tsx'
import { LacksKey } from '../ui/lacks-key.tsx'
import { Link } from '../ui/link.tsx'
import { Ago } from '../ui/time.tsx'
import {
  AttachButton,
  type Attached,
  AttachedList,
  HostFiles,
  useAttached,
  withAttached,
} from './chat-files.tsx'
import { HostTelegram } from './host-telegram.tsx'
import type { PageProps } from './table.ts'

const MAX_CHARS = 100_000
/** So near the end of the page that what comes is to be seen. */
const NEAR_PX = 120

/** The conversation with one hosted agent, and what it asks a person meanwhile. */
export default function Chat({ params: { name = '' } }: PageProps) {
  return <ChatWith key={name} of={name} />
}

function ChatWith({ of: name }: { readonly of: string }) {
  const hosts = useLoaded(() => api.call('listHosts'), name, ['machine.', 'chat.', 'provider.'])
  const host = hosts.data?.hosts.find((one) => one.name === name)
  const conversation = useConversation(name)
  const { turns, live, error, hasOlder, readOlder } = conversation
  const attached = useAttached(name)
  const end = useEndInSight(`${turns?.length} ${live?.text.length} ${live?.tools.length}`)
  return (
    <div class="chat">
      <header class="page-head">
        <h1>
          <bdi>{name}</bdi>
        </h1>
        <div class="soft" role="status">
          {host ? <HostState host={host} /> : hosts.data && 'There is no hosted agent of this name any more.'}
        </div>
        <nav class="ways" aria-label={`More of ${name}`}>
          {host?.kind === 'openclaw' && hasHostPages() && <OwnPage of={name} />}
          <Link to={`/hosts/${encodeURIComponent(name)}/desktop`}>Desktop</Link>
          <Link to={`/hosts/${encodeURIComponent(name)}/inside`}>Inside</Link>
          <Link to="/hosts">All hosted agents</Link>
        </nav>
      </header>
      {host?.kind === 'openclaw' && <HostFiles of={name} attached={attached.paths} />}
      {host?.kind === 'openclaw' && <HostTelegram of={name} />}
      {error !== undefined && (
        <p class="note bad" role="alert">
          {error}
        </p>
      )}
      {turns === undefined && error === undefined && <p class="empty">Loading …</p>}
      {hasOlder && (
        <button type="button" class="quiet" onClick={readOlder}>
          Earlier
        </button>
      )}
      {turns?.length === 0 && <p class="empty">Nothing was said yet.</p>}
      <ol class="turns" aria-label="Conversation" aria-busy={live !== undefined}>
        {turns?.map((turn) => (
          <Turn
            key={turn.number}
            turn={turn}
            live={live?.number === turn.number ? live : undefined}
            host={host}
          />
        ))}
      </ol>
      {host && <Asked by={host.agent_id} />}
      {host && <LacksKey host={host} />}
      {host && <Composer key={host.id} host={host} conversation={conversation} attached={attached} />}
      <div ref={end} />
    </div>
  )
}

const hasHostPages = (): boolean => typeof sessionState.value === 'object' && sessionState.value.host_pages

/** OpenClaw's own page, at an origin of its own and in a tab of its own. */
function OwnPage({ of: name }: { readonly of: string }) {
  const { isBusy, refusal, run } = useAct()
  // In the click itself: a window that is opened later is one that nobody asked for, and browsers hold it back.
  const open = async (): Promise<void> => {
    const tab = window.open('about:blank', '_blank')
    if (tab !== null) tab.opener = null
    try {
      const { url } = await session.call('openHostPage', { params: { name } })
      if (tab === null) throw new Error('This browser opens no window here: let this site open windows.')
      tab.location.replace(url)
    } catch (error) {
      tab?.close()
      throw error
    }
  }
  return (
    <>
      <button type="button" class="quiet" disabled={isBusy} onClick={() => void run(open, 'Its page opens.')}>
        Its own page
      </button>
      <span class="refusal" role="alert">
        {refusal}
      </span>
    </>
  )
}

/** Whoever is at the end of the page stays there, and who reads above is left in peace. */
function useEndInSight(upon: string) {
  const end = useRef<HTMLDivElement>(null)
  const isNear = useRef(true)
  useEffect(() => {
    const look = (): void => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement
      isNear.current = scrollHeight - scrollTop - clientHeight < NEAR_PX
    }
    addEventListener('scroll', look, { passive: true })
    return () => removeEventListener('scroll', look)
  }, [])
  useEffect(() => {
    if (isNear.current) end.current?.scrollIntoView({ block: 'end' })
  }, [upon])
  return end
}

const UNDER_WAY: ReadonlySet<HostedAgentView['state']> = new Set(['running', 'pausing'])

function Turn({
  turn: { origin, request_id, asked, answer, state, problem, model, tools, created_at },
  live,
  host,
}: {
  readonly turn: TurnView
  readonly live: Conversation['live']
  readonly host: HostedAgentView | undefined
}) {
  const said = answer ?? live?.text ?? ''
  return (
    <li>
      {origin === 'person' ? (
        <div class="said">
          <p dir="auto">{asked}</p>
          <p class="soft meta">
            You, <Ago at={created_at} />
          </p>
        </div>
      ) : (
        <p class="soft meta woken">
          Nobody asked: woken{' '}
          {request_id === null ? (
            'by itself'
          ) : (
            <>
              by request <Link to={`/requests/${request_id}`}>{request_id}</Link>
            </>
          )}
          , <Ago at={created_at} />
        </p>
      )}
      <div class="answered">
        <Tools of={live?.tools ?? tools} isOpen={state === 'open'} />
        {said !== '' && <InertMarkdown text={said} />}
        {state === 'open' && (
          <p class="soft" role="status">
            {said !== ''
              ? 'It goes on …'
              : host === undefined || UNDER_WAY.has(host.state)
                ? 'It is asked …'
                : `It is woken: ${host.state} …`}
          </p>
        )}
        {state === 'stopped' && <p class="soft">Stopped.</p>}
        {state === 'failed' && (
          <p class="tone-bad">
            <bdi>{problem ?? 'It failed.'}</bdi>
          </p>
        )}
        <p class="soft meta">
          <bdi>{model}</bdi>
        </p>
      </div>
    </li>
  )
}

const TOOL_STATES: Readonly<Record<ToolCallView['state'], string>> = {
  running: 'did not end',
  done: 'done',
  failed: 'failed',
}

/** What its agent used meanwhile, in the agent's words: text, and folded where it is done. */
function Tools({ of: tools, isOpen }: { readonly of: readonly ToolCallView[]; readonly isOpen: boolean }) {
  if (tools.length === 0) return null
  return (
    <ul class="tools" aria-label="Tools it used">
      {tools.map(({ id, name, state, arguments: given, duration_ms }) => (
        <li key={id}>
          <details>
            <summary>
              <code>
                <bdi>{name}</bdi>
              </code>{' '}
              <span class={state === 'failed' ? 'tone-bad' : 'soft'}>
                {isOpen && state === 'running' ? 'is at work …' : TOOL_STATES[state]}
                {duration_ms !== null && ` in ${(duration_ms / 1_000).toFixed(1)} s`}
              </span>
            </summary>
            <pre>
              <bdi>{given}</bdi>
            </pre>
          </details>
        </li>
      ))}
    </ul>
  )
}

/** Its requests stand in its conversation, as in the inbox. */
function Asked({ by }: { readonly by: string }) {
  const list = (waiting.value ?? []).filter(({ requester_id }) => requester_id === by)
  const isHeld = useHold(list)
  if (list.length === 0) return null
  return (
    <section aria-label="It asks you">
      <h2>It asks you</h2>
      <ul class="cards">
        {list.map((one) => (
          <li key={one.id} class="card">
            <CompactCard summary={one} view={views.value.get(one.id)} isHeld={isHeld} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Composer({
  host,
  conversation: { turns, say, stop },
  attached,
}: {
  readonly host: HostedAgentView
  readonly conversation: Conversation
  readonly attached: Attached
}) {
  const id = useId()
  const form = useRef<HTMLFormElement>(null)
  const [text, setText] = useState('')
  const [model, setModel] = useState<string>()
  const sending = useAct()
  const stopping = useAct()
  const models = useModels(host)
  const message = withAttached(text, attached.paths)
  // Not of a turn that nobody asked for: its model is the machine's word.
  const chosen = model ?? turns?.findLast(({ origin }) => origin === 'person')?.model ?? host.model
  const isOpen = turns?.some(({ state, origin }) => state === 'open' && origin === 'person') === true
  const send = (event: TargetedEvent<HTMLFormElement, SubmitEvent>): void => {
    event.preventDefault()
    if (message.trim() === '' || attached.isBusy) return
    const other = chosen === host.model ? undefined : chosen
    void sending
      .run(() => say(message, other), 'Sent.')
      .then((isDone) => {
        if (!isDone) return
        setText('')
        attached.clear()
      })
  }
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.current?.requestSubmit()
  }
  return (
    <form ref={form} class="composer" onSubmit={send} autocomplete="off">
      <label for={`${id}-text`}>Message</label>
      <textarea
        id={`${id}-text`}
        rows={3}
        maxLength={MAX_CHARS}
        value={text}
        aria-describedby={`${id}-hint`}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <p class="hint" id={`${id}-hint`}>
        Enter sends, Shift+Enter begins a line.
      </p>
      <AttachedList of={attached} />
      <div class="composer-acts">
        <AttachButton of={attached} />
        <label for={`${id}-model`}>Model</label>
        <select id={`${id}-model`} value={chosen} onChange={(event) => setModel(event.currentTarget.value)}>
          {[...new Set([chosen, ...models])].map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        {isOpen && (
          <button
            type="button"
            disabled={stopping.isBusy}
            onClick={() => void stopping.run(stop, 'It is stopped.')}
          >
            Stop
          </button>
        )}
        <button
          type="submit"
          class="primary"
          disabled={sending.isBusy || attached.isBusy || message.trim() === ''}
        >
          Send
        </button>
      </div>
      <p class="refusal" role="alert">
        {sending.refusal ?? stopping.refusal}
      </p>
    </form>
  )
}

/** Those of its provider that have a price; a name with a star stands for several. */
function useModels({ provider, model }: HostedAgentView): readonly string[] {
  const prices = useLoaded(() => api.call('listPrices'), provider, ['price.'])
  const known = (prices.data?.prices ?? []).filter((one) => one.provider === provider)
  return [model, ...known.map((one) => one.model).filter((name) => /^[A-Za-z0-9][\w.:/-]*$/.test(name))]
}
